package transaction

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/merge"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/gather"
	"ringmaster/shard"
)

// everywhere is a command of a transaction that is for all shards, such as FLUSHALL or KEYS. It runs in its place where the
// transaction does, and when EXEC has told that it has run, at the others: what it says of them is of a moment after the transaction.
type everywhere struct {
	o     *outcome // once the others are asked
	at    int      // commands before it
	raw   []byte
	spec  *command.Spec
	reply []byte // what all shards say; nil: nothing yet
}

// goesEverywhere queues a command for all shards, before which there are at others; false: none that can be part of a transaction.
func goesEverywhere(s *session.Session, spec *command.Spec, args [][]byte, raw []byte, at int) bool {
	tx := TxOf(s)
	switch {
	case spec.Merge == command.MergeSpecial && spec.ID != command.IDDebug && !spec.Traits.Has(command.TraitChangesReply),
		spec.ID == command.IDShutdown, spec.Traits.Has(command.TraitEndsWaits):
		return false
	case gather.KeysOfDebug(spec, args) != nil, selects(tx): // the others would have it in another database
		return false
	}
	tx.everywhere = append(tx.everywhere, everywhere{at: at, raw: bytes.Clone(raw), spec: spec})
	tx.size += len(raw) + localOverhead
	return true
}

// askOthers sends what is for all shards to those where the transaction has not run. reply is EXEC's, whose elements begin at at.
func (o *outcome) askOthers(reply []byte, at int) {
	o.buf = reply
	o.left++ // until all have answered
	o.waiting = 1
	conn := o.conn
	if o.piece != nil {
		conn = o.piece.From
	}
	ran, now := conn.Server().Index(), o.s.Door.Map
	if ran >= now.Len() || !shard.SameAddr(now.Server(ran).Addr, conn.Server().Addr) {
		ran = session.AnyServer // its place is another's by now
	}
	next := 0
	for i := range o.everywhere {
		e := &o.everywhere[i]
		for ; next < e.at; next++ {
			at += parser.ElementEnd(reply[at:])
		}
		own := reply[at : at+parser.ElementEnd(reply[at:])]
		if own[0] == '-' {
			continue // it has not run
		}
		o.waiting++
		g := gather.NewWithoutPlace(o.s, e.spec)
		e.o, g.Ended, g.Within = o, answeredElsewhere, e
		g.Delay()
		for _, server := range o.s.Door.Map.Shards() {
			if server == ran {
				have(g, server, own)
			} else {
				g.Ask(server, e.raw)
			}
		}
		if e.spec.Traits.Has(command.TraitChangesReply) {
			g.CountClients()
		}
		g.Start()
	}
	o.othersAnswered()
}

// have adds the part of a server that has answered already.
func have(g *gather.Gather, server int, reply []byte) {
	buf := g.Env.Pool.Buffers.Get()
	buf.B = append(buf.B, reply...)
	g.Parts = append(g.Parts, gather.Part{Server: server, Buf: buf})
	g.Asked.Parts = append(g.Asked.Parts, merge.Part{Reply: buf.B})
	g.Held += len(reply)
	g.Session.CountHeld(len(reply))
}

// answeredElsewhere takes the reply that all shards make together, of a command that is within.
func answeredElsewhere(within any, reply []byte) {
	e := within.(*everywhere)
	e.reply = reply
	e.o.othersAnswered()
}

// othersAnswered counts the end of a command at all shards; after the last EXEC's reply goes on.
func (o *outcome) othersAnswered() {
	if o.waiting--; o.waiting > 0 {
		return
	}
	_, at, _ := parser.ArrayHeader(o.buf)
	dst := append([]byte(nil), o.buf[:at]...)
	next, replies := 0, 0
	for i := range o.everywhere {
		e := &o.everywhere[i]
		replies += len(e.reply)
		for ; next < e.at; next++ {
			dst, at = appendElement(dst, o.buf, at)
		}
		if e.reply != nil {
			dst = append(dst, e.reply...)
			at += parser.ElementEnd(o.buf[at:])
			next++
		}
	}
	dst = append(dst, o.buf[at:]...)
	o.s.CountHeld(len(dst) - len(o.buf) - replies)
	o.buf, o.everywhere = dst, nil
	o.complete()
	o.end()
}
