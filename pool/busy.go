package pool

import (
	"bytes"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
)

// busyAfter is how long a script may hold up a shared connection before the server is asked whether it would answer others
// now, and how often it is asked then, ns.
const busyAfter = 50e6

// SetBusy says whether a script holds up a server, as some loop has found. A fence is such that the server answers it then.
// Loop-only.
func (p *Pool) SetBusy(busy bool) { p.ElsewhereBusy = busy }

// AnyBusy reports whether a connection has been found Busy lately. Loop-only.
func (p *Pool) AnyBusy() bool { return len(p.probes) > 0 }

// BusyText is what a server says of a script that holds up a connection; nil: none is known to. Loop-only.
func (p *Pool) BusyText() []byte {
	if len(p.probes) == 0 {
		return nil
	}
	for _, r := range p.rings {
		for _, c := range r.conns {
			if text := c.Busy(); text != nil {
				return text
			}
		}
	}
	return nil
}

// watchScripts begins to ask, goes on, or ends. Called with every tick of a shared connection that is Ready.
func (p *Pool) watchScripts(c *conn.Conn, now int64) {
	probe := p.probes[c]
	if c.Ring.Len() == 0 || probe != nil && probe.head != c.Ring.Head {
		p.endProbe(c)
		return
	}
	switch {
	case probe == nil:
		if now-c.Ring.At(c.Ring.Head).At > busyAfter && !c.Replying() && c.OwesScript() {
			p.beginProbe(c)
		}
	case !probe.asked && now-probe.at > busyAfter:
		probe.question()
	}
}

func (p *Pool) beginProbe(c *conn.Conn) {
	probe := &busyProbe{pool: p, shared: c, head: c.Ring.Head}
	p.probes[c] = probe
	probe.question()
}

func (p *busyProbe) question() {
	c := p.shared
	if c.Server().GoneAt == 0 {
		p.pool.ExpectScript(c.Server().Index())
	}
	p.at = p.pool.Now
	q := p.pool.probers[c.Server()]
	p.asked = q != nil && q.conn != nil && q.conn.Enqueue(&ask.Request{Raw: ping, Recv: p, Manner: ask.Here | ask.Lasts}) == nil // the word of a busy server comes when it comes
}

var ping = conn.AppendCommand(nil, "PING")

func (p *Pool) endProbe(c *conn.Conn) {
	if p.probes[c] != nil {
		delete(p.probes, c)
		c.SetBusy(nil, 0)
	}
}

// Reply is Receiver.
func (p *busyProbe) Reply(_ uint64, b []byte, piece ask.Piece) {
	if len(p.reply) < conn.MaxHandshakeReply {
		p.reply = append(p.reply, b...)
	}
	if piece&ask.Last == 0 {
		return
	}
	p.asked, p.at = false, p.pool.Now
	var text []byte
	if bytes.HasPrefix(p.reply, []byte("-BUSY")) {
		text = bytes.Clone(p.reply)
	}
	p.say(text)
}

// say has the connection be Busy with a text; nil: it is not.
func (p *busyProbe) say(text []byte) {
	p.reply = p.reply[:0]
	if p.pool.probes[p.shared] == p {
		p.shared.SetBusy(text, p.head)
	}
}

// Fail is Receiver.
func (p *busyProbe) Fail(uint64, *ask.Failure) {
	p.asked = false
	p.say(nil)
}

// probeEvery is the least time between two attempts to have the connection, ns.
const probeEvery = 1e9

// ExpectScript tells that a script is about to be sent to a server, so that it can be asked about it in time. Loop-only.
func (p *Pool) ExpectScript(server int) {
	s := p.servers[server]
	q := p.probers[s]
	if q == nil {
		q = &prober{pool: p, server: s}
		p.probers[s] = q
	}
	if q.conn != nil || p.Stopped || q.tried != 0 && p.Now-q.tried < probeEvery {
		return
	}
	if p.Default().Pick(server, 0).State() != conn.Ready {
		return // it is dialled again in its own time
	}
	q.tried = p.Now
	p.lent++
	p.unpinned++
	// Database 0, for a server that is busy takes no SELECT.
	q.conn = p.newOwn(s, conn.Key{Proto: 2})
	q.conn.Owner, q.conn.ForProbing = q, true
}

// Pushed is Owner.
func (q *prober) Pushed([]byte, ask.Piece) {}

// OwnLost is Owner.
func (q *prober) OwnLost(c *conn.Conn, _ *ask.Failure) {
	q.conn, c.ForProbing = nil, false
	if q.server.GoneAt > 0 {
		delete(q.pool.probers, q.server)
	}
	q.pool.unpinned--
	q.pool.Counters.OwnLent++ // it was never counted
}
