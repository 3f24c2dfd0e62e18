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
	s      *session.Session // nil: cancelled
	asked  int
	asking bool // the loops
	known  bool
}

// Quit is QUIT.
func Quit(s *session.Session, _ *command.Spec, _ *parser.Request) {
	if isTarget(s) {
		s.Begin(&quitting{s: s})
		return
	}
	quitNow(s)
}

func quitNow(s *session.Session) {
	s.AnswerString("+OK\r\n")
	s.CloseAs(stats.Quit)
}

func (q *quitting) Step(s *session.Session) {
	switch {
	case s.Owed() > 0 || q.asking:
	case !q.known:
		q.ask(s.Door.Env)
	default:
		s.EndPassage()
		q.s = nil
		quitNow(s)
	}
}

// ask has the loops take leave of the client, and asks again at a tick until all servers have answered.
func (q *quitting) ask(env *session.Env) {
	id := q.s.ID()
	q.asking = true
	q.asked++
	env.AskLoops(func(e *session.Env) any { return leave(e, id) }, func(answers []any) {
		q.asking = false
		switch q.known = !slices.Contains(answers, any(false)) || q.asked >= session.MaxAsked; {
		case q.s == nil:
		case q.known:
			q.s.ResumeLater()
		default:
			env.Held = append(env.Held, q.s)
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

func (q *quitting) Cancel(s *session.Session) (unanswered bool) {
	s.EndPassage()
	q.s = nil
	return true
}
