package conn

import (
	"bytes"
	"errors"

	"ringmaster/parser"
	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// A fence is a request of the pool's own that follows a carrier at once. Its reply repeats a nonce, which no script can know.
// It must come right after the carrier's reply: a line more or less ends the connection before anything of it reaches
// another client. Within the carrier's reply the nonce must not be found: a forged length would then have taken in what
// belongs to others.
type fence struct {
	nonce    [nonceSize]byte
	from, at uint64 // places in the ring: of the first request that it guards, and its own
	carrier  ask.Carrier
	byName   bool // the nonce is the name of a command, which the server does not know
	odd      bool // the frame under way is not the fence's reply
	got      int  // bytes of the fence's reply that have come
}

// fences are those of a connection whose replies have not come.
//
// Invariant: guard == list[first].from, or no place that the ring reaches.
type fences struct {
	list    []fence
	first   int
	guard   uint64
	seen    [nonceSize - 1]byte // the latest bytes of the reply that is looked through
	seenLen int
	surplus int // bytes of replies that nobody asked for, since the latest fence
}

const (
	nonceSize = 16
	noGuard   = ^uint64(0)
	// fenceReplySize is what the reply to ECHO takes, bytes.
	fenceReplySize = len("$16\r\n") + nonceSize + len("\r\n")
	// MaxWrapping is the most requests that come with a carrier: a fence, MULTI, EXEC.
	MaxWrapping = 3
	// FenceSize is the most that a fence's request takes, bytes.
	FenceSize = 48
	// muteFor is how long a server that answers BUSY gets fences by name, which it answers nevertheless, ns.
	muteFor = 1e9
	// refusedFor is the same for one that has refused a fence, ns. A script may have written the refusal: where the next fence
	// goes by name, no other forgery passes for one.
	refusedFor = 60e9
	// maxSurplus bounds the replies that nobody asked for and that a lane drops, bytes.
	maxSurplus = 1 << 20
)

var (
	echoStart = []byte("*2\r\n$4\r\nECHO\r\n$16\r\n")
	nameStart = []byte("*1\r\n$16\r\n")
	echoReply = []byte("$16\r\n")
	crlf      = []byte("\r\n")
)

var (
	errOutOfStep    = errors.New("sent too many or too few replies after a script or a module's command")
	errFenceRefused = errors.New("refused ECHO after a script or a module's command")
)

func (f *fences) open() bool { return f.first < len(f.list) }

func (f *fences) head() *fence { return &f.list[f.first] }

// push adds a fence. Valid until the next push.
func (f *fences) push(one fence) *fence {
	if !f.open() {
		f.list, f.first, f.guard = f.list[:0], 0, one.from
	}
	f.list = append(f.list, one)
	return &f.list[len(f.list)-1]
}

func (f *fences) pop() {
	f.first++
	f.seenLen, f.surplus = 0, 0
	if !f.open() {
		f.reset()
		return
	}
	f.guard = f.head().from
}

func (f *fences) reset() {
	if cap(f.list) > maxKeptFences {
		f.list = nil
	}
	f.list, f.first, f.guard, f.seenLen, f.surplus = f.list[:0], 0, noGuard, 0, 0
}

// maxKeptFences is the most places for fences that a connection without any keeps.
const maxKeptFences = 4096

// holds reports whether the nonce of the first fence ends in b, which follows the bytes seen so far.
func (f *fences) holds(b []byte) bool {
	nonce := f.head().nonce[:]
	if f.seenLen > 0 {
		var joint [2 * (nonceSize - 1)]byte
		n := copy(joint[:], f.seen[:f.seenLen])
		n += copy(joint[n:], b[:min(len(b), nonceSize-1)])
		if bytes.Contains(joint[:n], nonce) {
			return true
		}
	}
	if bytes.Contains(b, nonce) {
		return true
	}
	if len(b) >= len(f.seen) {
		f.seenLen = copy(f.seen[:], b[len(b)-len(f.seen):])
		return false
	}
	keep := min(f.seenLen, len(f.seen)-len(b))
	copy(f.seen[:], f.seen[f.seenLen-keep:f.seenLen])
	f.seenLen = keep + copy(f.seen[keep:], b)
	return false
}

// fence puts a fence after the requests from first on.
func (c *Conn) fence(first uint64, carrier ask.Carrier) {
	u := c.Up
	byName := u.ElsewhereBusy || c.server.NoEcho || c.login != u.Logins || u.Loop.Now < max(c.server.muteUntil, c.server.RefusedUntil)
	one := c.fences.push(fence{from: first, at: c.Ring.Tail, carrier: carrier, byName: byName})
	u.nonce(&one.nonce)
	var request [FenceSize]byte
	start := echoStart
	if one.byName {
		start = nameStart
	}
	n := copy(request[:], start)
	n += copy(request[n:], one.nonce[:])
	n += copy(request[n:], crlf)
	c.out.Write(request[:n])
	c.owe(n, nil, 0)
	c.Ring.Latest().Is = queue.Fencing
	u.Loop.InFlight-- // nobody waits for it
}

// guarded looks at a piece of a reply that is due to a carrier or to its fence; false: it was dealt with.
func (c *Conn) guarded(b []byte, p ask.Piece) bool {
	f := c.fences.head()
	pushed := c.scan.Kind() == '>'
	if c.Ring.Head == f.at && (!pushed || c.Owner == nil || c.IsLane) {
		c.onFence(f, b, p)
		return false
	}
	// No state that asks for pushes is put on a shared connection.
	if pushed && c.Owner == nil || c.fences.holds(b) {
		c.outOfStep(f)
		return false
	}
	return true
}

// onFence takes a piece of what must be the fence's reply.
func (c *Conn) onFence(f *fence, b []byte, p ask.Piece) {
	switch {
	case f.odd:
	case f.byName:
		f.odd = p != ask.Whole || !bytes.HasPrefix(b, answer.UnknownCommand) || !bytes.Contains(b, f.nonce[:])
	default:
		f.odd = !f.repeats(b)
		f.got += len(b)
	}
	if f.odd {
		c.oddFence(f, b, p)
		return
	}
	if p&ask.Last != 0 {
		c.fenceAnswered()
	}
}

func (c *Conn) fenceAnswered() {
	s := c.server.Stats
	s.Replies++
	s.InFlight--
	c.off(c.Ring.At(c.Ring.Head))
	c.fences.pop()
	if c.IsLane {
		c.Up.Keeper.LaneFreed(c)
	}
}

// wholeFence takes the fence's reply, when it is due and whole at the start of b: it spares the scanner. n is its length; 0: it is
// not there.
func (c *Conn) wholeFence(b []byte) (n int) {
	f := c.fences.head()
	if c.state == Handshaking || c.Ring.Head != f.at || f.byName || f.odd || f.got > 0 || len(b) < fenceReplySize || !f.repeats(b[:fenceReplySize]) {
		return 0
	}
	c.fenceAnswered()
	return fenceReplySize
}

// repeats reports whether b goes on with the reply to ECHO.
func (f *fence) repeats(b []byte) bool {
	var want [fenceReplySize]byte
	n := copy(want[:], echoReply)
	n += copy(want[n:], f.nonce[:])
	copy(want[n:], crlf)
	return f.got+len(b) <= len(want) && bytes.Equal(b, want[f.got:f.got+len(b)])
}

// oddFence deals with a piece of something else than the fence's reply. On a lane nobody else can get it, so that it is
// dropped; the nonce says where the server is in step again.
func (c *Conn) oddFence(f *fence, b []byte, p ask.Piece) {
	if !f.byName && c.refusesEcho(b, p) {
		c.lose(stats.ServerOutOfStep, errFenceRefused)
		return
	}
	c.fences.surplus += len(b)
	if !c.IsLane || c.fences.surplus > maxSurplus || c.fences.holds(b) {
		c.outOfStep(f)
		return
	}
	c.foundUnescaped(f.carrier)
	if p&ask.Last != 0 {
		f.odd, f.got = false, 0
	}
}

// refusesEcho reports whether a frame says that the server does not take ECHO, and has later fences go by name. A script may have
// written it: that costs a connection, once in refusedFor.
func (c *Conn) refusesEcho(b []byte, p ask.Piece) bool {
	switch {
	case p != ask.Whole:
		return false
	case answer.Passing(b):
		c.server.RefusedUntil = c.Up.Loop.Now + refusedFor
	case answer.Denied(b):
		c.server.NoEcho = true
	default:
		return false
	}
	return true
}

// outOfStep ends a connection whose replies can't be told apart any more.
func (c *Conn) outOfStep(f *fence) {
	c.server.Stats.OutOfStep++
	c.foundUnescaped(f.carrier)
	c.lose(stats.ServerOutOfStep, errOutOfStep)
}

// foundUnescaped notes that a server does not escape what a carrier holds.
func (c *Conn) foundUnescaped(carrier ask.Carrier) {
	s := c.server
	if carrier&ask.Libraries != 0 || s.Unescaped&carrier == carrier {
		return // of libraries nothing else is expected
	}
	s.Unescaped |= carrier
	c.Up.Keeper.Unescaped()
	c.Up.Log.unescaped(c, carrier)
}

// carry is Enqueue for what carries something: with a fence after it, here or on a lane.
func (c *Conn) carry(r *ask.Request) *ask.Failure {
	if !c.own && c.Up.ApartAt(c.server)&r.Carrier != 0 {
		return c.Up.Keeper.Lane(c, *r)
	}
	if f := c.Admit(len(r.Raw)+FenceSize, r.Count()+MaxWrapping); f != nil {
		if !r.Stays() {
			return c.Up.Keeper.Detour(c, *PendingOf(r, c.Up.Loop.Now), r.Raw, f)
		}
		return f
	}
	c.PutCarried(r, c.Up.Loop.Now)
	return nil
}

// PutCarried enqueues r here, which admit has allowed, and gives the place in the ring of its reply, or of the first. at is when it was
// sent first, ns.
func (c *Conn) PutCarried(r *ask.Request, at int64) (place uint64) {
	first := c.Ring.Tail
	if c.wraps(r) {
		place = c.putWrapped(r, at)
		c.fence(first, r.Carrier)
		return place
	}
	c.putBatch(r, at)
	if !r.Stays() {
		c.remember(r.Raw, r.Keys)
	}
	if !c.streams && !c.tunnel {
		c.fence(first, r.Carrier)
	}
	return first
}

// appendProbe asks a server, harmlessly, whether it escapes line breaks in the errors of scripts: where it does not, a reply
// too many comes before the fence's.
func (c *Conn) appendProbe(b []byte) []byte {
	h := &c.handshake
	c.Up.nonce(&h.nonce)
	h.surplus, h.busy = false, false
	if !c.server.NoScripts {
		h.steps = append(h.steps, stepScript, stepScript)
		b = AppendCommand(b, "EVAL", `error('\r\n+')`, "0")
		b = AppendCommand(b, "EVAL", `error({err='\r\n+'})`, "0")
	}
	h.steps = append(h.steps, stepFence)
	return AppendCommand(b, "ECHO", string(h.nonce[:]))
}

// asksAtLogin reports whether the login asks.
func (c *Conn) asksAtLogin() bool {
	return c.Up.Config.ScriptPolicy == ScriptsAuto &&
		(c.IsLane && c.server.Unsure || !c.own && c.Nth == 0 && c.Group.First && !c.server.Known())
}

// Known reports whether a server of this version was asked already. It need not be asked again at each login.
func (s *Server) Known() bool { return s.Probed && s.probedAs == s.version }

// onProbe takes a reply to the question; false: it is one too many.
func (c *Conn) onProbe(at step, reply []byte) (ends bool) {
	h, s := &c.handshake, c.server
	if at == stepScript {
		if reply[0] != '-' {
			h.surplus = true
			return false
		}
		h.busy = h.busy || answer.Passing(reply)
		s.NoScripts = s.NoScripts || answer.Denied(reply) // to ask again would fill the server's ACL LOG
		return true
	}
	echo := bytes.Equal(reply, parser.AppendBulk(nil, h.nonce[:]))
	if !echo && reply[0] != '-' {
		h.surplus = true
		return false
	}
	s.NoEcho = answer.Denied(reply)
	s.Unsure = false
	switch {
	case h.surplus:
		c.foundUnescaped(ask.Scripts)
	case (echo || s.NoEcho) && !h.busy:
		s.Unescaped &^= ask.Scripts // it may be another server than before
	default:
		s.Unsure = true
	}
	s.Probed, s.probedAs = !s.Unsure, s.version
	c.Up.Keeper.Unescaped()
	return true
}
