package gather

import (
	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
)

// Split carries out MGET, MSET, DEL and their like. Each shard gets one command with its keys; in front of a cluster each hash slot does.
// Borrows req until return. Loop-only.
func Split(s *session.Session, spec *command.Spec, req *parser.Request) {
	env, words := s.Door, spec.WordsPerKey
	if env.Single() || len(req.Args) == 1 || (len(req.Args)-1)%words != 0 {
		s.Pass(s.Door.Home(), spec, req)
		return
	}
	if len(req.Args) > manyWords && s.Pin == nil && !env.Replaying {
		divide(s, spec, req)
		return
	}
	d := &gathersOf(env.Loop).division
	d.clear()
	if n := buckets(env.Env); n > len(d.groupAt) {
		d.groupAt = make([]int32, n)
	}
	d.assign(env.Env, req, words, 1, len(req.Args))
	d.clearGroupAt()
	if len(d.groups) == 1 {
		s.Send(int(d.groups[0].server), env.KeysIn(int(d.groups[0].bucket), spec), spec, req)
		return
	}
	g := New(s, spec, len(req.Raw))
	g.keyed = true
	g.Delay()
	d.beginCommands(req, words)
	d.writeKeys(req, words, 0, len(d.order))
	if spec.Merge == command.MergeInKeyOrder {
		g.asked.Order = append(g.asked.Order, d.order...)
	}
	for i := range d.groups {
		to := &d.groups[i]
		g.askFor(int(to.server), d.commandOf(to), env.KeysIn(int(to.bucket), spec))
	}
	if cap(d.build) > session.MaxScratch {
		d.build = nil
	}
	g.Start()
}

// manyWords is the number of words from which a job divides a command piece by piece.
const manyWords = 16 << 10

// dividing splits a command with very many keys, a passage. To group a million keys takes a loop half a second, so it does a piece at a
// time. Each server gets its command whole and runs it at once, as that of any split command.
type dividing struct {
	session.Passage
	division
	spec    *command.Spec
	req     parser.Request
	buf     *bytebufferpool.ByteBuffer // of req.Raw; nil: the garbage collector frees it
	version uint16                     // of the map by which keys were grouped
	next    int                        // the word, key or group to go on with
	stage   divisionStage
	g       *Gather
}

type divisionStage uint8

const (
	assigning divisionStage = iota // keys to groups; next is a word
	writing                        // the groups' commands; next is a key
	sending                        // the commands; next is a group
)

// divide begins to split a command with very many keys. It takes the client's buffer with the request, or copies the request.
func divide(s *session.Session, spec *command.Spec, req *parser.Request) {
	d := &dividing{spec: spec}
	if d.buf = s.Input.Whole(req); d.buf != nil {
		s.Input.Disown()
		d.req = parser.Request{Args: req.Args, Raw: req.Raw}
	} else {
		d.req = req.Clone()
	}
	req.Args = nil
	s.Begin(d)
}

// Step is passage.
func (d *dividing) Step(s *session.Session, _ session.Wait) {
	if !d.goOn(s) {
		d.AwaitTurn(s, d)
		return
	}
	d.End()
}

// Piece is job. If the client goes when some commands are sent, the others are sent too.
func (d *dividing) Piece(e *session.Env) (done bool) {
	if d.Over() && d.g != nil {
		return d.goOn(d.g.Session)
	}
	return d.Passage.Piece(e)
}

// keyWork is what it costs to hash or copy a key besides its bytes, units.
const keyWork = 128

// goOn does a piece of the work. true: all is sent.
func (d *dividing) goOn(s *session.Session) (done bool) {
	env, words := s.Door, d.spec.WordsPerKey
	if d.stage != sending && d.version != env.Version {
		d.stage, d.next = assigning, 0 // the keys may be elsewhere
	}
	p := env.APiece()
	if d.stage == assigning {
		if d.next == 0 {
			d.clear()
			d.groupAt, d.version, d.next = make([]int32, buckets(env.Env)), env.Version, 1
		}
		for ; d.next < len(d.req.Args); d.next += words {
			if p.Over(env.Env) {
				return false
			}
			d.assign(env.Env, &d.req, words, d.next, d.next+words)
			env.Spend(keyWork + len(d.req.Args[d.next]))
		}
		if len(d.groups) == 1 {
			d.End()
			s.Send(int(d.groups[0].server), env.KeysIn(int(d.groups[0].bucket), d.spec), d.spec, &d.req)
			d.freeRequest(s)
			return true
		}
		d.beginCommands(&d.req, words)
		d.stage, d.next = writing, 0
	}
	if d.stage == writing {
		for ; d.next < len(d.order); d.next++ {
			if p.Over(env.Env) {
				return false
			}
			d.writeKeys(&d.req, words, d.next, d.next+1)
			env.Spend(keyWork + len(d.req.Bulks(1+d.next*words, 1+(d.next+1)*words)))
		}
		d.begin(s)
	}
	for ; d.next < len(d.groups) && s.State != session.Closed; d.next++ {
		if p.Over(env.Env) {
			return false
		}
		to := &d.groups[d.next]
		d.g.askFor(int(to.server), d.commandOf(to), env.KeysIn(int(to.bucket), d.spec))
		env.Spend(keyWork + to.end - to.start)
	}
	d.g.Start()
	return true
}

// begin makes the gather. From now on the commands are sent.
func (d *dividing) begin(s *session.Session) {
	d.stage, d.next = sending, 0
	d.g = New(s, d.spec, len(d.req.Raw))
	d.g.keyed = true
	d.g.Delay()
	if d.spec.Merge == command.MergeInKeyOrder {
		d.g.asked.Order = d.order
	}
	d.freeRequest(s)
}

// freeRequest frees the client's request.
func (d *dividing) freeRequest(s *session.Session) {
	if d.buf != nil {
		s.Door.Pool.Buffers.Put(d.buf)
	}
	d.buf, d.req = nil, parser.Request{}
}

// Cancel is passage.
func (d *dividing) Cancel(s *session.Session) (unanswered bool) {
	if d.g != nil {
		return false // Piece sends the rest
	}
	d.freeRequest(s)
	return true
}
