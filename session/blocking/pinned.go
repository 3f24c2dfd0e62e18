package blocking

import (
	"bytes"
	"time"

	"ringmaster/command"
	"ringmaster/pool"
	"ringmaster/session"
)

// apart is a request over a connection of the session's own, where servers come and go: WATCH, or one that may block.
type apart struct {
	s      *session.Session
	spec   *command.Spec
	tag    uint64
	raw    []byte
	key    []byte
	server int
	asking bool
	told   bool
	lost   bool  // keys were watched before, over a connection that is gone
	forced bool  // out of its connection: forcedOut
	sent   int64 // when last, ns
	since  int64 // when it was refused first, of the refusals that followed at once
}

// firstKey is the first key of a request of a command; nil: it has none.
func firstKey(raw []byte, spec *command.Spec) []byte {
	req, ok := session.ParseAgain(raw)
	if !ok {
		return nil
	}
	if keys, err := spec.AppendKeys(nil, req.Args); err == nil && len(keys) > 0 {
		return req.Args[keys[0]]
	}
	return nil
}

// SendApart sends it.
func SendApart(s *session.Session, spec *command.Spec, raw []byte, server int) {
	a := &apart{s: s, spec: spec, tag: s.Expect(len(raw)), raw: raw, server: server}
	a.key = bytes.Clone(firstKey(raw, spec))
	if f := a.send(); f != nil && !a.putOff(f) {
		s.Fail(a.tag, f)
	}
}

// putOff keeps a request of which nothing was sent for the next tick; false: f is for the client.
func (a *apart) putOff(f *pool.Failure) bool {
	if f.Kind != pool.Down || !a.patient() {
		return false
	}
	a.told = false
	a.s.Door.Pool.Hint()
	a.s.Door.Later = append(a.s.Door.Later, a)
	return true
}

func (a *apart) send() *pool.Failure {
	s := a.s
	watches := a.spec.ID == command.IDWatch
	if a.sent == 0 {
		a.lost = s.WatchLost()
	}
	a.sent = s.Door.Pool.Now
	if p := s.Pin; p != nil && p.Server != a.server && !p.Watches && !p.Dirty {
		s.Unpin(true)
	}
	if watches {
		p, f := s.PinTo(a.server)
		if f != nil {
			return f
		}
		p.Watch()
		p.Lost = a.lost
		if !a.lost {
			p.Key = a.key
		}
		return p.Conn.Enqueue(&pool.Request{Raw: a.raw, Recv: a, Manner: pool.Here})
	}
	conn, f := blockingConn(s, a.server)
	if f != nil {
		return f
	}
	if a.asking {
		_ = conn.Tell("ASKING")
	}
	return s.EnqueueBlocking(conn, a.raw, a, 0, a.spec)
}

// Reply is pool.Receiver.
func (a *apart) Reply(_ uint64, b []byte, p pool.Piece) {
	s := a.s
	forced := s.Door.Map.Slotted() && bytes.HasPrefix(b, forcedOut)
	switch {
	case s.Door.Rules.Of(a.spec).Carrier != 0: // a module may say anything
		s.Reply(a.tag, b, p)
	case p == pool.Whole && s.State == session.Open && (pool.Elsewhere(b) || forced) && a.patient():
		s.Door.Pool.CountRedirect(a.server, b)
		a.server, a.asking, a.told = a.elsewhere(b)
		a.forced = forced
		s.Door.Pool.Hint()
		s.Door.Later = append(s.Door.Later, a)
	case p == pool.Whole && pool.NamesNode(b): // nothing for clients
		a.unwatch()
		s.Fail(a.tag, s.Door.Pool.Moved(a.server))
	default:
		if b[0] == '-' && p&pool.First != 0 {
			a.unwatch()
		}
		s.Reply(a.tag, b, p)
	}
}

// Client is pool.Receiver.
func (a *apart) Client() pool.Client { return a.s }

// Place is pool.Receiver.
func (a *apart) Place(uint64) uint64 { return a.tag }

// forcedOut begins what a node says to those who block when it becomes a replica, which have got nothing, before it closes the
// connection. CLIENT UNBLOCK has other words behind the same code.
var forcedOut = []byte("-UNBLOCKED force unblock ")

// unwatch tells that a WATCH has failed: nothing is watched, unless something was before.
func (a *apart) unwatch() {
	if p := a.s.Pin; p != nil && a.spec.ID == command.IDWatch && !a.lost {
		p.Watches, p.Lost, p.Soiled = false, false, true
	}
}

// patient reports whether it may be sent again: not if other keys are watched on that connection, nor for longer than any
// request may take.
func (a *apart) patient() bool {
	s := a.s
	if s.Pin != nil && (s.Pin.Watches && a.spec.ID != command.IDWatch || s.Pin.Dirty) {
		return false
	}
	now := s.Door.Pool.Now
	if a.since == 0 || now-a.sent > int64(time.Second) {
		a.since = now
	}
	limit := int64(s.Door.Pool.Timeout())
	return limit <= 0 || now-a.since < limit
}

func (a *apart) elsewhere(b []byte) (server int, asking, told bool) {
	if server, asking, told = a.s.Door.Pool.Target(a.server, b); told {
		return server, asking, true
	}
	return a.server, false, false
}

// Fail is pool.Receiver.
func (a *apart) Fail(_ uint64, f *pool.Failure) {
	if a.s.State != session.Open || f.Sent || f.Kind != pool.Lost && f.Kind != pool.Down || !a.putOff(&pool.Failure{Kind: pool.Down}) {
		a.unwatch()
		a.s.Fail(a.tag, f)
	}
}

// Again is deferred.
func (a *apart) Again(e *session.Env) {
	s := a.s
	if s.State != session.Open {
		s.Undone(a.tag)
		return
	}
	if a.forced {
		a.forced = false
		s.Unpin(false)
	}
	if !a.told && a.key != nil {
		a.server = e.Map.Lookup(a.key)
	}
	if p := s.Pin; p != nil && a.spec.ID == command.IDWatch {
		forgetWatchesNow(s)
	}
	if f := a.send(); f != nil && !a.putOff(f) {
		s.Fail(a.tag, f)
	}
}

// forgetWatchesNow frees keys that no server has begun to watch.
func forgetWatchesNow(s *session.Session) {
	if p := s.Pin; p != nil {
		p.Watches, p.Lost = false, false
		s.SettlePin()
	}
}
