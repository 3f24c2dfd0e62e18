package pool

import (
	"bytes"
	"strings"

	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/pool/queue"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Target is the server to which an error sends a request at once; ok: it does, and the server is known. asking: it wants to hear ASKING
// first. from is the server that has said so. Loop-only.
func (p *Pool) Target(from int, reply []byte) (server int, asking, ok bool) {
	if !answer.NamesNode(reply) {
		return 0, false, false
	}
	_, addr := answer.Named(reply)
	server = p.target(p.servers[from], addr)
	return server, reply[1] == 'A', server >= 0
}

// Resends reports whether requests are sent again when a server can't answer them now. Loop-only.
func (p *Pool) Resends() bool { return p.Config.Resend }

// redirect sends the head again, or gives its client the error.
func (p *Pool) redirect(c *conn.Conn, e queue.Pending, reply []byte) {
	overtaken := p.MustNotRunAgain(&e)
	raw := c.TakeHead(p.copied[:0], &e)
	if p.copied = raw; cap(raw) > queue.MaxHistory {
		p.copied = nil
	}
	if overtaken {
		p.giveUp(&resend{request: e}, p.overtakenAt(c.Server().Index()))
		return
	}
	if p.redirected(c, &e, raw, reply) {
		return
	}
	c.CountError(&e, reply)
	p.GiveReply(e.Recv, e.Tag, reply, ask.Whole)
}

// redirected deals with an error by which a server says that it can't answer a request now, or not there; false: it is the
// client's.
func (p *Pool) redirected(c *conn.Conn, e *queue.Pending, raw, reply []byte) bool {
	switch {
	case e.Is.Has(queue.Reading):
		return p.redirectedRead(c, e, raw, reply)
	case e.Is.Carrier() != 0 && !e.Is.Has(queue.Wrapped):
		return p.beginDoubt(c, e, raw, reply)
	}
	a, ok := p.anew(c, e, raw)
	a.refused = true
	if answer.OutOfMemory(reply) { // nothing was queued: sent as it is, the script may be let in (conn/wrapped.go)
		if !ok || p.Late(p.Now-e.At) || !a.client.Hold() {
			return false
		}
		if a.last && p.sendNow(&a, c) { // what its client has sent after it would run before it
			return true
		}
		a.wait(c)
		return p.keep(&a)
	}
	if !answer.NamesNode(reply) {
		p.count(&a, reply)
		if reply[1] != 'T' { // TRYAGAIN passes by itself
			p.Hint()
		}
		if !ok || p.Late(p.Now+retryAfter-e.At) || !a.client.Hold() {
			return false
		}
		a.wait(c)
		return p.keep(&a)
	}
	if !p.Config.Cluster {
		return false // it knows no more than we do
	}
	if !ok || e.Is.Has(queue.Blocking) {
		p.giveUp(&a, p.Moved(c.Server().Index()))
		return true
	}
	p.aim(&a, c.Server(), reply)
	p.count(&a, reply)
	if !a.asking {
		p.Hint()
	}
	atOnce := !a.unnamed && e.Is.Hops() < stats.MaxHops
	switch {
	case !atOnce && p.Late(p.Now+retryAfter-e.At) || p.Late(p.Now-e.At):
		p.giveUp(&a, p.servers[a.server].TimedOutUnsent)
	case !a.client.Hold():
		p.giveUp(&a, p.Moved(c.Server().Index()))
	case atOnce && p.sendNow(&a, c):
		p.Counters.Hops[e.Is.Hops()]++
	default:
		a.wait(c)
		if !p.keep(&a) {
			p.giveUp(&a, p.servers[a.server].Overloaded)
		}
	}
	return true
}

// aim notes where an error of from sends a. Which server of a shard answers a read is for the read policy.
func (p *Pool) aim(a *resend, from *conn.Server, reply []byte) {
	if !answer.NamesNode(reply) {
		return
	}
	slot, addr := answer.Named(reply)
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
		if a.primary = p.servers[at].Primary; a.asking || p.Config.Reads != shard.ReadReplica {
			a.server = at
		}
	}
}

// count counts what is sent again because of an error, which aim has looked at.
func (p *Pool) count(a *resend, reply []byte) {
	p.Counters.Redirects[reason(reply, a.unnamed, a.asking)]++
}

// reason is why a request is sent again after an error.
func reason(reply []byte, unnamed, asking bool) stats.Redirect {
	switch {
	case !answer.NamesNode(reply):
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
	p.Counters.Redirects[reason(reply, !known, asking)]++
}

// Moved is the failure of a request to server that can't be sent to where its keys are. Loop-only.
func (p *Pool) Moved(server int) *ask.Failure {
	return &ask.Failure{Kind: ask.Moved, Server: p.servers[server].Name}
}

// detour takes a request for a server that can't be reached, of which nothing was sent: its keys may be elsewhere by now, or
// soon. It goes to any other node of a cluster, which knows where they are; without one it waits. nil: detour has taken
// it. Otherwise the failure is for its client.
func (p *Pool) detour(c *conn.Conn, e queue.Pending, raw []byte, f *ask.Failure) *ask.Failure {
	if !p.Config.Resend || c.Own() || p.Stopped || f.Kind != ask.Down {
		return f
	}
	a, ok := p.anew(c, &e, raw)
	if !ok || !a.client.Hold() {
		return f
	}
	p.Hint()
	if p.sendNow(&a, nil) || p.keep(&a) {
		return nil
	}
	return f
}

// save takes a request that has failed with f, if it can go elsewhere; false: it can't.
func (p *Pool) save(c *conn.Conn, e *queue.Pending, raw []byte, f *ask.Failure) bool {
	if e.Is.Has(queue.Reading) {
		return p.readAgain(c, e, raw)
	}
	return !f.Sent && !p.MustNotRunAgain(e) && p.reroute(c, e, raw)
}

// reroute takes a request that can't have reached the server it was for; false: its client is to be told.
func (p *Pool) reroute(c *conn.Conn, e *queue.Pending, raw []byte) bool {
	if p.Stopped || c.Own() || p.Late(p.Now+retryAfter-e.At) {
		return false
	}
	a, ok := p.anew(c, e, raw)
	if !ok || !a.client.Hold() {
		return false
	}
	c.Arrived(e)
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
func (p *Pool) target(from *conn.Server, addr []byte) int {
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
