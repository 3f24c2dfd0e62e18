package transaction

import (
	"bytes"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/gather"
	"ringmaster/session/pubsub"
	"ringmaster/session/texts"
)

// outcome receives the replies to a transaction's batch. It drops all but EXEC's, which it passes on. Outcomes are used again.
//
// Invariant: left == requests of the batch that have not ended + what complete waits for.
type outcome struct {
	s         *session.Session
	tag       uint64     // of the reply slot for EXEC's reply
	execAt    uint64     // the number of EXEC in the batch
	left      int        // see the invariant
	n         int        // commands that the server answers
	conn      *pool.Conn // over which the batch was sent first
	locals    []local
	allShards []allShardsCommand
	messages  []message // whose counts must be corrected
	secrets   []secretReply
	resend    *resend // where servers come and go; otherwise nil
	buf       []byte  // EXEC's reply so far, if the proxy must change it
	refusal   []byte  // the server's first error for a command; nil: none
}

// Reply is pool.Receiver.
func (o *outcome) Reply(i uint64, b []byte, p pool.Piece) {
	if o.resend != nil && p == pool.Whole && b[0] == '-' && o.resend.takes(o.s, o.tag, i, b) {
		o.end()
		return
	}
	if b[0] == '-' && p == pool.Whole {
		b = o.explain(i, b)
	}
	if i == o.execAt {
		o.execReply(b, p)
	}
	if p&pool.Last != 0 {
		o.end()
	}
}

// execReply passes on EXEC's reply as it comes, or keeps it until it is whole if the proxy must change it.
func (o *outcome) execReply(b []byte, p pool.Piece) {
	if o.resend != nil && p&pool.First != 0 && b[0] == '*' {
		o.s.Door.Pool.Ran(o.s, o.tag, o.resend.Slot, o.resend.Reads)
	}
	if len(o.allShards)+len(o.secrets) == 0 && (len(o.locals) == 0 && len(o.messages) == 0 || o.s.State == session.Closed) {
		o.s.Reply(o.tag, b, p)
		return
	}
	o.buf = append(o.buf, b...)
	o.s.CountHeld(len(b))
	if p&pool.Last != 0 {
		o.complete()
	}
}

// Client is pool.Receiver.
func (o *outcome) Client() pool.Client { return o.s }

// Place is pool.Receiver. All requests of the batch have the place of EXEC.
func (o *outcome) Place(uint64) uint64 { return o.tag }

// explain puts the server's error for a command into EXECABORT, because the client was told that the command is queued.
func (o *outcome) explain(i uint64, b []byte) []byte {
	switch {
	case i > 0 && i < o.execAt && o.refusal == nil:
		o.refusal = bytes.Clone(b)
	case i == o.execAt && o.refusal != nil && bytes.HasPrefix(b, []byte("-EXECABORT")):
		return parser.AppendError(nil, texts.ExecAbort(string(bytes.TrimRight(o.refusal[1:], "\r\n"))))
	}
	return b
}

// Fail is pool.Receiver.
func (o *outcome) Fail(i uint64, f *pool.Failure) {
	if i == o.execAt && (o.resend == nil || !o.resend.unsent(o.s, f)) {
		if o.s.State != session.Closed {
			o.s.CountHeld(-len(o.buf))
		}
		o.buf = nil
		if f.Sent && o.resend != nil {
			o.s.Door.Pool.Ran(o.s, o.tag, o.resend.Slot, o.resend.Reads) // it may have
		}
		o.s.Fail(o.tag, f)
	}
	o.end()
}

// end counts one end. After the last one the transaction is sent again, or the outcome is free.
func (o *outcome) end() {
	if o.left--; o.left > 0 {
		return
	}
	if o.resend != nil && o.resend.nothingRan {
		o.sendAgain()
		return
	}
	recycleOutcome(o.s.Door.Env.Loop, o)
}

// sendAgain sends the transaction again. Nothing of it has run.
func (o *outcome) sendAgain() {
	o.left = o.resend.Batch.Requests
	o.resend.refused, o.resend.nothingRan, o.refusal = false, false, nil
	o.s.Door.Pool.Resend(&o.resend.Resend)
}

// complete changes EXEC's whole reply where it must and gives it to the client.
func (o *outcome) complete() {
	s, reply := o.s, o.buf
	o.buf = nil
	n, at, ok := parser.ArrayHeader(reply)
	if len(o.secrets) > 0 && ok && n > 0 {
		if n != o.n { // nobody knows which element is whose reply
			s.CountHeld(-len(reply))
			s.Reply(o.tag, parser.AppendError(nil, texts.OddReply), pool.Whole)
			return
		}
		shown := blankSecrets(o.secrets, reply, at)
		s.CountHeld(len(shown) - len(reply))
		reply, o.secrets = shown, nil
	}
	switch {
	case !ok || n != o.n: // nil, or an error: nothing has run
		s.CountHeld(-len(reply))
		s.Reply(o.tag, reply, pool.Whole)
	case len(o.allShards) > 0:
		o.askOtherShards(reply, at)
	case len(o.messages) == 0:
		o.answer(reply, at)
	default:
		o.askLoops(reply, at)
	}
}

// askOtherShards has the other shards run the commands for all shards, and then completes the reply with theirs.
func (o *outcome) askOtherShards(reply []byte, at int) {
	conn := o.conn
	if o.resend != nil {
		conn = o.resend.From
	}
	o.left++ // until all have answered
	askOtherShards(o.s, o.allShards, conn, reply, at, func(reply []byte) {
		o.buf, o.allShards = reply, nil
		o.complete()
		o.end()
	})
}

// askLoops asks the other loops how many clients got the messages, and then answers with the right counts.
func (o *outcome) askLoops(reply []byte, at int) {
	s := o.s
	keys := make([]pubsub.TopicKey, len(o.messages))
	for i, m := range o.messages {
		keys[i] = m.key
	}
	o.left++ // until all have answered
	pubsub.CollectTallies(s.Door.Env, s, keys, true, func(sums []pubsub.Tally) {
		counted := correctCounts(o.messages, sums, s.Door.Map.Slotted(), reply, at)
		s.CountHeld(len(counted) - len(reply))
		o.answer(counted, at)
		o.end()
	})
}

// answer gives EXEC's reply to the client, with the proxy's own answers between the server's. Its elements begin at at.
func (o *outcome) answer(reply []byte, at int) {
	s := o.s
	if s.State == session.Closed || len(o.locals) == 0 {
		s.CountHeld(-len(reply))
		s.Reply(o.tag, reply, pool.Whole)
		return
	}
	o.left++ // until all is answered
	a := newAnswering(s, o.tag, o.locals, func(db int) {
		if db != s.Database() && s.State == session.Open {
			key := s.Rings.Key()
			key.DB = db
			s.CrossQuietly(key)
		}
		o.end()
	})
	a.Held, a.reply, a.at, a.db = len(reply), reply, at, s.Database()
	a.total += o.n
	s.Door.Start(a)
}

// outcomes are the free outcomes of a loop.
type outcomes struct{ free []*outcome }

// newOutcome returns a free outcome.
func newOutcome(l *session.Loop) *outcome {
	if all, _ := l.Outcomes.(*outcomes); all != nil && len(all.free) > 0 {
		last := len(all.free) - 1
		o := all.free[last]
		all.free = all.free[:last]
		return o
	}
	return &outcome{}
}

// recycleOutcome frees an outcome and what it holds.
func recycleOutcome(l *session.Loop, o *outcome) {
	if o.resend != nil {
		l.Clock.Buffers.Put(o.resend.buf)
	}
	dropSubscriptions(o.s, o.locals)
	*o = outcome{}
	all, _ := l.Outcomes.(*outcomes)
	if all == nil {
		all = &outcomes{}
		l.Outcomes = all
	}
	if len(all.free) < gather.MaxFree {
		all.free = append(all.free, o)
	}
}
