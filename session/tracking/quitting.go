package tracking

import (
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/stats"
)

// quitting is the passage of a client that quits while others redirect their invalidations to it: it has its answer when the
// servers know that it is gone, as Redis does by then.
type quitting struct {
	session.Passage
	asked int
}

// Quit is QUIT.
func Quit(s *session.Session, _ *command.Spec, _ *parser.Request) {
	if isTarget(s) {
		s.Begin(&quitting{})
		return
	}
	quitNow(s)
}

func quitNow(s *session.Session) {
	s.AnswerString("+OK\r\n")
	s.CloseAs(stats.Quit)
}

func (q *quitting) Step(s *session.Session, came session.Wait) {
	if came == session.Loops {
		q.End()
		quitNow(s)
		return
	}
	id := s.ID()
	q.asked++
	q.AskLoops(func(e *session.Env) any { return leave(e, id) }, func(answers []any) {
		if slices.Contains(answers, any(false)) && q.asked < session.MaxAsked {
			q.Await(session.Tick) // then it asks again
		}
	})
}

// leave ends what the servers send for a client that goes. It reports whether they all know.
func leave(e *session.Env, id uint64) (known bool) {
	d := redirectionsOf(e)
	for r := range d.all {
		if r.To == id && r.done == nil { // else somebody waits for it
			r.leave()
		}
	}
	for r := range d.leaving {
		if r.To == id {
			return false
		}
	}
	return true
}
