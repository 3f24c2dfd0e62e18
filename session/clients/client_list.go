package clients

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// List is CLIENT LIST [TYPE type] [ID id ...]. It leaves out clients that come or go while it runs.
func List(s *session.Session, spec *command.Spec, req *parser.Request) {
	var f filter
	switch args := req.Args[2:]; {
	case len(args) == 0:
	case len(args) == 2 && bytes.EqualFold(cString(args[0]), []byte("type")):
		if text := f.setKind(args[1]); text != "" {
			s.Refuse(text)
			return
		}
	case len(args) > 1 && bytes.EqualFold(cString(args[0]), []byte("id")):
		ids := make([]uint64, len(args)-1)
		for i, a := range args[1:] {
			n, ok := parser.Int(a)
			if !ok {
				s.Refuse(texts.ClientID)
				return
			}
			ids[i] = uint64(n)
		}
		listByID(s, ids)
		return
	default:
		s.Refuse(texts.Syntax)
		return
	}
	m := s.Emit(0)
	s.Door.AskLoopsSlowly(s, func(e *session.Env, answer func(any)) { e.Start(newListing(e, f, answer)) }, func(answers []any) {
		j := &joining{Emission: m}
		for _, a := range answers {
			l := a.(*lines)
			j.lists = append(j.lists, l)
			j.Hold(len(l.text))
		}
		s.Door.Start(j)
	})
	s.AwaitReply(&m)
}

// lines are the lines of clients in the order of their IDs.
type lines struct {
	text []byte
	ends []lineEnd
	used int // how much of text was taken; bytes
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

// listing is a job that does one loop's part of CLIENT LIST.
type listing struct {
	session.Impersonal
	filter
	lines
	next   uint64
	answer func(any)
}

func newListing(e *session.Env, f filter, answer func(any)) *listing {
	f.until = e.NextID()
	return &listing{filter: f, answer: answer}
}

func (l *listing) Piece(e *session.Env) (done bool) {
	p, watch := e.APiece(), e.ServerIs(7, 4)
	if !e.Roster.Walk(&l.next, l.upTo(), func(s *session.Session) (more bool) {
		e.Spend(session.MatchWork)
		if l.match(s) {
			l.text = appendDescription(s, l.text, watch)
			l.ends = append(l.ends, lineEnd{s.ID(), len(l.text)})
		}
		return !p.Over(e)
	}) {
		return false
	}
	l.answer(&l.lines)
	return true
}

func (l *listing) GiveUp() { l.answer(nil) }

// joining is a job that writes the lines of all loops in the order of their IDs.
type joining struct {
	session.Emission
	lists []*lines
}

func (j *joining) Piece(e *session.Env) (done bool) {
	if j.HoldsOff(j) {
		return true
	}
	p := e.APiece()
	var b []byte
	if !j.Begun {
		total := 0
		for _, l := range j.lists {
			total += len(l.text)
		}
		b = parser.AppendVerbatimHead(b, int(j.Session.Protocol), total)
	}
	for !p.Over(e) {
		l := lowest(j.lists)
		if l == nil || j.Session.State == session.Closed {
			j.Give(append(b, "\r\n"...), true)
			return true
		}
		before := len(b)
		b = l.take(b)
		j.Use(len(b) - before)
		e.Spend(session.CopyWork + len(b) - before)
	}
	j.Give(b, false)
	return false
}

// lowest returns the list whose next line has the lowest ID; nil: no lines are left.
func lowest(lists []*lines) (low *lines) {
	for _, l := range lists {
		if len(l.ends) > 0 && (low == nil || l.ends[0].id < low.ends[0].id) {
			low = l
		}
	}
	return low
}

// listByID is CLIENT LIST ID. It writes a line for each of ids, in that order, even if an ID comes twice.
func listByID(s *session.Session, ids []uint64) {
	m := s.Emit(0)
	s.Door.AskLoopsSlowly(s, func(e *session.Env, answer func(any)) {
		e.Start(&finding{ids: ids, lines: map[uint64][]byte{}, answer: answer})
	}, func(answers []any) {
		j := &repeatLines{Emission: m, ids: ids}
		for _, a := range answers {
			f := a.(*finding)
			j.found = append(j.found, f.lines)
			j.Hold(f.size)
		}
		s.Door.Start(j)
	})
	s.AwaitReply(&m)
}

// finding is a job that does one loop's part of CLIENT LIST ID. It describes each client once.
type finding struct {
	session.Impersonal
	ids    []uint64
	lines  map[uint64][]byte
	size   int // of the lines, bytes
	answer func(any)
}

func (f *finding) Piece(e *session.Env) (done bool) {
	p, watch := e.APiece(), e.ServerIs(7, 4)
	for ; len(f.ids) > 0 && !p.Over(e); f.ids = f.ids[1:] {
		e.Spend(session.MatchWork)
		id := f.ids[0]
		s := e.Roster.Find(id)
		if s == nil || s.EOF || f.lines[id] != nil {
			continue
		}
		f.lines[id] = appendDescription(s, nil, watch)
		f.size += len(f.lines[id])
	}
	if len(f.ids) > 0 {
		return false
	}
	f.answer(f)
	return true
}

func (f *finding) GiveUp() { f.answer(nil) }

// repeatLines is a job that writes a line for each ID. It first adds up the lengths.
type repeatLines struct {
	session.Emission
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

func (r *repeatLines) Piece(e *session.Env) (done bool) {
	if r.HoldsOff(r) {
		return true
	}
	p := e.APiece()
	var b []byte
	if !r.Begun {
		for ; r.next < len(r.ids); r.next++ {
			if p.Over(e) {
				return false
			}
			r.total += len(r.line(r.ids[r.next]))
			e.Spend(session.MatchWork)
		}
		b, r.next = parser.AppendVerbatimHead(b, int(r.Session.Protocol), r.total), 0
	}
	for ; r.next < len(r.ids) && r.Session.State != session.Closed; r.next++ {
		if p.Over(e) {
			r.Give(b, false)
			return false
		}
		line := r.line(r.ids[r.next])
		b = append(b, line...)
		e.Spend(session.CopyWork + len(line))
	}
	r.Give(append(b, "\r\n"...), true)
	return true
}
