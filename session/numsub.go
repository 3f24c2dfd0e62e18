package session

import (
	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
)

// numSubs receives the replies to PUBSUB NUMSUB, and is the job that makes one of them.
type numSubs struct {
	pool.Unplaced
	emission
	keys    []topicKey
	sums    []int64
	tallies []tally  // nil: the loops have not been asked
	replies []counts // by server
	left    int
	next    int    // of keys
	bad     []byte // an error that one of the servers answered; nil: none
}

// counts is what a server says.
type counts struct {
	buf *bytebufferpool.ByteBuffer // nil: nothing came
	off int                        // what is used of it, bytes
}

func (s *Session) numSub(spec *command.Spec, req *parser.Request) {
	shards := s.env.Map.Shards()
	n := &numSubs{emission: emission{s: s, tag: s.expect(len(req.Raw))}, left: len(shards)}
	k := channel
	if spec.ID == command.IDPubsubShardnumsub {
		k = shardChannel
	}
	for _, a := range req.Args[2:] {
		n.keys = append(n.keys, topicKey{k, string(a)})
	}
	n.sums, n.replies = make([]int64, len(n.keys)), make([]counts, len(shards))
	for i, server := range shards {
		if f := s.conn(server).Enqueue(&pool.Request{Raw: req.Raw, Recv: n, Tag: uint64(i), Manner: pool.Here}); f != nil {
			n.Fail(uint64(i), f)
		}
	}
}

// Reply is pool.Receiver.
func (n *numSubs) Reply(i uint64, b []byte, p pool.Piece) {
	r := &n.replies[i]
	if r.buf == nil {
		r.buf = n.s.env.Pool.Buffers.Get()
	}
	r.buf.B = append(r.buf.B, b...)
	n.hold(len(b))
	if p&pool.Last == 0 {
		return
	}
	length, at, ok := parser.ArrayHeader(r.buf.B)
	if r.off = at; !ok || length != 2*len(n.sums) {
		n.bad = append([]byte(nil), r.buf.B...)
	}
	n.end()
}

// Fail is pool.Receiver.
func (n *numSubs) Fail(_ uint64, f *pool.Failure) {
	n.bad = appendFailure(nil, f, n.s.env.Env)
	n.end()
}

func (n *numSubs) end() {
	if n.left--; n.left > 0 {
		return
	}
	if n.bad == nil {
		n.s.env.start(n)
		return
	}
	n.letGo()
	n.put(n.bad, true)
}

func (n *numSubs) letGo() {
	for _, r := range n.replies {
		if r.buf != nil {
			n.s.env.Pool.Buffers.Put(r.buf)
		}
	}
	n.replies = nil
	n.use(n.held)
}

// piece is job.
func (n *numSubs) piece(e *Env) (done bool) {
	p := e.aPiece()
	if n.tallies == nil {
		for ; n.next < len(n.keys); n.next++ {
			if p.over(e) {
				return false
			}
			n.add(n.next)
			e.spend(copyWork * len(n.replies))
		}
		n.letGo()
		e.tallies(n.s, n.keys, false, func(sums []tally) {
			n.tallies, n.next = sums, 0
			e.start(n)
		})
		return true
	}
	if n.holdsOff(n) {
		return true
	}
	var b []byte
	if !n.begun {
		b = parser.AppendArray(b, 2*len(n.keys))
	}
	for ; n.next < len(n.keys) && n.s.state != closed; n.next++ {
		if p.over(e) {
			n.put(b, false)
			return false
		}
		before := len(b)
		b = parser.AppendBulkString(b, n.keys[n.next].name)
		b = parser.AppendInt(b, n.tallies[n.next].correct(n.sums[n.next]))
		e.spend(copyWork + len(b) - before)
	}
	n.put(b, true)
	return true
}

// add adds up the servers' counts of one channel.
func (n *numSubs) add(k int) {
	for i := range n.replies {
		r := &n.replies[i]
		_, next := parser.BulkAt(r.buf.B, r.off)
		size := parser.ElementEnd(r.buf.B[next:])
		v, _ := parser.Integer(r.buf.B[next : next+size])
		n.sums[k] += v
		r.off = next + size
	}
}
