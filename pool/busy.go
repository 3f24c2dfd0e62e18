package pool

import (
	"bytes"

	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
)

// busyAfter is how long a script may hold up a shared connection before the server is asked whether it would answer others
// now, and how often it is asked then, ns.
const busyAfter = 50e6

// busyProbe asks a server that a script keeps busy for its word on it. Clients with connections of their own would get
// that word; on a shared one they would wait behind the script for as long as it runs.
type busyProbe struct {
	ask.Nobody
	shared *Conn
	head   uint64 // the script's place in the shared connection's ring
	asked  bool
	at     int64  // when it was asked, or answered
	reply  []byte // so far
	text   []byte // the server's error line; nil: it has said nothing, or that it is not busy
}

// Busy is the error with which the server turns down what comes while a script runs on this connection; nil: none runs, or
// the server takes others. Valid until the next turn. Loop-only.
func (c *Conn) Busy() []byte {
	if p := c.probe; p != nil && c.ring.Len() > 0 && c.ring.Head == p.head {
		return p.text
	}
	return nil
}

// SetBusy says whether a script holds up a server, as some loop has found. A fence is such that the server answers it then.
// Loop-only.
func (p *Pool) SetBusy(busy bool) { p.elsewhereBusy = busy }

// AnyBusy reports whether a connection has been found Busy lately. Loop-only.
func (p *Pool) AnyBusy() bool { return p.busy > 0 }

// BusyText is what a server says of a script that holds up a connection; nil: none is known to. Loop-only.
func (p *Pool) BusyText() []byte {
	if p.busy == 0 {
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
func (c *Conn) watchScripts(now int64) {
	p := c.probe
	if c.ring.Len() == 0 || p != nil && p.head != c.ring.Head {
		c.endProbe()
		return
	}
	switch {
	case p == nil:
		if now-c.ring.At(c.ring.Head).At > busyAfter && !c.replying() && c.owesScript() {
			c.beginProbe()
		}
	case !p.asked && now-p.at > busyAfter:
		p.ask()
	}
}

// owesScript reports whether a script is among what is owed. It may not be the first: a server keeps the replies to what it
// got in the same batch until the script has ended.
func (c *Conn) owesScript() bool {
	for i := c.ring.Head; i != min(c.ring.Tail, c.ring.Head+maxBatch); i++ {
		if c.ring.At(i).Is.Has(queue.Scripting) {
			return true
		}
	}
	return false
}

// maxBatch is how many requests are looked through.
const maxBatch = 1024

func (c *Conn) beginProbe() {
	p := &busyProbe{shared: c, head: c.ring.Head}
	c.probe = p
	c.pool.busy++
	p.ask()
}

func (p *busyProbe) ask() {
	c := p.shared
	if c.server.goneAt == 0 {
		c.pool.ExpectScript(c.server.index)
	}
	p.at = c.pool.Now
	p.asked = c.server.prober.conn != nil && c.server.prober.conn.Enqueue(&ask.Request{Raw: ping, Recv: p, Manner: ask.Here | ask.Lasts}) == nil // the word of a busy server comes when it comes
}

var ping = appendCommand(nil, "PING")

func (c *Conn) endProbe() {
	if c.probe != nil {
		c.probe = nil
		c.pool.busy--
	}
}

// Reply is Receiver.
func (p *busyProbe) Reply(_ uint64, b []byte, piece ask.Piece) {
	if len(p.reply) < maxHandshakeReply {
		p.reply = append(p.reply, b...)
	}
	if piece&ask.Last == 0 {
		return
	}
	p.asked, p.at, p.text = false, p.shared.pool.Now, nil
	if bytes.HasPrefix(p.reply, []byte("-BUSY")) {
		p.text = bytes.Clone(p.reply)
	}
	p.reply = p.reply[:0]
}

// Fail is Receiver.
func (p *busyProbe) Fail(uint64, *ask.Failure) { p.asked, p.text, p.reply = false, nil, p.reply[:0] }

// prober is the Owner of the connection over which a server is asked. There is one for each server, and it is kept: a server
// that is slow gets no new connections just because of that.
type prober struct {
	ask.Nobody
	pool  *Pool
	conn  *Conn // nil: there is none
	tried int64 // when it was dialled last, ns; 0: never
}

// probeEvery is the least time between two attempts to have the connection, ns.
const probeEvery = 1e9

// ExpectScript tells that a script is about to be sent to a server, so that it can be asked about it in time. Loop-only.
func (p *Pool) ExpectScript(server int) {
	s := p.servers[server]
	q := &s.prober
	if q.conn != nil || p.stopped || q.tried != 0 && p.Now-q.tried < probeEvery {
		return
	}
	if p.Default().Pick(server, 0).state != Ready {
		return // it is dialled again in its own time
	}
	q.pool, q.tried = p, p.Now
	p.lent++
	p.unpinned++
	// Database 0, for a server that is busy takes no SELECT.
	q.conn = p.newOwn(s, Key{Proto: 2})
	q.conn.owner = q
}

// Probes reports whether the connection is for asking the server whether a script keeps it busy. Loop-only.
func (c *Conn) Probes() bool {
	_, probes := c.owner.(*prober)
	return probes
}

// Pushed is Owner.
func (q *prober) Pushed([]byte, ask.Piece) {}

// OwnLost is Owner.
func (q *prober) OwnLost(*Conn, *ask.Failure) {
	q.conn = nil
	q.pool.unpinned--
	q.pool.stats.OwnLent++ // it was never counted
}
