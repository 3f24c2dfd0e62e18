package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
)

// clientList is CLIENT LIST [TYPE type] [ID id ...]. A client that goes while the list is made is left out, and one that comes
// too.
func (s *Session) clientList(spec *command.Spec, req *parser.Request) {
	var f filter
	switch args := req.Args[2:]; {
	case len(args) == 0:
	case len(args) == 2 && bytes.EqualFold(cString(args[0]), []byte("type")):
		if text := f.setKind(args[1]); text != "" {
			s.refuse(text)
			return
		}
	case len(args) > 1 && bytes.EqualFold(cString(args[0]), []byte("id")):
		ids := make([]uint64, len(args)-1)
		for i, a := range args[1:] {
			n, ok := parser.Int(a)
			if !ok {
				s.refuse(errClientID)
				return
			}
			ids[i] = uint64(n)
		}
		s.listThese(ids)
		return
	default:
		s.refuse(errSyntax)
		return
	}
	m := s.emit(0)
	s.env.askLoopsSlowly(s, func(e *Env, answer func(any)) { e.start(newListing(e, f, answer)) }, func(answers []any) {
		j := &joinLists{emission: m}
		for _, a := range answers {
			l := a.(*lines)
			j.lists = append(j.lists, l)
			j.hold(len(l.text))
		}
		s.env.start(j)
	})
	s.awaitReply(&m)
}

// lines are clients' lines in the order of their IDs.
type lines struct {
	text []byte
	ends []lineEnd
	used int // bytes of text that were taken
}

// lineEnd is where a client's line ends in lines.text.
type lineEnd struct {
	id uint64
	at int
}

// take appends the next line to b.
func (l *lines) take(b []byte) []byte {
	end := l.ends[0].at
	b = append(b, l.text[l.used:end]...)
	l.used, l.ends = end, l.ends[1:]
	return b
}

// listing is a loop's part of CLIENT LIST, a job.
type listing struct {
	filter
	lines
	next   uint64
	answer func(any)
}

func newListing(e *Env, f filter, answer func(any)) *listing {
	f.until = e.nextID()
	return &listing{filter: f, answer: answer}
}

func (l *listing) piece(e *Env) (done bool) {
	p, watch := e.aPiece(), e.serverIs(7, 4)
	if !e.roster.walk(&l.next, l.upTo(), func(s *Session) (more bool) {
		e.spend(matchWork)
		if l.match(s) {
			l.text = s.appendDescription(l.text, watch)
			l.ends = append(l.ends, lineEnd{s.ID(), len(l.text)})
		}
		return !p.over(e)
	}) {
		return false
	}
	l.answer(&l.lines)
	return true
}

func (l *listing) giveUp() { l.answer(nil) }

// joinLists puts the loops' lines into the order of their IDs and hands them out, a job.
type joinLists struct {
	emission
	lists []*lines
}

func (j *joinLists) piece(e *Env) (done bool) {
	if j.holdsOff(j) {
		return true
	}
	p := e.aPiece()
	var b []byte
	if !j.begun {
		total := 0
		for _, l := range j.lists {
			total += len(l.text)
		}
		b = parser.AppendVerbatimHead(b, int(j.s.proto), total)
	}
	for !p.over(e) {
		l := lowest(j.lists)
		if l == nil || j.s.state == closed {
			j.put(append(b, "\r\n"...), true)
			return true
		}
		before := len(b)
		b = l.take(b)
		j.use(len(b) - before)
		e.spend(copyWork + len(b) - before)
	}
	j.put(b, false)
	return false
}

// lowest is the list whose next line has the lowest ID; nil: there are no more.
func lowest(lists []*lines) (low *lines) {
	for _, l := range lists {
		if len(l.ends) > 0 && (low == nil || l.ends[0].id < low.ends[0].id) {
			low = l
		}
	}
	return low
}

// listThese is CLIENT LIST ID: a line for each ID in the order given, as often as it is given.
func (s *Session) listThese(ids []uint64) {
	m := s.emit(0)
	s.env.askLoopsSlowly(s, func(e *Env, answer func(any)) {
		e.start(&finding{ids: ids, lines: map[uint64][]byte{}, answer: answer})
	}, func(answers []any) {
		j := &repeatLines{emission: m, ids: ids}
		for _, a := range answers {
			f := a.(*finding)
			j.found = append(j.found, f.lines)
			j.hold(f.size)
		}
		s.env.start(j)
	})
	s.awaitReply(&m)
}

// finding is a loop's part of CLIENT LIST ID, a job: it describes each client once.
type finding struct {
	ids    []uint64
	lines  map[uint64][]byte
	size   int // of the lines, bytes
	answer func(any)
}

func (f *finding) piece(e *Env) (done bool) {
	p, watch := e.aPiece(), e.serverIs(7, 4)
	for ; len(f.ids) > 0 && !p.over(e); f.ids = f.ids[1:] {
		e.spend(matchWork)
		id := f.ids[0]
		s := e.roster.find(id)
		if s == nil || s.eof || f.lines[id] != nil {
			continue
		}
		f.lines[id] = s.appendDescription(nil, watch)
		f.size += len(f.lines[id])
	}
	if len(f.ids) > 0 {
		return false
	}
	f.answer(f)
	return true
}

func (f *finding) giveUp() { f.answer(nil) }

// repeatLines hands out a line for each ID, a job: at first it adds up their lengths.
type repeatLines struct {
	emission
	ids         []uint64
	found       []map[uint64][]byte // by loop
	next, total int
}

func (r *repeatLines) line(id uint64) []byte {
	for _, lines := range r.found {
		if line := lines[id]; line != nil {
			return line
		}
	}
	return nil
}

func (r *repeatLines) piece(e *Env) (done bool) {
	if r.holdsOff(r) {
		return true
	}
	p := e.aPiece()
	var b []byte
	if !r.begun {
		for ; r.next < len(r.ids); r.next++ {
			if p.over(e) {
				return false
			}
			r.total += len(r.line(r.ids[r.next]))
			e.spend(matchWork)
		}
		b, r.next = parser.AppendVerbatimHead(b, int(r.s.proto), r.total), 0
	}
	for ; r.next < len(r.ids) && r.s.state != closed; r.next++ {
		if p.over(e) {
			r.put(b, false)
			return false
		}
		line := r.line(r.ids[r.next])
		b = append(b, line...)
		e.spend(copyWork + len(line))
	}
	r.put(append(b, "\r\n"...), true)
	return true
}
