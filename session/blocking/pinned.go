package blocking

import (
	"bytes"
	"time"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
)

// pinned is a request over the session's own connection, where servers come and go: WATCH, or a command that may block. It is sent again when
// a server says that the keys are elsewhere.
type pinned struct {
	s       *session.Session
	spec    *command.Spec
	tag     uint64
	raw     []byte
	key     []byte // the first; nil: it has none
	server  int
	asking  bool  // the server must get ASKING first
	named   bool  // a server has named this one; otherwise the map does
	lost    bool  // keys were watched before, over a connection that is gone
	forced  bool  // the server closes the connection after its reply: forcedOut
	sent    int64 // when it was last sent, ns
	retries int64 // since when it has been sent again without a long wait between, ns
}

// firstKey returns the first key of a request; nil: it has none.
func firstKey(raw []byte, spec *command.Spec) []byte {
	req, ok := parser.Reparse(raw)
	if !ok {
		return nil
	}
	if keys, err := spec.AppendKeys(nil, req.Args); err == nil && len(keys) > 0 {
		return req.Args[keys[0]]
	}
	return nil
}

// SendPinned sends a request over the session's own connection to server. Keeps raw. Loop-only.
func SendPinned(s *session.Session, spec *command.Spec, raw []byte, server int) {
	r := &pinned{s: s, spec: spec, tag: s.Expect(len(raw)), raw: raw, server: server}
	r.key = bytes.Clone(firstKey(raw, spec))
	if f := r.send(); f != nil && !r.retryAtTick(f) {
		s.Fail(r.tag, f)
	}
}

// retryAtTick sends the request again at the next tick. Nothing of it was sent. false: the client must get f.
func (r *pinned) retryAtTick(f *pool.Failure) bool {
	if f.Kind != pool.Down || !r.mayRetry() {
		return false
	}
	r.named = false
	r.s.Door.Pool.Hint()
	r.s.Door.Later = append(r.s.Door.Later, r.again)
	return true
}

// send sends the request and gives the session a connection for it.
func (r *pinned) send() *pool.Failure {
	s := r.s
	watches := r.spec.ID == command.IDWatch
	if r.sent == 0 {
		r.lost = s.Pin.WatchLost()
	}
	r.sent = s.Door.Pool.Now
	if p := s.Pin; p != nil && p.Server != r.server && !p.Watches && !p.Dirty {
		s.Unpin(true)
	}
	if watches {
		p, f := s.PinTo(r.server)
		if f != nil {
			return f
		}
		p.Watch()
		p.Lost = r.lost
		if !r.lost {
			p.Key = r.key
		}
		return p.Conn.Enqueue(&pool.Request{Raw: r.raw, Recv: r, Manner: pool.Here})
	}
	conn, f := blockingConn(s, r.server)
	if f != nil {
		return f
	}
	if r.asking {
		_ = conn.Tell("ASKING")
	}
	return s.Door.EnqueueBlocking(conn, r.raw, r, 0, r.spec)
}

// Reply is pool.Receiver.
func (r *pinned) Reply(_ uint64, b []byte, p pool.Piece) {
	s := r.s
	forced := s.Door.Map.Slotted() && bytes.HasPrefix(b, forcedOut)
	switch {
	case s.Door.Rules.For(r.spec).Carrier != 0: // a module's reply may say anything
		s.Reply(r.tag, b, p)
	case p == pool.Whole && s.State == session.Open && (pool.Elsewhere(b) || forced) && r.mayRetry():
		s.Door.Pool.CountRedirect(r.server, b)
		r.server, r.asking, r.named = r.target(b)
		r.forced = forced
		s.Door.Pool.Hint()
		s.Door.Later = append(s.Door.Later, r.again)
	case p == pool.Whole && pool.NamesNode(b): // clients must not see it
		r.unwatch()
		s.Fail(r.tag, s.Door.Pool.Moved(r.server))
	default:
		if b[0] == '-' && p&pool.First != 0 {
			r.unwatch()
		}
		s.Reply(r.tag, b, p)
	}
}

// Client is pool.Receiver.
func (r *pinned) Client() pool.Client { return r.s }

// Place is pool.Receiver.
func (r *pinned) Place(uint64) uint64 { return r.tag }

// forcedOut begins the error that a node sends to blocked clients when it becomes a replica, before it closes the connection. It has run
// nothing of their commands. CLIENT UNBLOCK has other words after the same code.
var forcedOut = []byte("-UNBLOCKED force unblock ")

// unwatch notes that a WATCH has failed. Nothing is watched then, unless keys were watched before.
func (r *pinned) unwatch() {
	if p := r.s.Pin; p != nil && r.spec.ID == command.IDWatch && !r.lost {
		p.Watches, p.Lost, p.Soiled = false, false, true
	}
}

// mayRetry reports whether the request may be sent again. It may not if its connection watches other keys or has state, or if it has
// been sent again for as long as any request may take.
func (r *pinned) mayRetry() bool {
	s := r.s
	if s.Pin != nil && (s.Pin.Watches && r.spec.ID != command.IDWatch || s.Pin.Dirty) {
		return false
	}
	now := s.Door.Pool.Now
	if r.retries == 0 || now-r.sent > int64(time.Second) {
		r.retries = now
	}
	limit := int64(s.Door.Pool.Timeout())
	return limit <= 0 || now-r.retries < limit
}

// target returns the server that an error names, and whether ASKING must come first; !named: it names none.
func (r *pinned) target(b []byte) (server int, asking, named bool) {
	if server, asking, named = r.s.Door.Pool.Target(r.server, b); named {
		return server, asking, true
	}
	return r.server, false, false
}

// Fail is pool.Receiver.
func (r *pinned) Fail(_ uint64, f *pool.Failure) {
	if r.s.State != session.Open || f.Sent || f.Kind != pool.Lost && f.Kind != pool.Down || !r.retryAtTick(&pool.Failure{Kind: pool.Down}) {
		r.unwatch()
		r.s.Fail(r.tag, f)
	}
}

// again is called at a tick: it sends the request again.
func (r *pinned) again(e *session.Env) {
	s := r.s
	if s.State != session.Open {
		s.Undone(r.tag)
		return
	}
	if r.forced {
		r.forced = false
		s.Unpin(false)
	}
	if !r.named && r.key != nil {
		r.server = e.Map.Lookup(r.key)
	}
	if p := s.Pin; p != nil && r.spec.ID == command.IDWatch {
		forgetWatches(s)
	}
	if f := r.send(); f != nil && !r.retryAtTick(f) {
		s.Fail(r.tag, f)
	}
}

// forgetWatches ends a watch that no server knows of.
func forgetWatches(s *session.Session) {
	if p := s.Pin; p != nil {
		p.Watches, p.Lost = false, false
		s.SettlePin()
	}
}
