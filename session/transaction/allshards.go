package transaction

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/gather"
	"ringmaster/shard"
)

// A command for all shards runs in its place at the server of the transaction. After EXEC has replied that it ran, the other shards run
// it. Their replies are of a moment after the transaction.

// queueForAllShards queues a command for all shards; at commands are queued before it. false: it can't be part of a transaction.
func queueForAllShards(s *session.Session, spec *command.Spec, args [][]byte, raw []byte, at int) bool {
	tx := of(s)
	switch {
	case spec.Merge == command.MergeSpecial && spec.ID != command.IDDebug && !spec.Traits.Has(command.TraitChangesReply),
		spec.ID == command.IDShutdown, spec.Traits.Has(command.TraitEndsWaits):
		return false
	case gather.KeysOfDebug(spec, args) != nil, tx.selects(): // the other shards would run it in another database
		return false
	}
	tx.allShards = append(tx.allShards, allShardsCommand{at: at, raw: bytes.Clone(raw), spec: spec})
	tx.size += len(raw) + localOverhead
	return true
}

// otherShards runs a transaction's commands for all shards at the shards where the transaction has not run.
type otherShards struct {
	s        *session.Session
	commands []allShardsCommand
	replies  []joinedReply      // of the commands
	reply    []byte             // EXEC's
	left     int                // commands that not all shards have answered, and one more while the shards are being asked
	done     func(reply []byte) // gets EXEC's reply with the joined replies
}

// joinedReply is the reply of all shards to one command.
type joinedReply struct {
	of    *otherShards
	reply []byte // nil: none yet, or the command did not run
}

// askOtherShards asks the shards other than that of conn, over which the transaction has run. reply is EXEC's, and its elements begin at
// at. done is called once, maybe before the return.
func askOtherShards(s *session.Session, commands []allShardsCommand, conn *pool.Conn, reply []byte, at int, done func(reply []byte)) {
	o := &otherShards{s: s, commands: commands, replies: make([]joinedReply, len(commands)), reply: reply, left: 1, done: done}
	ran, now := conn.Server().Index(), s.Door.Map
	if ran >= now.Len() || !shard.SameAddr(now.Server(ran).Addr, conn.Server().Addr) {
		ran = session.AnyServer // another server has its number by now
	}
	next := 0
	for i := range commands {
		c := &commands[i]
		for ; next < c.at; next++ {
			at += parser.ElementEnd(reply[at:])
		}
		own := reply[at : at+parser.ElementEnd(reply[at:])]
		if own[0] == '-' {
			continue // it has not run
		}
		o.left++
		g := gather.NewWithoutPlace(s, c.spec)
		o.replies[i].of = o
		g.Ended, g.Within = joined, &o.replies[i]
		g.Delay()
		for _, server := range now.Shards() {
			if server == ran {
				g.AddReply(server, own)
			} else {
				g.Ask(server, c.raw)
			}
		}
		if c.spec.Traits.Has(command.TraitChangesReply) {
			g.CountClients()
		}
		g.Start()
	}
	o.end()
}

// joined is called with the reply of all shards to the command whose joinedReply is within.
func joined(within any, reply []byte) {
	r := within.(*joinedReply)
	r.reply = reply
	r.of.end()
}

// end counts a command that all shards have answered. After the last one it puts the joined replies into EXEC's.
func (o *otherShards) end() {
	if o.left--; o.left > 0 {
		return
	}
	_, at, _ := parser.ArrayHeader(o.reply)
	dst := append([]byte(nil), o.reply[:at]...)
	next, size := 0, 0
	for i := range o.commands {
		own := o.replies[i].reply
		size += len(own)
		for ; next < o.commands[i].at; next++ {
			dst, at = appendElement(dst, o.reply, at)
		}
		if own != nil {
			dst = append(dst, own...)
			at += parser.ElementEnd(o.reply[at:])
			next++
		}
	}
	dst = append(dst, o.reply[at:]...)
	o.s.CountHeld(len(dst) - len(o.reply) - size)
	o.done(dst)
}
