package pool

import (
	"bytes"

	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/pool/queue"
)

// A command of a module may answer anything, a server's refusal included; so may a script that could not be sent as a transaction
// (conn/wrapped.go). What they answer is not taken for a refusal, unless the words are the server's to the letter and the server,
// asked again with a command that changes nothing, still refuses: a witness. Until it has come, what the client sends next waits.

// refuses reports whether an error that says so is the server's, as far as can be told yet.
func (p *Pool) refuses(c *conn.Conn, e *queue.Pending, reply []byte) bool {
	return e.Is.Carrier() == 0 || !e.Is.Has(queue.Wrapped) && p.plausible(c, e, reply)
}

// Reply is Receiver.
func (d *doubt) Reply(_ uint64, b []byte, p ask.Piece) {
	if len(d.witness) < conn.MaxHandshakeReply {
		d.witness = append(d.witness, b...)
	}
	d.heard = p&ask.Last != 0
}

// Fail is Receiver.
func (d *doubt) Fail(_ uint64, f *ask.Failure) { d.lost = f }

// settle ends the doubt about a, when it can be ended. waits: it can't; gone: a has ended.
func (p *Pool) settleDoubt(a *resend) (waits, gone bool) {
	d := a.doubt
	e := &a.request
	switch {
	case d.lost != nil:
		p.taken(a)
		p.Fail(e.Recv, e.Tag, &ask.Failure{Kind: ask.Lost, Sent: true, Server: d.conn.Server().Name, Cause: d.lost.Cause})
		return false, true
	case !d.heard:
		return true, false
	case !answer.Confirms(d.witness, d.reply):
		p.taken(a)
		p.Ran(a.client, a.place, a.slot, a.reads)
		d.conn.CountError(e, d.reply)
		p.Answer(e.Recv, e.Tag, d.reply)
		return false, true
	}
	a.doubt = nil
	p.count(a, d.reply)
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
		p.giveUp(a, p.Moved(d.conn.Server().Index()))
		return false, true
	}
	return false, false
}

// plausible reports whether a reply to a carrier may be a server's own: the right words, slot and server.
func (p *Pool) plausible(c *conn.Conn, e *queue.Pending, reply []byte) bool {
	if p.Config.Witness == nil {
		return false
	}
	if !answer.NamesNode(reply) {
		return answer.RefusesScript(reply)
	}
	slot, addr := answer.Named(reply)
	if !p.Config.Cluster || slot < 0 || slot != e.Keys.Slot() {
		return false
	}
	at := p.target(c.Server(), addr)
	return at >= 0 && p.servers[at] != c.Server()
}

// beginDoubt asks for a witness; false: the reply is the client's.
func (p *Pool) beginDoubt(c *conn.Conn, e *queue.Pending, raw, reply []byte) bool {
	a, ok := p.anew(c, e, raw)
	if !ok || e.Is.Has(queue.Blocking) || p.Late(p.Now+retryAfter-e.At) {
		return false
	}
	p.asked = p.Config.Witness(p.asked[:0], raw, reply)
	d := &doubt{conn: c, reply: bytes.Clone(reply)}
	a.doubt, a.refused = d, true
	p.aim(&a, c.Server(), reply)
	a.client.Await()
	a.wait(c)
	if !p.keep(&a) {
		return false
	}
	if reply[1] == 'T' { // a node that takes the slot over answers only after ASKING
		_ = c.Enqueue(&ask.Request{Raw: asking, Recv: conn.Swallowed{}, Manner: ask.Here})
	}
	if f := c.Enqueue(&ask.Request{Raw: p.asked, Recv: d, Manner: ask.Here}); f != nil {
		d.lost = f
	}
	return true
}
