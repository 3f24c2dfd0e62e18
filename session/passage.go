package session

import (
	"fmt"

	"ringmaster/pool"
)

// A passage is something that must not be overtaken: it begins when every earlier request is answered, and what the client sends
// after it waits until it is over. Two connections to one server have no mutual order, so whatever moves a session from one to
// another is a passage.
//
//	Begin ──▸ Step(Replies) ── Await(w) ──▸ Resume(w) ──▸ Step(w) ── ... ──▸ End
//	                               └── the session closes ──▸ Cancel
//
// A type of passage embeds Passage, has the method Step, and has Cancel if Passage's is not right for it. Step is one switch over
// what has come: each case asks for something and names what it waits for next, or ends the passage.

// passage is what the core calls.
type passage interface {
	// Step does what can be done now that the passage has what it waited for: came. Before it returns it calls Await or End, or
	// begins another passage, which takes its place; otherwise the passage goes on waiting for the same. The core calls it with
	// Replies first, and with Deadline when the passage has lasted too long. The session is open.
	Step(s *Session, came Wait)
	// Cancel tells, once, that the session closes before the passage has ended. It is over already, and lets go of what it holds.
	// It reports whether its command is unanswered: the core answers for one that has no reply and no place for one.
	Cancel(s *Session) (unanswered bool)
	skeleton() *Passage
}

// Passage is what the core keeps of a passage. A passage begins once, and must not be copied after that. Loop-only.
//
// Invariant: s == nil || s.passage.skeleton() == p.
type Passage struct {
	s        *Session // nil: it has not begun, or it is over
	come     bool     // what it waits for
	expired  bool     // its deadline has passed while it waited for its turn
	stepping bool     // Step is under way
}

func (p *Passage) skeleton() *Passage { return p }

// Begin starts a passage. Step is called at once if nothing is owed, so that the passage may be over when Begin returns. A session
// that closes begins none. While another passage is under way only that passage's own Step may begin one.
func (s *Session) Begin(p passage) {
	if s.State != Open {
		return
	}
	if s.passage != nil {
		old := s.passage.skeleton()
		if panicsEnd && !old.stepping {
			panic(fmt.Sprintf("%T begins while %T waits for %v", p, s.passage, s.wait))
		}
		old.s = nil
	}
	p.skeleton().s = s
	s.passage, s.wait = p, Replies
	if s.Owed() == 0 {
		s.step()
	}
}

// step has the passage take its next step.
func (s *Session) step() {
	p, came := s.passage.skeleton(), s.wait
	if p.expired {
		came = Deadline
	}
	p.come, p.expired, p.stepping = false, false, true
	s.passage.Step(s, came)
	p.stepping = false
}

// cancelPassage ends the passage of a session that closes; unanswered: its command has no reply and no place for one.
func (s *Session) cancelPassage() (unanswered bool) {
	p := s.passage
	if p == nil {
		return false
	}
	p.skeleton().End()
	return p.Cancel(s)
}

// End ends the passage: what the client has sent after it is looked at next. It does nothing if the passage is over.
func (p *Passage) End() {
	if s := p.s; s != nil {
		p.s, s.passage, s.wait = nil, nil, nothing
	}
}

// Over reports whether the passage has ended, was cancelled, or has not begun.
func (p *Passage) Over() bool { return p.s == nil }

// Session is the session that waits; nil: the passage is over.
func (p *Passage) Session() *Session { return p.s }

// Client is pool.Receiver, for passages that ask servers.
func (p *Passage) Client() pool.Client { return p.s }

// Cancel is passage, for those that hold nothing and whose command is unanswered until they end.
func (p *Passage) Cancel(*Session) (unanswered bool) { return true }

// Await names what the passage waits for from now on. A Resume that comes before it is lost, so call it before you ask for w. The core
// itself notices Replies and Tick. AwaitTurn waits for Turn, and AskLoops for Loops. Await does nothing if the passage is over.
func (p *Passage) Await(w Wait) {
	s := p.s
	if s == nil {
		return
	}
	s.wait, p.come = w, false
	switch {
	case w == Tick:
		s.Door.held = append(s.Door.held, s)
	case w == Replies && s.Owed() == 0:
		s.ResumeLater()
	}
}

// Resume tells that w has come: Step is called at the end of the turn, outside of whatever calls. Anybody may call it at any time:
// it does nothing and reports false if the passage waits for something else, or is over.
func (p *Passage) Resume(w Wait) bool {
	if p.s == nil || p.s.wait != w {
		return false
	}
	p.come = true
	p.s.ResumeLater()
	return true
}

// AwaitTurn has the passage, which is j too, go on when the loop has heard its sockets. j is a job from then on, even if the session
// closes meanwhile: a passage that has to finish its work then has a method Piece of its own.
func (p *Passage) AwaitTurn(s *Session, j job) {
	p.Await(Turn)
	s.Door.Queue(j)
}

// GiveUp is job, for passages that wait for their turn: a panic in one ends its client, and nobody else waits for it.
func (p *Passage) GiveUp() {}

// Piece is job, for passages that wait for their turn.
func (p *Passage) Piece(*Env) (done bool) {
	if s := p.s; s != nil && s.wait == Turn {
		p.come = true
		s.GoOn()
	}
	return true
}

// AskLoops runs question on every loop, this one included. heard takes the answers; after that Step is called with Loops, unless
// heard has named something else to wait for. Answers that come when the passage does not wait for them any more are dropped. If
// heard panics the session is closed.
func (p *Passage) AskLoops(question func(*Env) any, heard func(answers []any)) {
	s := p.s
	if s == nil {
		return
	}
	p.Await(Loops)
	own := question(s.Door.Env)
	answered := func(answers []any) {
		if p.s == nil || s.wait != Loops {
			return
		}
		defer s.guard()
		heard(append(answers, own))
		p.Resume(Loops)
	}
	if s.Door.Peers == nil {
		answered(nil)
		return
	}
	s.Door.Peers.Ask(question, answered)
}

// A request on a connection has its deadline from package pool. A passage that waits for something else, such as a server's word on
// a subscription that others asked for too, has one of these.

// deadline is when a passage must be over.
//
// Invariant: Env.deadlines is sorted by at.
type deadline struct {
	at int64 // ns
	p  *Passage
}

// Limit bounds the passage by the timeout, from now on. After that it waits for nothing more, and Step is called with Deadline; if
// it waits for its turn, Step is called with Deadline in place of Turn.
func (p *Passage) Limit() {
	if p.s == nil {
		return
	}
	e := p.s.Door.Env
	if limit := int64(e.Pool.Timeout()); limit > 0 {
		e.deadlines = append(e.deadlines, deadline{e.Pool.Now + limit, p})
		for i := len(e.deadlines) - 1; i > 0 && e.deadlines[i].at < e.deadlines[i-1].at; i-- { // the timeout was longer before
			e.deadlines[i], e.deadlines[i-1] = e.deadlines[i-1], e.deadlines[i]
		}
	}
}

// passDeadlines tells the passages that have lasted too long. It lets go of those that are over meanwhile: they hold requests.
func (e *Env) passDeadlines() {
	n := 0
	for ; n < len(e.deadlines) && (e.deadlines[n].p.Over() || e.deadlines[n].at < e.Pool.Now); n++ {
		e.deadlines[n].p.expire()
		e.deadlines[n] = deadline{}
	}
	if e.deadlines = e.deadlines[n:]; len(e.deadlines) == 0 {
		e.deadlines = nil
	}
}

// expire ends the wait of a passage whose deadline has passed.
func (p *Passage) expire() {
	if p.s != nil && p.s.wait == Turn {
		p.expired = true
		return
	}
	p.Await(Deadline)
	p.Resume(Deadline)
}
