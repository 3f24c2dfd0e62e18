package pool

import (
	"slices"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
)

// ringsOf are the rings to which a connection that sessions share belongs; nil: they are given up.
func (p *Pool) ringsOf(c *conn.Conn) *Rings {
	if r := p.rings[c.Group.ForKey]; r != nil && &r.Group == c.Group {
		return r
	}
	return nil
}

// Key says which rings these are.
func (r *Rings) Key() conn.Key { return r.ForKey }

// Pick gives the connection to server that the session with this number, counted on the loop, always
// uses.
func (r *Rings) Pick(server int, seat uint64) *conn.Conn {
	per := r.pool.Config.Connections
	if per == 1 {
		return r.conns[server]
	}
	return r.conns[server*per+int(seat%uint64(per))]
}

// Usable reports whether a connection has ever been ready, so that the database exists.
func (r *Rings) Usable() bool { return r.Works }

// Refusal is the error reply with which a server refused the database, or nil.
func (r *Rings) Refusal() []byte { return r.Refused }

// Cause is why no connection could be made, or nil.
func (r *Rings) Cause() error { return r.cause }

// Wait calls w.RingsSettled once the rings are known to be usable or not: at once if they are.
func (r *Rings) Wait(w ask.Client) {
	if r.Works || r.Refused != nil || r.cause != nil {
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
	r.IdleSince = r.pool.Now
	if r.Failed() && r.pool.rings[r.ForKey] == r && r != r.pool.Default() {
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
		if c.Ring.Len() > 0 {
			return false
		}
	}
	return true
}

// makeRoom gives up the rings that nobody has used for the longest time; false: all are in use.
func (p *Pool) makeRoom() bool {
	var oldest *Rings
	for key, r := range p.rings {
		if key != (conn.Key{Proto: 2}) && r.idle() && (oldest == nil || r.IdleSince < oldest.IdleSince) {
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
	r.Works, r.cause = true, nil
	r.settle()
}

func (r *Rings) refuse(reply []byte) {
	if r.Works {
		return
	}
	r.Refused = slices.Clone(reply)
	r.pool.remove(r)
	r.settle()
}

// failed counts the servers that can't be reached; when that is all of them, nobody need wait on.
func (r *Rings) failed(c *conn.Conn, cause error) {
	if !r.Works && !c.Tried {
		c.Tried, r.failure = true, cause
		r.judge(cause)
	}
}

// judge ends the wait for rings of which every connection has failed; cause is why if none has been tried.
func (r *Rings) judge(cause error) {
	if r.failure != nil {
		cause = r.failure
	}
	if r.Works || r.cause != nil {
		return
	}
	for _, c := range r.conns {
		if !c.Tried && c.State() != conn.Retired {
			return
		}
	}
	r.cause = cause
	r.settle()
}

// retry begins anew after a failure, so that who asks now is not told what was true once.
func (r *Rings) retry() {
	if r.Works || r.cause == nil {
		return
	}
	r.cause = nil
	for _, c := range r.conns {
		c.Tried = false
		if c.State() == conn.Closed {
			c.Dial()
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
func (r *Rings) Failed() bool { return !r.Works && (r.Refused != nil || r.cause != nil) }

// remove drops rings whose database the servers refused.
func (p *Pool) remove(r *Rings) {
	if r.Refused != nil && r.ForKey.DB < p.maxDB {
		p.maxDB, p.noDB = r.ForKey.DB, r.Refused
	}
	delete(p.rings, r.ForKey)
	for _, c := range r.conns {
		c.Drain()
	}
}

// idleRings is how long the connections of a protocol and database stay when no session uses
// them, in ns. Those of protocol 2, database 0 stay always.
const idleRings = 60e9

// of are the connections to a server.
func (r *Rings) of(server int) []*conn.Conn {
	return r.conns[server*r.pool.Config.Connections : (server+1)*r.pool.Config.Connections]
}
