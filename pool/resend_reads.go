package pool

import (
	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// maxElsewhere bounds how often a read is sent elsewhere at once; where all servers say the same, it must wait.
const maxElsewhere = 3

// asRead is a read of this connection as it would be sent again; false: it can't be. Borrows raw.
func (p *Pool) asRead(c *conn.Conn, e *queue.Pending, raw []byte) (resend, bool) {
	rings := p.rings[c.Group.ForKey]
	return resend{policy: freely, raw: raw, request: *e, rings: rings, nth: c.Nth, primary: c.Server().Primary, server: -1}, rings != nil && len(raw) > 0
}

// await has what the client of a read sends next wait.
func (a *resend) await() {
	if client, _, ok := a.request.Client(); ok {
		client.Await()
	}
}

// readAgain sends a read again that was lost with its connection, or whose server is not fit any more; false: it can't be, and its
// client must be told.
func (p *Pool) readAgain(c *conn.Conn, e *queue.Pending, raw []byte) bool {
	a, ok := p.asRead(c, e, raw)
	a.sent = true
	if !ok || p.Stopped || p.Late(p.Now-e.At) || !p.readElsewhere(&a, c.Server()) && !p.keep(&a) {
		return false
	}
	p.Hint()
	a.await()
	e.Recv = nil
	return true
}

// redirectedRead is redirected for a read.
func (p *Pool) redirectedRead(c *conn.Conn, e *queue.Pending, raw, reply []byte) bool {
	named := answer.NamesNode(reply)
	a, ok := p.asRead(c, e, raw)
	a.sent = true
	if !ok || named && !p.Config.Cluster {
		return false
	}
	p.aim(&a, c.Server(), reply)
	p.count(&a, reply)
	if reply[1] != 'T' && !a.asking { // TRYAGAIN passes by itself
		p.Hint()
	}
	switch {
	case p.Late(p.Now + retryAfter - e.At):
		if named {
			p.giveUp(&a, c.Server().TimedOutUnsent)
		}
		return named
	case a.server >= 0 && e.Is.Hops() < stats.MaxHops && p.sendRead(&a, a.rings.readyTo(a.server, a.nth)):
		p.Counters.Hops[e.Is.Hops()]++
	case a.server < 0 && reply[1] != 'T' && p.readElsewhere(&a, c.Server()):
	case !p.keep(&a):
		if named {
			p.giveUp(&a, c.Server().Overloaded)
		}
		return named
	}
	a.await()
	return true
}

// readElsewhere sends a read to another server of its shard at once; false: there is none now.
func (p *Pool) readElsewhere(a *resend, avoid *conn.Server) bool {
	if a.request.Is.Hops() >= maxElsewhere {
		return false
	}
	to := a.rings.pickRead(a.primary, uint64(a.nth), avoid)
	if to == nil || to.Server() == avoid || !p.sendRead(a, to) {
		return false
	}
	p.Counters.Redirects[stats.RedirectRead]++
	return true
}

// sendRead is send for a read; false: to takes none now, or is nil.
func (p *Pool) sendRead(a *resend, to *conn.Conn) bool {
	if to == nil || to.State() != conn.Ready || to.Admit(len(a.raw), 2) != nil {
		return false
	}
	if a.asking && to.Server().Index() == a.server {
		_ = to.Tell("ASKING")
	}
	to.PutRead(a.raw, a.request.Recv, a.request.Tag, a.request.Keys)
	to.Backdate(to.Ring.Tail-1, 1, a.request.At)
	p.sentAgain(a, to, to.Ring.Latest())
	return true
}

// waitToRead keeps a read that could not be sent because of f. nil: it is kept. Otherwise the failure is for its client.
func (p *Pool) waitToRead(a *resend, f *ask.Failure) *ask.Failure {
	if hopeless := p.hopeless(a); hopeless != nil {
		return hopeless
	}
	if !p.keep(a) {
		return f
	}
	p.Hint()
	a.await()
	return nil
}

// toRead is the connection for a: to the server that was named, to one that the policy names, or in front of a cluster to any
// other, which knows better; nil: there is none.
func (p *Pool) toRead(a *resend) *conn.Conn {
	if a.server >= 0 {
		if c := a.rings.readyTo(a.server, a.nth); c != nil {
			return c
		}
	}
	to := a.rings.pickRead(a.primary, uint64(a.nth), nil)
	if to != nil && to.State() != conn.Ready && p.Config.Cluster {
		return a.rings.ready(a.nth)
	}
	return to
}

// hopeless says why a read need not wait any longer: no server of its shard can be reached or read from; nil: it may wait. Where
// servers change (Config.Resend) the map may name others soon.
func (p *Pool) hopeless(a *resend) *ask.Failure {
	if a.server >= 0 {
		return nil
	}
	f := p.servers[a.primary].NoReplica
	if to := a.rings.pickRead(a.primary, uint64(a.nth), nil); to != nil {
		if f = to.Admit(0, 1); to.HeardSinceFailure() {
			return nil
		}
	}
	if f == nil || f.Kind != ask.NoReplica && (f.Kind != ask.Down || p.Config.Resend) {
		return nil
	}
	for _, i := range p.m.Replicas(a.primary) {
		if a.rings.Pick(i, uint64(a.nth)).HealthStale() {
			return nil
		}
	}
	return f
}
