package pool

import (
	"bytes"
	"strings"

	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/shard"
	"ringmaster/stats"
)

// retryAfter is the pause before a request is sent again to a server that can't answer it yet, ns.
const retryAfter = 20e6

// Target is the server to which an error sends a request at once; ok: it does, and the server is known. asking: it wants to hear ASKING
// first. from is the server that has said so. Loop-only.
func (p *Pool) Target(from int, reply []byte) (server int, asking, ok bool) {
	if !NamesNode(reply) {
		return 0, false, false
	}
	_, addr := named(reply)
	server = p.target(p.servers[from], addr)
	return server, reply[1] == 'A', server >= 0
}

// Resends reports whether requests are sent again when a server can't answer them now. Loop-only.
func (p *Pool) Resends() bool { return p.cfg.Resend }

// Hint tells that the map may be out of date. Loop-only.
func (p *Pool) Hint() {
	if p.cfg.Hint != nil {
		p.cfg.Hint()
	}
}

// redirect sends the head again, or gives its client the error.
func (c *Conn) redirect(e queue.Pending, reply []byte) {
	raw := append(c.pool.copied[:0], c.sent.First(e.Size)...)
	if c.pool.copied = raw; cap(raw) > queue.MaxHistory {
		c.pool.copied = nil
	}
	s := c.server.stats
	s.Replies++
	s.InFlight--
	overtaken := c.pool.mustNotRunAgain(&e)
	c.arrived(&e)
	c.off(c.ring.At(c.ring.Head))
	if overtaken {
		c.pool.giveUp(&resend{request: e}, c.pool.overtakenAt(c.server.index))
		return
	}
	if c.redirected(&e, raw, reply) {
		return
	}
	c.countError(&e, reply)
	c.pool.serving, c.pool.servingOwner = e.Recv, nil
	e.Recv.Reply(e.Tag, reply, ask.Whole)
}

// redirected deals with an error by which a server says that it can't answer a request now, or not there; false: it is the
// client's.
func (c *Conn) redirected(e *queue.Pending, raw, reply []byte) bool {
	switch {
	case e.Is.Has(queue.Reading):
		return c.redirectedRead(e, raw, reply)
	case e.Is.Carrier() != 0 && !e.Is.Has(queue.Wrapped):
		return c.beginDoubt(e, raw, reply)
	}
	p := c.pool
	a, ok := c.anew(e, raw)
	a.refused = true
	if OutOfMemory(reply) { // nothing was queued: sent as it is, the script may be let in (wrapped.go)
		if !ok || p.late(p.Now-e.At) || !a.client.Hold() {
			return false
		}
		if a.last && p.sendNow(&a, c) { // what its client has sent after it would run before it
			return true
		}
		a.wait(c)
		return p.keep(&a)
	}
	if !NamesNode(reply) {
		p.count(&a, reply)
		if reply[1] != 'T' { // TRYAGAIN passes by itself
			p.Hint()
		}
		if !ok || p.late(p.Now+retryAfter-e.At) || !a.client.Hold() {
			return false
		}
		a.wait(c)
		return p.keep(&a)
	}
	if !p.cfg.Cluster {
		return false // it knows no more than we do
	}
	if !ok || e.Is.Has(queue.Blocking) {
		p.giveUp(&a, p.Moved(c.server.index))
		return true
	}
	p.aim(&a, c.server, reply)
	p.count(&a, reply)
	if !a.asking {
		p.Hint()
	}
	atOnce := !a.unnamed && e.Is.Hops() < stats.MaxHops
	switch {
	case !atOnce && p.late(p.Now+retryAfter-e.At) || p.late(p.Now-e.At):
		p.giveUp(&a, p.servers[a.server].timedOutUnsent)
	case !a.client.Hold():
		p.giveUp(&a, p.Moved(c.server.index))
	case atOnce && p.sendNow(&a, c):
		p.stats.Hops[e.Is.Hops()]++
	default:
		a.wait(c)
		if !p.keep(&a) {
			p.giveUp(&a, p.servers[a.server].overloaded)
		}
	}
	return true
}

// aim notes where an error of from sends a. Which server of a shard answers a read is for the read policy.
func (p *Pool) aim(a *resend, from *Server, reply []byte) {
	if !NamesNode(reply) {
		return
	}
	slot, addr := named(reply)
	if slot >= 0 {
		a.slot = slot
	}
	at := p.target(from, addr)
	a.unnamed, a.asking = at < 0, at >= 0 && reply[1] == 'A'
	switch {
	case a.unnamed: // any will say where it is again, when the map has come
	case a.policy != freely:
		a.server = at
	default:
		if a.primary = p.servers[at].primary; a.asking || p.cfg.Reads != shard.ReadReplica {
			a.server = at
		}
	}
}

// count counts what is sent again because of an error, which aim has looked at.
func (p *Pool) count(a *resend, reply []byte) {
	p.stats.Redirects[reason(reply, a.unnamed, a.asking)]++
}

// reason is why a request is sent again after an error.
func reason(reply []byte, unnamed, asking bool) stats.Redirect {
	switch {
	case !NamesNode(reply):
		return stats.RedirectRetry
	case unnamed:
		return stats.RedirectUnknown // nobody has told of that server yet
	case asking:
		return stats.RedirectAsk
	}
	return stats.RedirectMoved
}

// CountRedirect counts what a client sends again because of what a server has said. Loop-only.
func (p *Pool) CountRedirect(from int, reply []byte) {
	_, asking, known := p.Target(from, reply)
	p.stats.Redirects[reason(reply, !known, asking)]++
}

// Moved is the failure of a request to server that can't be sent to where its keys are. Loop-only.
func (p *Pool) Moved(server int) *ask.Failure {
	return &ask.Failure{Kind: ask.Moved, Server: p.servers[server].Name}
}

// late reports whether a request of some age, ns, has to end.
func (p *Pool) late(age int64) bool { return p.cfg.Timeout > 0 && age > int64(p.cfg.Timeout) }

// detour takes a request for a server that can't be reached, of which nothing was sent: its keys may be elsewhere by now, or
// soon. Any other node of a cluster knows; else it waits. It is done, or f says why not.
func (c *Conn) detour(e *queue.Pending, raw []byte, f *ask.Failure) *ask.Failure {
	p := c.pool
	if !p.cfg.Resend || c.own || p.stopped || f.Kind != ask.Down {
		return f
	}
	a, ok := c.anew(e, raw)
	if !ok || !a.client.Hold() {
		return f
	}
	p.Hint()
	if p.sendNow(&a, nil) || p.keep(&a) {
		return nil
	}
	return f
}

// reroute takes a request that can't have reached the server it was for; false: its client is to be told.
func (c *Conn) reroute(e *queue.Pending, raw []byte) bool {
	p := c.pool
	if p.stopped || c.own || p.late(p.Now+retryAfter-e.At) {
		return false
	}
	a, ok := c.anew(e, raw)
	if !ok || !a.client.Hold() {
		return false
	}
	c.arrived(e)
	e.Is = e.Is.WithHops(0)
	if !p.keep(&a) {
		return false
	}
	p.Hint()
	e.Recv = nil
	return true
}

// target is the number of the server with an address; -1: there is none. Without a host it is on that of who says so. An IPv6
// address has no brackets there.
func (p *Pool) target(from *Server, addr []byte) int {
	switch i := bytes.LastIndexByte(addr, ':'); {
	case i == 0:
		host := from.Addr[:max(0, strings.LastIndexByte(from.Addr, ':'))]
		p.named = append(append(p.named[:0], host...), addr...)
		addr = p.named
	case i > 0 && addr[0] != '[' && bytes.IndexByte(addr[:i], ':') >= 0:
		p.named = append(append(append(append(p.named[:0], '['), addr[:i]...), ']'), addr[i:]...)
		addr = p.named
	}
	return p.serverAt(addr)
}
