package pool

import (
	"bytes"
	"slices"

	"ringmaster/stats"
)

// A command of a module may answer anything, a server's refusal included; so may a script that could not be sent as a transaction
// (wrapped.go). What they answer is not taken for a refusal, unless the words are the server's to the letter and the server,
// asked again with a command that changes nothing, still refuses: a witness. Until it has come, what the client sends next waits.

// refusals are the words with which servers of all versions refuse a script before it runs (Redis 6.2 to 8.6, Valkey 7.2 to 9.1).
var refusals = [...]string{
	"-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
	"-CLUSTERDOWN Hash slot not served\r\n",
	"-CLUSTERDOWN The cluster is down\r\n",
	"-CLUSTERDOWN The cluster is down and only accepts read commands\r\n",
	"-LOADING Redis is loading the dataset in memory\r\n",
	"-LOADING Valkey is loading the dataset in memory\r\n",
	"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
	"-MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set on the script.\r\n",
	"-READONLY You can't write against a read only replica.\r\n",
	"-READONLY Can not run script with write flag on readonly replica\r\n",
	"-READONLY Can not run script with write flag on readonly replica.\r\n",
}

// doubt is a carrier's reply of which it is open whether the server has said it, or what it ran.
type doubt struct {
	Nobody
	conn      *Conn // over which both replies come
	reply     []byte
	witness   []byte // so far
	heard     bool   // the witness is whole
	lost      *Failure
	overtaken bool // a later command of the client for the same keys has run
}

// refuses reports whether an error that says so is the server's, as far as can be told yet.
func (c *Conn) refuses(e *pending, reply []byte) bool {
	return e.is.carrier() == 0 || !e.is.has(wrapped) && c.plausible(e, reply)
}

// plausible reports whether a reply to a carrier may be a server's own: the right words, slot and server.
func (c *Conn) plausible(e *pending, reply []byte) bool {
	p := c.pool
	if p.cfg.Witness == nil {
		return false
	}
	if !NamesNode(reply) {
		return slices.Contains(refusals[:], string(reply))
	}
	slot, addr := named(reply)
	if !p.cfg.Cluster || slot < 0 || slot != e.keys.slot() {
		return false
	}
	at := p.target(c.server, addr)
	return at >= 0 && p.servers[at] != c.server
}

// beginDoubt asks for a witness; false: the reply is the client's.
func (c *Conn) beginDoubt(e *pending, raw, reply []byte) bool {
	p := c.pool
	a, ok := c.anew(e, raw)
	if !ok || e.is.has(blocking) || p.late(p.Now+retryAfter-e.at) {
		return false
	}
	p.asked = p.cfg.Witness(p.asked[:0], raw, reply)
	d := &doubt{conn: c, reply: bytes.Clone(reply)}
	a.doubt, a.refused = d, true
	p.aim(&a, c.server, reply)
	a.client.Await()
	a.wait(c)
	if !p.put(&a) {
		return false
	}
	if reply[1] == 'T' { // a node that takes the slot over answers only after ASKING
		_ = c.Enqueue(&Request{Raw: asking, Recv: swallowed{}, Manner: Here})
	}
	if f := c.Enqueue(&Request{Raw: p.asked, Recv: d, Manner: Here}); f != nil {
		d.lost = f
	}
	return true
}

// Reply is Receiver.
func (d *doubt) Reply(_ uint64, b []byte, p Piece) {
	if len(d.witness) < maxHandshakeReply {
		d.witness = append(d.witness, b...)
	}
	d.heard = p&Last != 0
}

// Fail is Receiver.
func (d *doubt) Fail(_ uint64, f *Failure) { d.lost = f }

// confirmed reports whether the witness says that the server refuses such a command.
func (d *doubt) confirmed() bool {
	switch word := d.reply[:bytes.IndexByte(d.reply, ' ')+1]; string(word) {
	case "-READONLY ":
		return bytes.Contains(d.witness[:min(len(d.witness), maxRole)], []byte("$5\r\nslave\r\n"))
	case "-LOADING ", "-MASTERDOWN ":
		return bytes.HasPrefix(d.witness, word)
	}
	// A slot on its way to another node is refused in one way now and in another a moment later.
	return NamesNode(d.witness) || bytes.HasPrefix(d.witness, []byte("-TRYAGAIN ")) || bytes.HasPrefix(d.witness, []byte("-CLUSTERDOWN "))
}

// maxRole is up to where ROLE names the role, bytes.
const maxRole = 20

// settle ends the doubt about a, when it can be ended. waits: it can't; gone: a has ended.
func (p *Pool) settleDoubt(a *again) (waits, gone bool) {
	d := a.doubt
	e := &a.request
	switch {
	case d.lost != nil:
		p.taken(a)
		p.fail(e.recv, e.tag, &Failure{Kind: Lost, Sent: true, Server: d.conn.server.Name, Cause: d.lost.Cause})
		return false, true
	case !d.heard:
		return true, false
	case !d.confirmed():
		p.taken(a)
		p.Ran(a.client, a.place, a.slot, a.reads)
		d.conn.countError(e, d.reply)
		p.answer(e.recv, e.tag, d.reply)
		return false, true
	}
	a.doubt = nil
	st := &p.stats.Redirects
	switch {
	case !NamesNode(d.reply):
		st[stats.RedirectRetry]++
	case a.asking:
		st[stats.RedirectAsk]++
	default:
		st[stats.RedirectMoved]++
	}
	if !a.asking {
		p.Hint()
	}
	if d.overtaken {
		p.taken(a)
		p.giveUp(a, p.overtakenAt(a.server))
		return false, true
	}
	if !a.client.Hold() {
		p.taken(a)
		p.giveUp(a, p.Moved(d.conn.server.index))
		return false, true
	}
	return false, false
}
