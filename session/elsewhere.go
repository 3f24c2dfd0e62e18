package session

import (
	"bytes"
	"time"

	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
)

// What a node of a cluster refuses since the keys are elsewhere, or since it can't answer now, is sent again: by package pool,
// or if it is more than one request on a shared connection, from here.

// deferred is something to be sent again at a tick.
type deferred interface {
	// again sends it; false: not yet.
	again(e *Env) bool
}

// piece is what a transaction is sent again from.
type piece struct {
	buf      *bytebufferpool.ByteBuffer
	needs    int
	requests int
	cmd      uint16
	key      []byte // one of its keys; nil: it has none
	server   int
	watched  bool
	at       int64
	moved    bool // a command was refused for such a reason
	told     bool // server is where a node has sent it
	again    bool // nothing has run
}

// elsewhere looks at an error among the replies to a transaction; true: it is not for the client.
func (o *outcome) elsewhere(i uint64, b []byte) bool {
	p, s := o.piece, o.s
	if i > 0 && i < o.last && pool.Elsewhere(b) {
		p.moved = true
		if server, asking, ok := s.env.Pool.Target(p.server, b); ok && !asking {
			p.server, p.told = server, true
		}
		s.env.Pool.Hint()
		return true
	}
	// EXEC itself may find that a key has gone since it was queued.
	if i != o.last || s.state == closed || !pool.Elsewhere(b) && !(p.moved && bytes.HasPrefix(b, []byte("-EXECABORT"))) {
		return false
	}
	if p.watched {
		// The keys that were watched are elsewhere, too: clients begin again after a null.
		s.Reply(o.tag, appendNullArray(nil, s.proto), pool.Whole)
		return true
	}
	if limit := int64(s.env.Pool.Timeout()); limit > 0 && s.env.Pool.Now-p.at > limit {
		return false
	}
	p.again = true
	s.Hold()
	return true
}

// unsent reports whether a transaction can be sent again since none of it can have reached a server.
func (o *outcome) unsent(f *pool.Failure) bool {
	p, s := o.piece, o.s
	limit := int64(s.env.Pool.Timeout())
	if f.Sent || f.Kind != pool.Down && f.Kind != pool.Lost || p.watched || s.state == closed || limit > 0 && s.env.Pool.Now-p.at > limit {
		return false
	}
	p.again = true
	s.env.Pool.Hint()
	s.Hold()
	return true
}

// putOff keeps a transaction of which nothing was sent for the next tick: its keys may be elsewhere by then. False: f is for the client.
func (o *outcome) putOff(f *pool.Failure) bool {
	if f.Kind != pool.Down || o.piece.watched {
		return false
	}
	o.piece.again = true
	o.s.env.Pool.Hint()
	o.s.env.later = append(o.s.env.later, o)
	o.s.Hold()
	return true
}

// again is deferred.
func (o *outcome) again(e *Env) bool {
	p, s := o.piece, o.s
	if s.state == closed {
		e.recycleOutcome(o)
		return true
	}
	if !p.told && p.key != nil {
		p.server = e.Map.Lookup(p.key)
	}
	f := s.rings.Pick(p.server, s.seat).EnqueuePiece(p.buf.B, p.needs, p.requests, o, int(o.last), p.cmd, false)
	if f == nil {
		o.left = p.requests
		p.moved, p.told, p.again = false, false, false
		return true
	}
	p.told = false
	if limit := int64(e.Pool.Timeout()); limit > 0 && e.Pool.Now-p.at > limit {
		s.Fail(o.tag, f)
		e.recycleOutcome(o)
		return true
	}
	return false
}

// apart is a request over a connection of the session's own in front of a cluster: WATCH, or one that may block.
type apart struct {
	s      *Session
	spec   *command.Spec
	tag    uint64
	raw    []byte
	key    []byte
	server int
	asking bool
	told   bool
	first  bool  // it is a WATCH before which nothing was watched
	sent   int64 // when last, ns
	since  int64 // when it was refused first, of the refusals that followed at once
}

// sendApart sends it.
func (s *Session) sendApart(spec *command.Spec, raw []byte, server int) {
	a := &apart{s: s, spec: spec, tag: s.expect(len(raw)), raw: raw, server: server}
	var p parser.RequestParser
	var req parser.Request
	if done, err := p.Next(raw, &s.env.Config.Limits, &req); done && err == nil {
		if keys, err := spec.AppendKeys(nil, req.Args); err == nil && len(keys) > 0 {
			a.key = bytes.Clone(req.Args[keys[0]])
		}
	}
	if f := a.send(); f != nil && !a.putOff(f) {
		s.countFailure(spec)
		s.Fail(a.tag, f)
	}
}

// putOff keeps a request of which nothing was sent for the next tick; false: f is for the client.
func (a *apart) putOff(f *pool.Failure) bool {
	if f.Kind != pool.Down || !a.patient() {
		return false
	}
	a.told = false
	a.s.env.Pool.Hint()
	a.s.env.later = append(a.s.env.later, a)
	return true
}

func (a *apart) send() *pool.Failure {
	s := a.s
	a.sent = s.env.Pool.Now
	watches := a.spec.Name == "watch"
	if p := s.pin; p != nil && p.server != a.server && !p.watches && !p.dirty {
		s.unpin(true)
	}
	if watches {
		p, f := s.pinTo(a.server)
		if f != nil {
			return f
		}
		if a.first = !p.watches; a.first {
			p.key = a.key
		}
		p.watch()
		return p.conn.EnqueueHere(a.raw, a, 0, a.spec.ID)
	}
	conn, f := s.blockingConn(a.server)
	if f != nil {
		return f
	}
	if a.asking {
		_ = conn.Tell("ASKING")
	}
	return conn.EnqueueBlocking(a.raw, a, 0, a.spec.ID)
}

// Reply is pool.Receiver.
func (a *apart) Reply(_ uint64, b []byte, p pool.Piece) {
	s := a.s
	if p == pool.Whole && b[0] == '-' && s.state == open && pool.Elsewhere(b) && s.pin != nil && s.pin.watches && !a.first {
		// The keys that are watched already may be elsewhere, too: EXEC will be null.
		s.pin.lost, s.pin.soiled = true, true
		if a.spec.Name == "watch" {
			s.Reply(a.tag, []byte("+OK\r\n"), pool.Whole)
			return
		}
	}
	if p == pool.Whole && b[0] == '-' && s.state == open && pool.Elsewhere(b) && a.patient() {
		a.server, a.asking, a.told = a.elsewhere(b)
		s.env.Pool.Hint()
		s.env.later = append(s.env.later, a)
		return
	}
	if b[0] == '-' && p&pool.First != 0 {
		a.unwatch(false)
	}
	s.Reply(a.tag, b, p)
}

// unwatch tells that a WATCH has failed. unsure: the server may watch all the same.
func (a *apart) unwatch(unsure bool) {
	if p := a.s.pin; p != nil && a.first {
		p.watches, p.lost, p.soiled = false, false, p.soiled || unsure
	}
}

// patient reports whether it may be sent again: not if the connection has other state, nor for longer than any request may take.
func (a *apart) patient() bool {
	s := a.s
	if s.pin != nil && s.pin.dirty {
		return false
	}
	now := s.env.Pool.Now
	if a.since == 0 || now-a.sent > int64(time.Second) {
		a.since = now
	}
	limit := int64(s.env.Pool.Timeout())
	return limit <= 0 || now-a.since < limit
}

func (a *apart) elsewhere(b []byte) (server int, asking, told bool) {
	if server, asking, told = a.s.env.Pool.Target(a.server, b); told {
		return server, asking, true
	}
	return a.server, false, false
}

// Fail is pool.Receiver.
func (a *apart) Fail(_ uint64, f *pool.Failure) {
	if a.s.state != open || f.Sent || f.Kind != pool.Lost && f.Kind != pool.Down || !a.putOff(&pool.Failure{Kind: pool.Down}) {
		a.unwatch(true)
		a.s.Fail(a.tag, f)
	}
}

// again is deferred.
func (a *apart) again(e *Env) bool {
	s := a.s
	if s.state != open {
		return true
	}
	if !a.told && a.key != nil {
		a.server = e.Map.Lookup(a.key)
	}
	if a.first {
		s.forgetWatchesNow()
	}
	if f := a.send(); f != nil && !a.putOff(f) {
		s.Fail(a.tag, f)
	}
	return true
}

// forgetWatchesNow frees keys that no server has begun to watch.
func (s *Session) forgetWatchesNow() {
	if p := s.pin; p != nil {
		p.watches, p.lost = false, false
		s.settlePin()
	}
}

// sendDeferred sends again what waits for it.
func (e *Env) sendDeferred() {
	if len(e.later) == 0 {
		return
	}
	waiting := e.later
	e.later = nil
	for _, d := range waiting {
		if !d.again(e) {
			e.later = append(e.later, d)
		}
	}
}
