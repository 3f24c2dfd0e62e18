package session

import (
	"slices"

	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/shard"
)

// division groups the keys of one command by server. A loop has one that every command uses in turn; a command of very many
// keys has its own.
type division struct {
	order   []int32 // the group of each key
	groups  []group // the keys that go to one server together
	groupAt []int32 // by server, or by hash slot in front of a cluster: its group's number from 1
	build   []byte  // the groups' parts of the command, for the connections to copy
}

// group is the keys of a split command that go to one server together: those of one server, or in front of a cluster, whose
// nodes refuse others, those of one hash slot.
type group struct {
	server, bucket int32
	keys           int32
	// Where its part stands in division.build. At first end is the size of its keys; while they are written, where the next goes.
	start, end int
}

// buckets is how many groups there can be.
func (e *Env) buckets() int {
	if e.Map.Slotted() {
		return shard.Slots
	}
	return e.Map.Len()
}

// split groups the keys of MGET, MSET, DEL and their like by shard, and asks each shard once.
func (s *Session) split(spec *command.Spec, req *parser.Request) {
	env, words := s.env, spec.WordsPerKey
	if env.single() || len(req.Args) == 1 || (len(req.Args)-1)%words != 0 {
		s.pass(s.env.home(), spec, req)
		return
	}
	if len(req.Args) > manyWords && s.pin == nil && !env.replaying {
		s.divide(spec, req)
		return
	}
	d := &gathersOf(env.Loop).division
	d.clear()
	if n := env.buckets(); n > len(d.groupAt) {
		d.groupAt = make([]int32, n)
	}
	d.assign(env.Env, req, words, 1, len(req.Args))
	d.free()
	if len(d.groups) == 1 {
		s.send(int(d.groups[0].server), env.keysIn(int(d.groups[0].bucket), spec), spec, req)
		return
	}
	g := s.gather(spec, len(req.Raw))
	g.keyed = true
	g.hold()
	d.size(req, words)
	d.share(req, words, 0, len(d.order))
	if spec.Merge == command.MergeInKeyOrder {
		g.asked.Order = append(g.asked.Order, d.order...)
	}
	for _, part := range d.groups {
		g.askFor(int(part.server), d.build[part.start:part.end], env.keysIn(int(part.bucket), spec))
	}
	if cap(d.build) > maxScratch {
		d.build = nil
	}
	g.release()
}

func (d *division) clear() { d.order, d.groups = d.order[:0], d.groups[:0] }

// assign notes the group of each key among the words from one up to another.
func (d *division) assign(env *Env, req *parser.Request, words, from, to int) {
	slotted := env.Map.Slotted()
	for i := from; i < to; i += words {
		var server, bucket int
		if slotted {
			slot := shard.Slot(req.Args[i])
			server, bucket = env.Map.SlotServer(slot), int(slot)
		} else {
			server = env.Map.Lookup(req.Args[i])
			bucket = server
		}
		n := d.groupAt[bucket]
		if n == 0 {
			d.groups = append(d.groups, group{server: int32(server), bucket: int32(bucket)})
			n = int32(len(d.groups))
			d.groupAt[bucket] = n
		}
		g := &d.groups[n-1]
		g.keys++
		g.end += len(req.Bulks(i, i+words))
		d.order = append(d.order, n-1)
	}
}

// free makes groupAt fit for the next command.
func (d *division) free() {
	for i := range d.groups {
		d.groupAt[d.groups[i].bucket] = 0
	}
}

// size makes room in build for each group's part of the request, one behind the other: a command with the name as the client sent
// it, and the keys that share writes.
func (d *division) size(req *parser.Request, words int) {
	b, name := d.build[:0], req.Args[0]
	b = slices.Grow(b, len(req.Raw)+len(d.groups)*(len(name)+maxPartHead))
	for i := range d.groups {
		g := &d.groups[i]
		keys := g.end
		g.start = len(b)
		b = parser.AppendArray(b, 1+int(g.keys)*words)
		b = parser.AppendBulk(b, name)
		g.end = len(b)
		b = b[:len(b)+keys]
	}
	d.build = b
}

// maxPartHead is the most that stands before a part's keys beside the command's name, bytes.
const maxPartHead = 64

// share writes the keys from one up to another into the parts.
func (d *division) share(req *parser.Request, words, from, to int) {
	for i := from; i < to; i++ {
		at := &d.groups[d.order[i]]
		at.end += copy(d.build[at.end:], req.Bulks(1+i*words, 1+(i+1)*words))
	}
}

// manyWords is the number of words from which a command is divided in pieces.
const manyWords = 16 << 10

// dividing is a command of very many keys under way to the servers, a passage: to group a million keys takes the loop half a
// second. Only the work is done in pieces. Each server gets its part whole, as that of any command, so that what it reads or
// changes there it does at once; what the client has sent before is answered, and what it sends behind waits.
type dividing struct {
	division
	spec    *command.Spec
	req     parser.Request
	buf     *bytebufferpool.ByteBuffer // of req.Raw; nil: it is the garbage collector's
	version uint16                     // of the map
	next    int                        // the word, key or group to go on with
	stage   divisionStage
	g       *gather
	later   bool
	s       *Session // nil: cancelled
}

type divisionStage uint8

const (
	assigning divisionStage = iota
	sharing
	sending
)

// divide takes the request over from the loop.
func (s *Session) divide(spec *command.Spec, req *parser.Request) {
	d := &dividing{spec: spec, s: s}
	if d.buf = s.takeInput(req); d.buf != nil {
		s.in = nil
		d.req = parser.Request{Args: req.Args, Raw: req.Raw}
	} else {
		d.req = req.Clone()
	}
	req.Args = nil
	s.begin(d)
}

func (d *dividing) step(s *Session) {
	if d.later || d.g == nil && s.Owed() > 0 {
		return
	}
	if !d.goOn(s) {
		d.later = true
		s.env.queue(d)
		return
	}
	if s.passage == d {
		s.endPassage()
	}
}

// piece is job.
func (d *dividing) piece(*Env) (done bool) {
	d.later = false
	switch {
	case d.s == nil:
	case d.s.passage == d:
		d.s.goOn()
	default: // it closes, and goes on to the end
		return d.goOn(d.s)
	}
	return true
}

// keyWork is what it costs to hash or to copy a key beside its bytes, units.
const keyWork = 128

// goOn does a piece; true: all is sent.
func (d *dividing) goOn(s *Session) (done bool) {
	env, words := s.env, d.spec.WordsPerKey
	if d.stage != sending && d.version != env.version {
		d.stage, d.next = assigning, 0 // the keys may be elsewhere
	}
	p := env.aPiece()
	if d.stage == assigning {
		if d.next == 0 {
			d.clear()
			d.groupAt, d.version, d.next = make([]int32, env.buckets()), env.version, 1
		}
		for ; d.next < len(d.req.Args); d.next += words {
			if p.over(env.Env) {
				return false
			}
			d.assign(env.Env, &d.req, words, d.next, d.next+words)
			env.spend(keyWork + len(d.req.Args[d.next]))
		}
		if len(d.groups) == 1 {
			if s.passage == d {
				s.endPassage()
			}
			s.send(int(d.groups[0].server), env.keysIn(int(d.groups[0].bucket), d.spec), d.spec, &d.req)
			d.letGo(s)
			return true
		}
		d.size(&d.req, words)
		d.stage, d.next = sharing, 0
	}
	if d.stage == sharing {
		for ; d.next < len(d.order); d.next++ {
			if p.over(env.Env) {
				return false
			}
			d.share(&d.req, words, d.next, d.next+1)
			env.spend(keyWork + len(d.req.Bulks(1+d.next*words, 1+(d.next+1)*words)))
		}
		d.begin(s)
	}
	for ; d.next < len(d.groups) && s.state != closed; d.next++ {
		if p.over(env.Env) {
			return false
		}
		part := &d.groups[d.next]
		d.g.askFor(int(part.server), d.build[part.start:part.end], env.keysIn(int(part.bucket), d.spec))
		env.spend(keyWork + part.end - part.start)
	}
	d.g.release()
	return true
}

// begin makes the place for the reply; from now on the command is sent.
func (d *dividing) begin(s *Session) {
	d.stage, d.next = sending, 0
	d.g = s.gather(d.spec, len(d.req.Raw))
	d.g.keyed = true
	d.g.hold()
	if d.spec.Merge == command.MergeInKeyOrder {
		d.g.asked.Order = d.order
	}
	d.letGo(s)
}

// letGo lets go of the request.
func (d *dividing) letGo(s *Session) {
	if d.buf != nil {
		s.env.Pool.Buffers.Put(d.buf)
	}
	d.buf, d.req = nil, parser.Request{}
}

func (d *dividing) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	if d.g != nil {
		return false // its parts are on their way, and the last of them goes too
	}
	d.s = nil
	d.letGo(s)
	return true
}
