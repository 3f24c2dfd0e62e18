package pool

import (
	"bytes"
	"strings"

	"ringmaster/parser"
	"ringmaster/shard"
	"ringmaster/stats"
)

// retryAfter is the pause before a request is sent again to a server that can't answer it yet, ns.
const retryAfter = 20e6

// Elsewhere reports whether an error may say that a request can't be answered now, or not there. A script that such an error
// has stopped may have written before: servers from Redis 7 and Valkey on say where it was stopped, older ones begin with ERR.
func Elsewhere(b []byte) bool {
	for _, word := range []string{"-MOVED ", "-ASK ", "-TRYAGAIN ", "-CLUSTERDOWN ", "-LOADING ", "-MASTERDOWN ", "-READONLY "} {
		if len(b) > len(word) && string(b[:len(word)]) == word {
			return !bytes.Contains(b, stoppedScript)
		}
	}
	return false
}

var stoppedScript = []byte(" script: ")

// NamesNode reports whether an error tells of a node of the cluster, which is nothing for clients: they know none.
func NamesNode(b []byte) bool {
	return bytes.HasPrefix(b, []byte("-MOVED ")) || bytes.HasPrefix(b, []byte("-ASK "))
}

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

// named takes the hash slot and the address out of MOVED or ASK; slot -1: there is none.
func named(reply []byte) (slot int, addr []byte) {
	_, rest, _ := bytes.Cut(bytes.TrimRight(reply, "\r\n"), []byte(" "))
	digits, addr, _ := bytes.Cut(rest, []byte(" "))
	n, ok := parser.Int(digits)
	if !ok || n < 0 || n >= shard.Slots {
		return -1, addr
	}
	return int(n), addr
}

// Resends reports whether requests are sent again when a server can't answer them now. Loop-only.
func (p *Pool) Resends() bool { return p.cfg.Resend }

// Hint tells that the map may be out of date. Loop-only.
func (p *Pool) Hint() {
	if p.cfg.Hint != nil {
		p.cfg.Hint()
	}
}

// follow sends the head again, or gives its client the error.
func (c *Conn) follow(e pending, reply []byte) {
	raw := append(c.pool.copied[:0], c.sent.first(e.size)...)
	if c.pool.copied = raw; cap(raw) > maxHistory {
		c.pool.copied = nil
	}
	s := c.server.stats
	s.Replies++
	s.InFlight--
	outrun := c.pool.outrun(&e)
	c.arrived(&e)
	c.off(c.ring.at(c.ring.head))
	if outrun {
		c.pool.giveUp(&again{request: e}, c.pool.overtakenAt(c.server.index))
		return
	}
	if c.redirected(&e, raw, reply) {
		return
	}
	c.countError(&e, reply)
	c.pool.serving, c.pool.servingOwner = e.recv, nil
	e.recv.Reply(e.tag, reply, Whole)
}

// redirected deals with an error by which a server says that it can't answer a request now, or not there; false: it is the
// client's.
func (c *Conn) redirected(e *pending, raw, reply []byte) bool {
	switch {
	case e.is.has(reading):
		return c.redirectedRead(e, raw, reply)
	case e.is.carrier() != 0 && !e.is.has(wrapped):
		return c.beginDoubt(e, raw, reply)
	}
	p := c.pool
	a, ok := c.anew(e, raw)
	a.refused = true
	if OutOfMemory(reply) { // nothing was queued: sent as it is, the script may be let in (wrapped.go)
		if !ok || p.late(p.Now-e.at) || !a.client.Hold() {
			return false
		}
		if a.last && p.sendNow(&a, c) { // what its client has sent after it would run before it
			return true
		}
		a.wait(c)
		return p.put(&a)
	}
	if !NamesNode(reply) {
		p.stats.Redirects[stats.RedirectRetry]++
		if reply[1] != 'T' { // TRYAGAIN passes by itself
			p.Hint()
		}
		if !ok || p.late(p.Now+retryAfter-e.at) || !a.client.Hold() {
			return false
		}
		a.wait(c)
		return p.put(&a)
	}
	if !p.cfg.Cluster {
		return false // it knows no more than we do
	}
	if !ok || e.is.has(blocking) {
		p.giveUp(&a, p.Moved(c.server.index))
		return true
	}
	p.aim(&a, c.server, reply)
	switch st := &p.stats.Redirects; {
	case a.unnamed:
		st[stats.RedirectUnknown]++ // nobody has told of that server yet
	case a.asking:
		st[stats.RedirectAsk]++
	default:
		st[stats.RedirectMoved]++
	}
	if !a.asking {
		p.Hint()
	}
	atOnce := !a.unnamed && e.is.hops() < stats.MaxHops
	switch {
	case !atOnce && p.late(p.Now+retryAfter-e.at) || p.late(p.Now-e.at):
		p.giveUp(&a, p.servers[a.server].timedOutUnsent)
	case !a.client.Hold():
		p.giveUp(&a, p.Moved(c.server.index))
	case atOnce && p.sendNow(&a, c):
		p.stats.Hops[e.is.hops()]++
	default:
		a.wait(c)
		if !p.put(&a) {
			p.giveUp(&a, p.servers[a.server].overloaded)
		}
	}
	return true
}

// aim notes where an error of from sends a.
func (p *Pool) aim(a *again, from *Server, reply []byte) {
	if !NamesNode(reply) {
		return
	}
	slot, addr := named(reply)
	if slot >= 0 {
		a.slot = slot
	}
	at := p.target(from, addr)
	a.asking = at >= 0 && reply[1] == 'A'
	if a.unnamed = at < 0; !a.unnamed {
		a.server = at
	}
}

// Moved is the failure of a request to server that can't be sent to where its keys are. Loop-only.
func (p *Pool) Moved(server int) *Failure {
	return &Failure{Kind: Moved, Server: p.servers[server].Name}
}

// late reports whether a request of some age, ns, has to end.
func (p *Pool) late(age int64) bool { return p.cfg.Timeout > 0 && age > int64(p.cfg.Timeout) }

// detour takes a request for a server that can't be reached, of which nothing was sent: its keys may be elsewhere by now, or
// soon. Any other node of a cluster knows; else it waits. It is done, or f says why not.
func (c *Conn) detour(e *pending, raw []byte, f *Failure) *Failure {
	p := c.pool
	if !p.cfg.Resend || c.own || p.stopped || f.Kind != Down {
		return f
	}
	a, ok := c.anew(e, raw)
	if !ok || !a.client.Hold() {
		return f
	}
	p.Hint()
	if p.sendNow(&a, nil) || p.put(&a) {
		return nil
	}
	return f
}

// reroute takes a request that can't have reached the server it was for; false: its client is to be told.
func (c *Conn) reroute(e *pending, raw []byte) bool {
	p := c.pool
	if p.stopped || c.own || p.late(p.Now+retryAfter-e.at) {
		return false
	}
	a, ok := c.anew(e, raw)
	if !ok || !a.client.Hold() {
		return false
	}
	c.arrived(e)
	e.is = e.is.withHops(0)
	if !p.put(&a) {
		return false
	}
	p.Hint()
	e.recv = nil
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
