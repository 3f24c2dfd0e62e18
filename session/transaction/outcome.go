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

// outcome receives the replies to a transaction's piece and passes on EXEC's. Outcomes are reused.
type outcome struct {
	s      *session.Session
	tag    uint64     // the place of EXEC's reply
	last   uint64     // the number of EXEC in the piece
	left   int        // requests of the piece that have not ended
	n      int        // commands that the server answers
	conn   *pool.Conn // that it was sent over first
	locals []local
	// What is for all shards, and how much of it the others have not answered, and one more while they are being asked.
	everywhere []everywhere
	waiting    int
	messages   []message // whose counts are corrected
	hidden     []hidden
	piece      *piece // where servers come and go: to send it again; else nil
	buf        []byte // EXEC's reply so far, if the proxy has something to add to it
	why        []byte // the server's first error against a command that was queued; nil: none
}

// Reply is pool.Receiver.
func (o *outcome) Reply(i uint64, b []byte, p pool.Piece) {
	if o.piece != nil && p == pool.Whole && b[0] == '-' && o.elsewhere(i, b) {
		o.end()
		return
	}
	if b[0] == '-' && p == pool.Whole {
		b = o.explain(i, b)
	}
	if i == o.last {
		if o.piece != nil && p&pool.First != 0 && b[0] == '*' {
			o.s.Door.Pool.Ran(o.s, o.tag, o.piece.Slot, o.piece.Reads)
		}
		if len(o.everywhere)+len(o.hidden) == 0 && (len(o.locals) == 0 && len(o.messages) == 0 || o.s.State == session.Closed) {
			o.s.Reply(o.tag, b, p)
		} else {
			o.buf = append(o.buf, b...)
			o.s.CountHeld(len(b))
			if p&pool.Last != 0 {
				o.complete()
			}
		}
	}
	if p&pool.Last != 0 {
		o.end()
	}
}

// Client is pool.Receiver.
func (o *outcome) Client() pool.Client { return o.s }

// Place is pool.Receiver: all of it has the place of EXEC, whose reply goes on as it comes.
func (o *outcome) Place(uint64) uint64 { return o.tag }

// explain puts into an EXECABORT what the server had against a command, for to the client it was queued.
func (o *outcome) explain(i uint64, b []byte) []byte {
	switch {
	case i > 0 && i < o.last && o.why == nil:
		o.why = bytes.Clone(b)
	case i == o.last && o.why != nil && bytes.HasPrefix(b, []byte("-EXECABORT")):
		return parser.AppendError(nil, texts.ExecAbort(string(bytes.TrimRight(o.why[1:], "\r\n"))))
	}
	return b
}

// Fail is pool.Receiver.
func (o *outcome) Fail(i uint64, f *pool.Failure) {
	if i == o.last && o.piece != nil && o.unsent(f) {
		o.end()
		return
	}
	if i == o.last {
		if o.s.State != session.Closed {
			o.s.CountHeld(-len(o.buf))
		}
		o.buf = nil
		if f.Sent && o.piece != nil {
			o.s.Door.Pool.Ran(o.s, o.tag, o.piece.Slot, o.piece.Reads) // it may have
		}
		o.s.Fail(o.tag, f)
	}
	o.end()
}

// end counts the end of one request.
func (o *outcome) end() {
	if o.left--; o.left > 0 {
		return
	}
	if o.piece != nil && o.piece.again {
		o.resend()
		return
	}
	recycleOutcome(o.s.Door.Env.Loop, o)
}

// complete passes EXEC's reply on, changed where it must be.
func (o *outcome) complete() {
	s, reply := o.s, o.buf
	o.buf = nil
	n, at, ok := parser.ArrayHeader(reply)
	switch {
	case len(o.hidden) == 0 || !ok || n <= 0:
	case n == o.n:
		reply = o.hide(reply, at)
	default: // which answer is whose is not known
		s.CountHeld(-len(reply))
		s.Reply(o.tag, parser.AppendError(nil, texts.OddReply), pool.Whole)
		return
	}
	switch {
	case !ok || n != o.n: // nil, or an error: nothing has run
		s.CountHeld(-len(reply))
		s.Reply(o.tag, reply, pool.Whole)
	case len(o.everywhere) > 0:
		o.askOthers(reply, at)
	case len(o.messages) == 0:
		o.join(reply, at)
	default:
		keys := make([]pubsub.TopicKey, len(o.messages))
		for i, m := range o.messages {
			keys[i] = m.key
		}
		o.left++ // until the other loops have counted
		pubsub.CollectTallies(s.Door.Env, s, keys, true, func(sums []pubsub.Tally) {
			o.join(o.corrected(reply, at, sums), at)
			o.end()
		})
	}
}

// corrected is a reply with the counts of those who got the messages.
func (o *outcome) corrected(reply []byte, at int, sums []pubsub.Tally) []byte {
	dst := append(make([]byte, 0, len(reply)+len(sums)), reply[:at]...)
	next := 0
	for i, m := range o.messages {
		for ; next < m.at; next++ {
			dst, at = appendElement(dst, reply, at)
		}
		if n, ok := parser.Integer(reply[at : at+parser.ElementEnd(reply[at:])]); ok && (n > 0 || o.s.Door.Map.Slotted()) {
			dst = parser.AppendInt(dst, sums[i].Correct(n))
			at += parser.ElementEnd(reply[at:])
			next++
		}
	}
	o.s.CountHeld(len(dst) + len(reply[at:]) - len(reply))
	return append(dst, reply[at:]...)
}

// join puts the answers of the proxy's own between those of the server, whose elements begin at at.
func (o *outcome) join(reply []byte, at int) {
	s := o.s
	if s.State == session.Closed || len(o.locals) == 0 {
		s.CountHeld(-len(reply))
		s.Reply(o.tag, reply, pool.Whole)
		return
	}
	total := o.n
	for i := range o.locals {
		if !o.locals[i].sent {
			total++
		}
	}
	o.left++ // until all is answered
	a := &answering{
		Outer: session.Outer{Emission: session.Emission{Session: s, Tag: o.tag, Held: len(reply)}}, locals: o.locals, reply: reply, at: at, total: total, db: s.Database(),
		done: func(db int) {
			if db != s.Database() && s.State == session.Open {
				key := s.Rings.Key()
				key.DB = db
				s.CrossQuietly(key)
			}
			o.end()
		},
	}
	a.Job = a
	s.Door.Start(a)
}

func appendElement(dst, reply []byte, at int) ([]byte, int) {
	n := parser.ElementEnd(reply[at:])
	return append(dst, reply[at:at+n]...), at + n
}

// outcomes are those of a loop that can be used again.
type outcomes struct{ free []*outcome }

// newOutcome gives a free outcome.
func newOutcome(l *session.Loop) *outcome {
	if all, _ := l.Outcomes.(*outcomes); all != nil && len(all.free) > 0 {
		last := len(all.free) - 1
		o := all.free[last]
		all.free = all.free[:last]
		return o
	}
	return &outcome{}
}

func recycleOutcome(l *session.Loop, o *outcome) {
	if o.piece != nil {
		l.Clock.Buffers.Put(o.piece.buf)
	}
	letGoOf(o.s, o.locals)
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
