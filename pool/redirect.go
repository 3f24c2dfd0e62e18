package pool

import (
	"bytes"
	"strings"

	"ringmaster/stats"
)

// Holder is a Receiver whose later requests must wait: the one under way is sent again, and they must not overtake it.
type Holder interface{ Hold() }

const (
	// maxHops bounds how often one request is sent again because of what servers say.
	maxHops = 16
	// retryAfter is the pause before a request is sent again to a server that can't answer it yet, ns.
	retryAfter = 20e6
)

// again is a request that waits to be sent again.
type again struct {
	raw     []byte
	request pending
	rings   *Rings
	nth     int
	server  int
	asking  bool
	at      int64 // when to send it
}

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

// Target is the server to which an error sends a request at once; ok: it does, and the server is known. asking: it wants to hear ASKING
// first. from is the server that has said so. Loop-only.
func (p *Pool) Target(from int, reply []byte) (server int, asking, ok bool) {
	word, rest, _ := bytes.Cut(bytes.TrimRight(reply[1:], "\r\n"), []byte(" "))
	asking = string(word) == "ASK"
	if !asking && string(word) != "MOVED" {
		return 0, false, false
	}
	_, addr, _ := bytes.Cut(rest, []byte(" "))
	server = p.target(p.servers[from], addr)
	return server, asking, server >= 0
}

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
	s := &c.pool.stats.Servers[c.server.index]
	s.Replies++
	s.InFlight--
	c.off(c.ring.at(c.ring.head))
	if c.redirected(&e, raw, reply) {
		return
	}
	c.countError(&e, reply)
	if e.cmd != Part {
		c.pool.stats.Call(e.cmd, c.pool.Now-e.at)
	}
	e.recv.Reply(e.tag, reply, Whole)
}

// redirected deals with an error by which a server says that it can't answer a request now, or not there; false: it is the
// client's.
func (c *Conn) redirected(e *pending, raw, reply []byte) bool {
	p := c.pool
	word, _, _ := bytes.Cut(reply[1:], []byte(" "))
	a := again{request: *e, rings: c.rings, nth: c.nth, server: c.server.index}
	st := &p.stats.Redirects
	switch string(word) {
	case "MOVED", "ASK":
		var known bool
		if a.server, a.asking, known = p.Target(c.server.index, reply); !known {
			// Nobody has told of that server yet: any will say where it is again, when the map has come.
			st[stats.RedirectUnknown]++
			a.server, a.asking, a.at = c.server.index, false, p.Now+retryAfter
		} else if a.asking {
			st[stats.RedirectAsk]++
		} else {
			st[stats.RedirectMoved]++
		}
		if !a.asking {
			p.Hint()
		}
	case "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY":
		st[stats.RedirectRetry]++
		a.at = p.Now + retryAfter
		if word[0] != 'T' {
			p.Hint()
		}
	default:
		return false
	}
	if a.at == 0 && a.request.hops < maxHops {
		a.request.hops++
	} else {
		a.at = max(a.at, p.Now+retryAfter)
		a.request.hops = 0
	}
	named := string(word) == "MOVED" || string(word) == "ASK" // not for clients, which know no nodes
	if limit := int64(p.cfg.Timeout); limit > 0 && a.at-e.at > limit {
		if named {
			p.giveUp(&a, p.servers[a.server].timedOutUnsent)
		}
		return named
	}
	if h, ok := e.recv.(Holder); ok {
		h.Hold()
	}
	if a.at == 0 && p.resend(&a, raw) || p.put(&a, raw) {
		return true
	}
	if named {
		p.giveUp(&a, p.servers[a.server].overloaded)
	}
	return named
}

// put keeps a request until it can be sent; false: too many are kept.
func (p *Pool) put(a *again, raw []byte) bool {
	if len(p.again) >= p.cfg.MaxPending || p.waits+len(raw) > max(p.cfg.MaxPendingBytes, len(raw)) {
		return false
	}
	a.raw = bytes.Clone(raw)
	p.waits += len(raw)
	a.at = max(a.at, p.Now+retryAfter)
	p.again = append(p.again, *a)
	return true
}

// detour takes a request for a server that can't be reached, of which nothing was sent: its keys may be elsewhere by now, or
// soon. Any other node knows. It is done, or f says why not.
func (c *Conn) detour(raw []byte, recv Receiver, tag uint64, cmd uint16, f *Failure) *Failure {
	p := c.pool
	if !p.cfg.Cluster || c.own || p.stopped || f.Kind != Down {
		return f
	}
	p.Hint()
	a := again{request: pending{recv: recv, tag: tag, cmd: cmd, at: p.Now}, rings: c.rings, nth: c.nth, server: c.server.index}
	if h, ok := recv.(Holder); ok {
		h.Hold()
	}
	if p.resend(&a, raw) || p.put(&a, raw) {
		return nil
	}
	return f
}

// target is the number of the server with an address; -1: there is none. Without a host it is on that of who says so.
func (p *Pool) target(from *Server, addr []byte) int {
	if len(addr) > 0 && addr[0] == ':' {
		if i := strings.LastIndexByte(from.Addr, ':'); i >= 0 {
			addr = append([]byte(from.Addr[:i]), addr...)
		}
	}
	return p.serverAt(addr)
}

// resend puts a request behind what the server's connection has; false: that connection takes none now.
func (p *Pool) resend(a *again, raw []byte) bool {
	to := a.rings.conns[a.server*p.cfg.Connections+a.nth]
	if to.state != Ready {
		if to = a.rings.ready(a.nth); to == nil {
			return false
		}
		a.asking = false
	}
	requests := 1
	if a.asking {
		requests = 2
	}
	if to.admit(len(raw), requests) != nil {
		return false
	}
	if a.asking {
		_ = to.Tell("ASKING")
	}
	to.out.write(raw)
	to.owe(len(raw), a.request.recv, a.request.tag, a.request.cmd)
	to.remember(raw)
	e := to.ring.at(to.ring.tail - 1)
	e.at, e.hops = a.request.at, a.request.hops
	return true
}

// reroute takes a request that can't have reached the server it was for; false: its client is to be told.
func (c *Conn) reroute(e *pending, raw []byte) bool {
	p := c.pool
	if p.stopped {
		return false
	}
	a := again{request: *e, rings: c.rings, nth: c.nth, server: c.server.index}
	if limit := int64(p.cfg.Timeout); limit > 0 && p.Now+retryAfter-e.at > limit || !p.put(&a, raw) {
		return false
	}
	p.Hint()
	if h, ok := e.recv.(Holder); ok {
		h.Hold()
	}
	e.recv = nil
	return true
}

// ready is a connection to any server that can answer, which knows where a key is; nil: there is none.
func (r *Rings) ready(nth int) *Conn {
	for i := nth; i < len(r.conns); i += r.pool.cfg.Connections {
		if r.conns[i].state == Ready {
			return r.conns[i]
		}
	}
	return nil
}

// tickAgain sends again what has waited long enough, and ends what has waited for too long.
func (p *Pool) tickAgain() {
	if len(p.again) == 0 {
		return
	}
	waiting := p.again
	p.again = nil
	for i := range waiting {
		a := &waiting[i]
		switch {
		case p.stopped:
			p.giveUp(a, p.servers[a.server].stopping)
		case p.cfg.Timeout > 0 && p.Now-a.request.at > int64(p.cfg.Timeout):
			p.giveUp(a, p.servers[a.server].timedOutUnsent)
		case p.Now < a.at || !p.resend(a, a.raw):
			p.again = append(p.again, *a)
			continue
		}
		p.waits -= len(a.raw)
	}
}

func (p *Pool) giveUp(a *again, f *Failure) {
	if a.request.cmd != Part {
		p.stats.Error(a.request.cmd, errorLine)
		p.stats.Call(a.request.cmd, p.Now-a.request.at)
	}
	a.request.recv.Fail(a.request.tag, f)
}
