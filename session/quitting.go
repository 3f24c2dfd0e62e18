package session

import (
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/stats"
)

// quitting is the passage of a client that quits while others redirect their invalidations to it: it has its answer when the
// servers know that it is gone, as Redis does by then.
type quitting struct {
	s      *Session // nil: cancelled
	asked  int
	asking bool // the loops
	known  bool
}

// quit is QUIT.
func (s *Session) quit(*command.Spec, *parser.Request) {
	if s.isTarget() {
		s.begin(&quitting{s: s})
		return
	}
	s.quitNow()
}

func (s *Session) quitNow() {
	s.answerString("+OK\r\n")
	s.closeAs(stats.Quit)
}

func (q *quitting) step(s *Session) {
	switch {
	case s.Owed() > 0 || q.asking:
	case !q.known:
		q.ask(s.env.Env)
	default:
		s.endPassage()
		q.s = nil
		s.quitNow()
	}
}

// ask has the loops take leave of the client, and asks again at a tick until all servers have answered.
func (q *quitting) ask(env *Env) {
	id := q.s.ID()
	q.asking = true
	q.asked++
	env.askLoops(func(e *Env) any { return e.leave(id) }, func(answers []any) {
		q.asking = false
		switch q.known = !slices.Contains(answers, any(false)) || q.asked >= maxAsked; {
		case q.s == nil:
		case q.known:
			q.s.resumeLater()
		default:
			env.held = append(env.held, q.s)
		}
	})
}

// leave ends what the servers send for a client that goes. It reports whether they all know.
func (e *Env) leave(id uint64) (known bool) {
	d := redirectionsOf(e)
	for r := range d.all {
		if r.to == id && r.done == nil { // else somebody waits for it
			r.leave()
		}
	}
	for r := range d.leaving {
		if r.to == id {
			return false
		}
	}
	return true
}

func (q *quitting) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	q.s = nil
	return true
}
