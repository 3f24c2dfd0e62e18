package gather

import (
	"slices"

	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/shard"
)

// division groups the keys of one command by server. A loop has one that every command uses in turn; a command of very many
// keys has its own.
type division struct {
	order   []int32 // the group of each key
	groups  []group // the keys that go to one server together
	groupAt []int32 // by server, or by hash slot in front of a cluster: its group's number from 1
	build   []byte  // the groups' parts of the command, for the connections to copy
}

// group is the keys of a split command that go to one server together: those of one server, or in front of a cluster, whose
// nodes refuse others, those of one hash slot.
type group struct {
	server, bucket int32
	keys           int32
	// Where its part stands in division.build. At first end is the size of its keys; while they are written, where the next goes.
	start, end int
}

// buckets is how many groups there can be.
func buckets(e *session.Env) int {
	if e.Map.Slotted() {
		return shard.Slots
	}
	return e.Map.Len()
}

// Split groups the keys of MGET, MSET, DEL and their like by shard, and asks each shard once.
func Split(s *session.Session, spec *command.Spec, req *parser.Request) {
	env, words := s.Door, spec.WordsPerKey
	if env.Single() || len(req.Args) == 1 || (len(req.Args)-1)%words != 0 {
		s.Pass(s.Door.Home(), spec, req)
		return
	}
	if len(req.Args) > manyWords && s.Pin == nil && !env.Replaying {
		divide(s, spec, req)
		return
	}
	d := &gathersOf(env.Loop).division
	d.clear()
	if n := buckets(env.Env); n > len(d.groupAt) {
		d.groupAt = make([]int32, n)
	}
	d.assign(env.Env, req, words, 1, len(req.Args))
	d.free()
	if len(d.groups) == 1 {
		s.Send(int(d.groups[0].server), env.KeysIn(int(d.groups[0].bucket), spec), spec, req)
		return
	}
	g := New(s, spec, len(req.Raw))
	g.keyed = true
	g.Delay()
	d.size(req, words)
	d.share(req, words, 0, len(d.order))
	if spec.Merge == command.MergeInKeyOrder {
		g.Asked.Order = append(g.Asked.Order, d.order...)
	}
	for _, part := range d.groups {
		g.askFor(int(part.server), d.build[part.start:part.end], env.KeysIn(int(part.bucket), spec))
	}
	if cap(d.build) > session.MaxScratch {
		d.build = nil
	}
	g.Start()
}

func (d *division) clear() { d.order, d.groups = d.order[:0], d.groups[:0] }

// assign notes the group of each key among the words from one up to another.
func (d *division) assign(env *session.Env, req *parser.Request, words, from, to int) {
	slotted := env.Map.Slotted()
	for i := from; i < to; i += words {
		var server, bucket int
		if slotted {
			slot := shard.Slot(req.Args[i])
			server, bucket = env.Map.SlotServer(slot), int(slot)
		} else {
			server = env.Map.Lookup(req.Args[i])
			bucket = server
		}
		n := d.groupAt[bucket]
		if n == 0 {
			d.groups = append(d.groups, group{server: int32(server), bucket: int32(bucket)})
			n = int32(len(d.groups))
			d.groupAt[bucket] = n
		}
		g := &d.groups[n-1]
		g.keys++
		g.end += len(req.Bulks(i, i+words))
		d.order = append(d.order, n-1)
	}
}

// free makes groupAt fit for the next command.
func (d *division) free() {
	for i := range d.groups {
		d.groupAt[d.groups[i].bucket] = 0
	}
}

// size makes room in build for each group's part of the request, one behind the other: a command with the name as the client sent
// it, and the keys that share writes.
func (d *division) size(req *parser.Request, words int) {
	b, name := d.build[:0], req.Args[0]
	b = slices.Grow(b, len(req.Raw)+len(d.groups)*(len(name)+maxPartHead))
	for i := range d.groups {
		g := &d.groups[i]
		keys := g.end
		g.start = len(b)
		b = parser.AppendArray(b, 1+int(g.keys)*words)
		b = parser.AppendBulk(b, name)
		g.end = len(b)
		b = b[:len(b)+keys]
	}
	d.build = b
}

// maxPartHead is the most that stands before a part's keys beside the command's name, bytes.
const maxPartHead = 64

// share writes the keys from one up to another into the parts.
func (d *division) share(req *parser.Request, words, from, to int) {
	for i := from; i < to; i++ {
		at := &d.groups[d.order[i]]
		at.end += copy(d.build[at.end:], req.Bulks(1+i*words, 1+(i+1)*words))
	}
}

// manyWords is the number of words from which a command is divided in pieces.
const manyWords = 16 << 10

// dividing is a command of very many keys under way to the servers, a passage: to group a million keys takes the loop half a
// second. Only the work is done in pieces. Each server gets its part whole, as that of any command, so that what it reads or
// changes there it does at once; what the client has sent before is answered, and what it sends behind waits.
type dividing struct {
	session.Passage
	division
	spec    *command.Spec
	req     parser.Request
	buf     *bytebufferpool.ByteBuffer // of req.Raw; nil: it is the garbage collector's
	version uint16                     // of the map
	next    int                        // the word, key or group to go on with
	stage   divisionStage
	g       *Gather
}

type divisionStage uint8

const (
	assigning divisionStage = iota
	sharing
	sending
)

// divide takes the request over from the loop.
func divide(s *session.Session, spec *command.Spec, req *parser.Request) {
	d := &dividing{spec: spec}
	if d.buf = s.Input.Whole(req); d.buf != nil {
		s.Input.Disown()
		d.req = parser.Request{Args: req.Args, Raw: req.Raw}
	} else {
		d.req = req.Clone()
	}
	req.Args = nil
	s.Begin(d)
}

func (d *dividing) Step(s *session.Session, _ session.Wait) {
	if !d.goOn(s) {
		d.AwaitTurn(s, d)
		return
	}
	d.End()
}

// Piece is job. If the client goes when some parts are sent, the others follow.
func (d *dividing) Piece(e *session.Env) (done bool) {
	if d.Over() && d.g != nil {
		return d.goOn(d.g.Session)
	}
	return d.Passage.Piece(e)
}

// keyWork is what it costs to hash or to copy a key beside its bytes, units.
const keyWork = 128

// goOn does a piece; true: all is sent.
func (d *dividing) goOn(s *session.Session) (done bool) {
	env, words := s.Door, d.spec.WordsPerKey
	if d.stage != sending && d.version != env.Version {
		d.stage, d.next = assigning, 0 // the keys may be elsewhere
	}
	p := env.APiece()
	if d.stage == assigning {
		if d.next == 0 {
			d.clear()
			d.groupAt, d.version, d.next = make([]int32, buckets(env.Env)), env.Version, 1
		}
		for ; d.next < len(d.req.Args); d.next += words {
			if p.Over(env.Env) {
				return false
			}
			d.assign(env.Env, &d.req, words, d.next, d.next+words)
			env.Spend(keyWork + len(d.req.Args[d.next]))
		}
		if len(d.groups) == 1 {
			d.End()
			s.Send(int(d.groups[0].server), env.KeysIn(int(d.groups[0].bucket), d.spec), d.spec, &d.req)
			d.letGo(s)
			return true
		}
		d.size(&d.req, words)
		d.stage, d.next = sharing, 0
	}
	if d.stage == sharing {
		for ; d.next < len(d.order); d.next++ {
			if p.Over(env.Env) {
				return false
			}
			d.share(&d.req, words, d.next, d.next+1)
			env.Spend(keyWork + len(d.req.Bulks(1+d.next*words, 1+(d.next+1)*words)))
		}
		d.begin(s)
	}
	for ; d.next < len(d.groups) && s.State != session.Closed; d.next++ {
		if p.Over(env.Env) {
			return false
		}
		part := &d.groups[d.next]
		d.g.askFor(int(part.server), d.build[part.start:part.end], env.KeysIn(int(part.bucket), d.spec))
		env.Spend(keyWork + part.end - part.start)
	}
	d.g.Start()
	return true
}

// begin makes the place for the reply; from now on the command is sent.
func (d *dividing) begin(s *session.Session) {
	d.stage, d.next = sending, 0
	d.g = New(s, d.spec, len(d.req.Raw))
	d.g.keyed = true
	d.g.Delay()
	if d.spec.Merge == command.MergeInKeyOrder {
		d.g.Asked.Order = d.order
	}
	d.letGo(s)
}

// letGo lets go of the request.
func (d *dividing) letGo(s *session.Session) {
	if d.buf != nil {
		s.Door.Pool.Buffers.Put(d.buf)
	}
	d.buf, d.req = nil, parser.Request{}
}

func (d *dividing) Cancel(s *session.Session) (unanswered bool) {
	if d.g != nil {
		return false // its parts are on their way, and the last of them goes too
	}
	d.letGo(s)
	return true
}
