package pool

import "bytes"

// busyAfter is how long a script may hold up a shared connection before the server is asked whether it would answer others
// now, and how often it is asked then, ns.
const busyAfter = 50e6

// busyProbe asks a server that a script keeps busy for its word on it. Clients with connections of their own would get
// that word; on a shared one they would wait behind the script for as long as it runs.
type busyProbe struct {
	shared *Conn
	conn   *Conn  // the connection that asks; nil: lost
	head   uint64 // the script's place in the shared connection's ring
	asked  bool
	at     int64  // when it was asked, or answered
	reply  []byte // so far
	text   []byte // the server's error line; nil: it has said nothing, or that it is not busy
}

// Busy is the error with which the server turns down what comes while a script runs on this connection; nil: none runs, or
// the server takes others. Valid until the next turn. Loop-only.
func (c *Conn) Busy() []byte {
	if p := c.probe; p != nil && c.ring.len() > 0 && c.ring.head == p.head {
		return p.text
	}
	return nil
}

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
	if c.ring.len() == 0 || p != nil && p.head != c.ring.head {
		c.endProbe()
		return
	}
	switch {
	case p == nil:
		if now-c.ring.at(c.ring.head).at > busyAfter && !c.replying() && c.owesScript() {
			c.beginProbe()
		}
	case p.conn != nil && !p.asked && now-p.at > busyAfter:
		p.ask()
	}
}

// owesScript reports whether a script is among what is owed. It may not be the first: a server keeps the replies to what it
// got in the same batch until the script has ended.
func (c *Conn) owesScript() bool {
	for i := c.ring.head; i != min(c.ring.tail, c.ring.head+maxBatch); i++ {
		if cmd := int(c.ring.at(i).cmd); cmd < len(c.pool.cfg.Scripts) && c.pool.cfg.Scripts[cmd] {
			return true
		}
	}
	return false
}

// maxBatch is how many requests are looked through.
const maxBatch = 1024

func (c *Conn) beginProbe() {
	p := &busyProbe{shared: c, head: c.ring.head}
	c.probe = p
	c.pool.busy++
	// Database 0, for a server that is busy takes no SELECT.
	conn, f := c.pool.Lend(c.server.index, Key{Proto: 2}, p)
	if f != nil {
		return
	}
	p.conn = conn
	p.ask()
}

func (p *busyProbe) ask() {
	p.asked, p.at = true, p.shared.pool.Now
	if p.conn.EnqueueLasting(ping, p, 0, Part) != nil {
		p.asked = false
	}
}

var ping = appendCommand(nil, "PING")

func (c *Conn) endProbe() {
	p := c.probe
	if p == nil {
		return
	}
	c.probe = nil
	c.pool.busy--
	if p.conn != nil {
		p.conn.Return(!p.asked)
	}
}

// Reply is Receiver.
func (p *busyProbe) Reply(_ uint64, b []byte, piece Piece) {
	if len(p.reply) < maxHandshakeReply {
		p.reply = append(p.reply, b...)
	}
	if piece&Last == 0 {
		return
	}
	p.asked, p.at, p.text = false, p.shared.pool.Now, nil
	if bytes.HasPrefix(p.reply, []byte("-BUSY")) {
		p.text = bytes.Clone(p.reply)
	}
	p.reply = p.reply[:0]
}

// Fail is Receiver.
func (p *busyProbe) Fail(uint64, *Failure) { p.asked, p.text, p.reply = false, nil, p.reply[:0] }

// Pushed and OwnLost are Owner.
func (p *busyProbe) Pushed([]byte, Piece)    {}
func (p *busyProbe) OwnLost(*Conn, *Failure) { p.conn, p.text = nil, nil }
