package session

import (
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/stats"
)

// clientKill is CLIENT KILL addr, or CLIENT KILL with filters.
func (s *Session) clientKill(spec *command.Spec, req *parser.Request) {
	args := req.Args[2:]
	f := filter{skip: s.ID()}
	old := len(args) == 1
	if old {
		f.addr, f.skip = chosen(cString(args[0])), 0
	} else if text := f.parse(s.env.Env, args, s.ID()); text != "" {
		s.refuse(text)
		return
	}
	m := s.emit(0)
	own := s.env
	self := f.match(s)
	f.skip = s.ID() // the one who asks gets its answer first
	own.askLoopsSlowly(s, func(e *Env, answer func(any)) { e.start(newKilling(e, f, answer)) }, func(answers []any) {
		killed := 0
		for _, a := range answers {
			killed += a.(int)
		}
		if self {
			killed++
		}
		reply := parser.AppendInt(nil, int64(killed))
		switch {
		case old && killed == 0:
			reply = parser.AppendError(nil, errNoClient)
		case old:
			reply = []byte("+OK\r\n")
		}
		m.put(reply, true)
		if self {
			s.closeAs(stats.Killed)
		}
	})
	s.awaitReply(&m)
}

// killing is a loop's part of CLIENT KILL, a job.
type killing struct {
	filter
	next   uint64 // the ID to look at next
	n      int
	answer func(any)
}

func newKilling(e *Env, f filter, answer func(any)) *killing {
	f.until = e.nextID()
	return &killing{filter: f, next: f.from(), answer: answer}
}

func (k *killing) piece(e *Env) (done bool) {
	p := e.aPiece()
	if !e.roster.walk(&k.next, k.upTo(), func(s *Session) (more bool) {
		e.spend(matchWork)
		if k.match(s) {
			e.spend(closeWork)
			s.close(stats.Killed)
			k.n++
		}
		return !p.over(e)
	}) {
		return false
	}
	k.answer(k.n)
	return true
}

func (k *killing) giveUp() { k.answer(nil) }
