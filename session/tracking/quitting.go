package tracking

import (
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/stats"
)

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

// quitting is the passage of a client that quits while others redirect their invalidations to it. As in Redis, it gets
// its answer after the servers know that it is gone.
type quitting struct {
	session.Passage
	asked int
}

func (q *quitting) Step(s *session.Session, came session.Wait) {
	if came == session.Loops {
		q.End()
		quitNow(s)
		return
	}
	id := s.ID()
	q.asked++
	q.AskLoops(func(e *session.Env) any { return quitRedirectsTo(e, id) }, func(answers []any) {
		if slices.Contains(answers, any(false)) && q.asked < session.MaxAsked {
			q.Await(session.Tick) // Step asks again then
		}
	})
}
