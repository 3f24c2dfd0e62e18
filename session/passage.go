package session

import (
	"ringmaster/session/slots"
	"ringmaster/stats"
)

// passage is something that must not be overtaken: it begins when every earlier request is answered, and what
// the client sent behind it waits until it is over. Two connections to one server have no mutual order, so
// whatever moves a session from one to another is a passage.
type passage interface {
	// step goes as far as it can now. When it is over it has called endPassage.
	Step(s *Session)
	// cancel ends the passage of a session that closes; unanswered: its command has no reply and no place for one.
	Cancel(s *Session) (unanswered bool)
}

// Begin starts a passage, which may be over at once.
func (s *Session) Begin(p passage) {
	if s.State != Open {
		return
	}
	s.Passage, s.wait = p, answers
	if s.Owed() == 0 {
		p.Step(s)
	}
}

// EndPassage ends the passage: what the client has sent behind it may be looked at.
func (s *Session) EndPassage() { s.Passage, s.wait = nil, nothing }

// Hold is pool.Client: what comes behind waits until everything before it is answered. A client of which servers keep state
// on their connections has to begin anew where its keys are elsewhere.
func (s *Session) Hold() bool {
	if s.Pin != nil && s.Pin.Dirty {
		s.CloseAs(stats.StateLost)
		return false
	}
	s.Await()
	return true
}

// Latest is pool.Client.
func (s *Session) Latest(place uint64) bool { return place+1 == s.Slots.Tail() }

// Await is pool.Client: it has what comes behind wait until everything before it is answered.
func (s *Session) Await() {
	if s.State == Open && s.Passage == nil {
		s.Begin(halt{})
	}
}

// AwaitReply has what comes behind wait for a reply of the proxy's own, unless it is made already.
func (s *Session) AwaitReply(m *Emission) {
	if m.within == nil && s.State == Open && m.Tag >= s.Slots.Head() && !s.Slots.At(m.Tag).Is.Has(slots.Whole) {
		s.Await()
	}
}

// halt is a passage that nobody asked for: what comes behind waits until all before is answered. It takes no memory.
type halt struct{}

func (halt) Step(s *Session) {
	if s.State == Open && s.Owed() == 0 {
		s.EndPassage()
	}
}

func (halt) Cancel(s *Session) (unanswered bool) {
	s.EndPassage()
	return false
}

// mayGoOn reports whether the next request can be looked at: not while the servers keep all waiting, nor while the session
// has to catch up with the map.
func (s *Session) mayGoOn() bool {
	if s.Door.Pause.Until > 0 && s.waitForAll() {
		return false
	}
	return s.version == s.Door.Version || s.catchUp()
}

// catchUp goes by the loop's map from now on; false: not before what is under way by an older one is answered.
func (s *Session) catchUp() bool {
	if s.Owed() > 0 {
		s.Await()
		return false
	}
	s.version = s.Door.Version
	return true
}

// Errand is a request that goes, as a passage, over another connection than those before it.
type Errand struct {
	Send func(*Session) // sends it; or answers why not
	Done func(*Session) // when it is answered
	sent bool
	idle bool // nobody asked: it only holds up what comes behind
}

func (e *Errand) Step(s *Session) {
	if !e.sent {
		if s.Owed() > 0 {
			return
		}
		e.sent = true
		e.Send(s)
	}
	if s.State != Open || s.Owed() > 0 || s.Passage != e {
		return
	}
	s.EndPassage()
	e.Done(s)
}

func (e *Errand) Cancel(s *Session) (unanswered bool) {
	s.EndPassage()
	return !e.sent && !e.idle
}

// Standstill is an errand without a request: what comes behind waits until all before is answered, and done is called.
func Standstill(done func(*Session)) *Errand {
	return &Errand{Send: func(*Session) {}, Done: done, idle: true}
}

// MaxAsked bounds how often the loops are asked whether what a client waits for is over.
const MaxAsked = 1000
