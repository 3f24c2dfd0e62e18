package clients

import (
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// Kill is CLIENT KILL, with an address or with options.
func Kill(s *session.Session, spec *command.Spec, req *parser.Request) {
	args := req.Args[2:]
	f := filter{skip: s.ID()}
	old := len(args) == 1
	if old {
		f.addr, f.skip = chosen(cString(args[0])), 0
	} else if text := f.parse(s.Door.Env, args, s.ID()); text != "" {
		s.Refuse(text)
		return
	}
	m := s.Emit(0)
	own := s.Door
	self := f.match(s)
	f.skip = s.ID() // the client that asks is closed after its answer
	own.AskLoopsSlowly(s, func(e *session.Env, answer func(any)) { e.Start(newKilling(e, f, answer)) }, func(answers []any) {
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
			reply = parser.AppendError(nil, texts.NoClient)
		case old:
			reply = []byte("+OK\r\n")
		}
		m.Give(reply, true)
		if self {
			s.CloseAs(stats.Killed)
		}
	})
	s.AwaitReply(&m)
}

// killing is a job that does one loop's part of CLIENT KILL.
type killing struct {
	session.Impersonal
	filter
	next   uint64 // the ID to look at next
	n      int
	answer func(any)
}

func newKilling(e *session.Env, f filter, answer func(any)) *killing {
	f.until = e.NextID()
	return &killing{filter: f, next: f.from(), answer: answer}
}

func (k *killing) Piece(e *session.Env) (done bool) {
	p := e.APiece()
	if !e.Roster.Walk(&k.next, k.upTo(), func(s *session.Session) (more bool) {
		e.Spend(session.MatchWork)
		if k.match(s) {
			e.Spend(session.CloseWork)
			s.Close(stats.Killed)
			k.n++
		}
		return !p.Over(e)
	}) {
		return false
	}
	k.answer(k.n)
	return true
}

func (k *killing) GiveUp() { k.answer(nil) }
