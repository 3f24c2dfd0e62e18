package pool

import (
	"slices"

	"ringmaster/pool/ask"
)

// Key tells apart the connections that sessions may not share: what a server's reply looks like and
// which database a command meets depend on it.
type Key struct {
	Proto int // 2 or 3
	DB    int
}

// Rings are the connections of one Key to all servers. Loop-only.
type Rings struct {
	key   Key
	pool  *Pool
	conns []*Conn // server-major: conns[server*perServer+i]

	sessions  int
	waiting   int   // their requests in Pool.again
	idleSince int64 // when the last session left, ns
	usable    bool  // a connection has been ready
	refusal   []byte
	cause     error
	failure   error // why the latest connection failed; nil: none has
	waiters   []ask.Client
}

// Key says which rings these are.
func (r *Rings) Key() Key { return r.key }

// Pick gives the connection to server that the session with this number, counted on the loop, always
// uses.
func (r *Rings) Pick(server int, seat uint64) *Conn {
	per := r.pool.cfg.Connections
	if per == 1 {
		return r.conns[server]
	}
	return r.conns[server*per+int(seat%uint64(per))]
}

// Usable reports whether a connection has ever been ready, so that the database exists.
func (r *Rings) Usable() bool { return r.usable }

// Refusal is the error reply with which a server refused the database, or nil.
func (r *Rings) Refusal() []byte { return r.refusal }

// Cause is why no connection could be made, or nil.
func (r *Rings) Cause() error { return r.cause }

// Wait calls w.RingsSettled once the rings are known to be usable or not: at once if they are.
func (r *Rings) Wait(w ask.Client) {
	if r.usable || r.refusal != nil || r.cause != nil {
		w.RingsSettled(r.cause)
		return
	}
	r.waiters = append(r.waiters, w)
}

// Forget takes w off the list of those who wait.
func (r *Rings) Forget(w ask.Client) {
	r.waiters = slices.DeleteFunc(r.waiters, func(o ask.Client) bool { return o == w })
}

// Join counts a session as a user, so that the connections stay.
func (r *Rings) Join() { r.sessions++ }

// Leave counts it out.
func (r *Rings) Leave() {
	if r.sessions--; r.sessions > 0 {
		return
	}
	r.idleSince = r.pool.Now
	if r.Failed() && r.pool.rings[r.key] == r && r != r.pool.Default() {
		r.pool.remove(r) // nobody needs them dialled again and again
	}
}

// idle reports whether no session uses the rings and nothing is owed, not even to a client that is gone:
// nobody watches connections that are given up.
func (r *Rings) idle() bool {
	if r.sessions > 0 || r.waiting > 0 {
		return false
	}
	for _, c := range r.conns {
		if c.ring.Len() > 0 {
			return false
		}
	}
	return true
}

// makeRoom gives up the rings that nobody has used for the longest time; false: all are in use.
func (p *Pool) makeRoom() bool {
	var oldest *Rings
	for key, r := range p.rings {
		if key != (Key{Proto: 2}) && r.idle() && (oldest == nil || r.idleSince < oldest.idleSince) {
			oldest = r
		}
	}
	if oldest == nil {
		return false
	}
	p.remove(oldest)
	return true
}

func (r *Rings) opened() {
	r.usable, r.cause = true, nil
	r.settle()
}

func (r *Rings) refuse(reply []byte) {
	if r.usable {
		return
	}
	r.refusal = slices.Clone(reply)
	r.pool.remove(r)
	r.settle()
}

// failed counts the servers that can't be reached; when that is all of them, nobody need wait on.
func (r *Rings) failed(c *Conn, cause error) {
	if !r.usable && !c.tried {
		c.tried, r.failure = true, cause
		r.judge(cause)
	}
}

// judge ends the wait for rings of which every connection has failed; cause is why if none has been tried.
func (r *Rings) judge(cause error) {
	if r.failure != nil {
		cause = r.failure
	}
	if r.usable || r.cause != nil {
		return
	}
	for _, c := range r.conns {
		if !c.tried && c.state != Retired {
			return
		}
	}
	r.cause = cause
	r.settle()
}

// retry begins anew after a failure, so that who asks now is not told what was true once.
func (r *Rings) retry() {
	if r.usable || r.cause == nil {
		return
	}
	r.cause = nil
	for _, c := range r.conns {
		c.tried = false
		if c.state == Closed {
			c.dial()
		}
	}
}

func (r *Rings) settle() {
	waiters := r.waiters
	r.waiters = nil
	for _, w := range waiters {
		w.RingsSettled(r.cause)
	}
}

// Failed reports whether no connection could be made or the database was refused.
func (r *Rings) Failed() bool { return !r.usable && (r.refusal != nil || r.cause != nil) }
