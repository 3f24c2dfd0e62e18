package pool

import (
	"bytes"

	"ringmaster/shard"
	"ringmaster/stats"
)

// maxElsewhere bounds how often a read is sent elsewhere at once; where all servers say the same, it must wait.
const maxElsewhere = 3

// lostRead is a read that is sent again, or waits for it. Reads may overtake each other, and what goes to other servers: their
// policy has them go to several at once.
type lostRead struct {
	raw     []byte
	request pending
	rings   *Rings
	nth     int
	home    int // the primary whose keys it reads
	server  int // where a node has sent it; below 0: it goes by the policy
	asking  bool
	sent    bool  // a server has had it
	at      int64 // when to send it, ns
}

// lostRead is a read of this connection as it would be sent again; false: it can't be. Borrows raw.
func (c *Conn) lostRead(e *pending, raw []byte) (lostRead, bool) {
	rings := c.pool.rings[c.rings.key]
	return lostRead{raw: raw, request: *e, rings: rings, nth: c.nth, home: c.server.home, server: -1}, rings != nil && len(raw) > 0
}

func (l *lostRead) await() {
	if client, _, ok := l.request.client(); ok {
		client.Await()
	}
}

// readAgain sends a read again that was lost with its connection, or whose server is not fit any more; false: it can't be, and its
// client must be told.
func (c *Conn) readAgain(e *pending, raw []byte) bool {
	p := c.pool
	l, ok := c.lostRead(e, raw)
	l.sent = true
	if !ok || p.stopped || p.late(p.Now-e.at) || !p.readElsewhere(&l, c.server) && !p.putRead(&l) {
		return false
	}
	p.Hint()
	l.await()
	e.recv = nil
	return true
}

// redirectedRead is redirected for a read.
func (c *Conn) redirectedRead(e *pending, raw, reply []byte) bool {
	p, named := c.pool, NamesNode(reply)
	l, ok := c.lostRead(e, raw)
	l.sent = true
	if !ok || named && !p.cfg.Cluster {
		return false
	}
	if named {
		p.goTo(&l, c.server, reply)
	} else {
		p.stats.Redirects[stats.RedirectRetry]++
	}
	if reply[1] != 'T' && !l.asking { // TRYAGAIN passes by itself
		p.Hint()
	}
	switch {
	case p.late(p.Now + retryAfter - e.at):
		if named {
			p.giveUpRead(&l, c.server.timedOutUnsent)
		}
		return named
	case l.server >= 0 && e.is.hops() < stats.MaxHops && p.resendRead(&l, l.rings.at(l.server, l.nth)):
		p.stats.Hops[e.is.hops()]++
	case l.server < 0 && reply[1] != 'T' && p.readElsewhere(&l, c.server):
	case !p.putRead(&l):
		if named {
			p.giveUpRead(&l, c.server.overloaded)
		}
		return named
	}
	l.await()
	return true
}

// goTo notes where a node has sent a read. Which server of a shard answers is for the policy.
func (p *Pool) goTo(l *lostRead, from *Server, reply []byte) {
	_, addr := named(reply)
	at := p.target(from, addr)
	st := &p.stats.Redirects
	switch l.asking = at >= 0 && reply[1] == 'A'; {
	case at < 0:
		st[stats.RedirectUnknown]++ // any will say where it is again, when the map has come
		return
	case l.asking:
		st[stats.RedirectAsk]++
	default:
		st[stats.RedirectMoved]++
	}
	if l.home = p.servers[at].home; l.asking || p.cfg.Reads != shard.ReadReplica {
		l.server = at
	}
}

// readElsewhere sends a read to another server of its shard at once; false: there is none now.
func (p *Pool) readElsewhere(l *lostRead, avoid *Server) bool {
	if l.request.is.hops() >= maxElsewhere {
		return false
	}
	to := l.rings.pickRead(l.home, uint64(l.nth), avoid)
	if to == nil || to.server == avoid || !p.resendRead(l, to) {
		return false
	}
	p.stats.Redirects[stats.RedirectRead]++
	return true
}

// resendRead puts a read behind what to has; false: that takes none now, or is nil.
func (p *Pool) resendRead(l *lostRead, to *Conn) bool {
	if to == nil || to.state != Ready || to.admit(len(l.raw), 2) != nil {
		return false
	}
	if l.asking && to.server.index == l.server {
		_ = to.Tell("ASKING")
	}
	to.putRead(l.raw, l.request.recv, l.request.tag, l.request.keys)
	e := to.ring.at(to.ring.tail - 1)
	e.at, e.is = l.request.at, e.is.withHops(l.request.is.hops()+1)
	to.early = true
	return true
}

// waitToRead keeps a read that could not be sent because of f. nil: it is kept; else the failure is for its client.
func (p *Pool) waitToRead(l *lostRead, f *Failure) *Failure {
	if hopeless := p.hopeless(l); hopeless != nil {
		return hopeless
	}
	if !p.putRead(l) {
		return f
	}
	p.Hint()
	l.await()
	return nil
}

// putRead keeps a read until it can be sent; false: too many are kept. Borrows l.raw until return.
func (p *Pool) putRead(l *lostRead) bool {
	if len(p.reads) >= p.cfg.MaxPending || p.readBytes > 0 && p.readBytes+len(l.raw) > p.cfg.MaxPendingBytes {
		return false
	}
	l.raw, l.at = bytes.Clone(l.raw), p.Now+retryAfter
	p.readBytes += len(l.raw)
	l.rings.waiting++
	p.reads = append(p.reads, *l)
	return true
}

// tickReads sends again what has waited long enough, and ends what has waited for too long, or in vain.
func (p *Pool) tickReads() {
	waiting := p.reads
	p.reads = nil
	for i := range waiting {
		l := &waiting[i]
		var f *Failure
		switch {
		case p.stopped:
			f = p.servers[l.home].stopping
		case p.late(p.Now - l.request.at):
			f = p.servers[l.home].timedOutUnsent
		case p.Now < l.at:
			p.reads = append(p.reads, *l)
			continue
		default:
			l.request.is = l.request.is.withHops(0)
			if p.resendRead(l, p.toRead(l)) {
				break
			}
			if f = p.hopeless(l); f == nil {
				p.reads = append(p.reads, *l)
				continue
			}
		}
		p.readBytes -= len(l.raw)
		l.rings.waiting--
		if f != nil {
			p.giveUpRead(l, f)
		}
	}
}

// toRead is the connection for l: to the server that was named, to one that the policy names, or in front of a cluster to any
// other, which knows better; nil: there is none.
func (p *Pool) toRead(l *lostRead) *Conn {
	if l.server >= 0 {
		if c := l.rings.at(l.server, l.nth); c != nil {
			return c
		}
	}
	to := l.rings.pickRead(l.home, uint64(l.nth), nil)
	if to != nil && to.state != Ready && p.cfg.Cluster {
		return l.rings.ready(l.nth)
	}
	return to
}

// hopeless says why a read need not wait any longer: no server of its shard can be reached or read from; nil: it may wait. Where
// servers change (Config.Resend) the map may name others soon.
func (p *Pool) hopeless(l *lostRead) *Failure {
	if l.server >= 0 {
		return nil
	}
	f := p.servers[l.home].noReplica
	if to := l.rings.pickRead(l.home, uint64(l.nth), nil); to != nil {
		if f = to.admit(0, 1); to.answers() {
			return nil
		}
	}
	if f == nil || f.Kind != NoReplica && (f.Kind != Down || p.cfg.Resend) {
		return nil
	}
	for _, i := range p.m.Replicas(l.home) {
		if l.rings.Pick(i, uint64(l.nth)).doubted() {
			return nil
		}
	}
	return f
}

func (p *Pool) giveUpRead(l *lostRead, f *Failure) {
	e := &l.request
	if l.sent && !f.Sent {
		g := *f
		g.Sent = true
		f = &g
	}
	p.fail(e.recv, e.tag, f)
}
