package session

import "ringmaster/stats"

// passage is something that must not be overtaken: it begins when every earlier request is answered, and what
// the client sent behind it waits until it is over. Two connections to one server have no mutual order, so
// whatever moves a session from one to another is a passage.
type passage interface {
	// step goes as far as it can now. When it is over it has called endPassage.
	step(s *Session)
	// cancel ends the passage of a session that closes; unanswered: its command has no reply and no place for one.
	cancel(s *Session) (unanswered bool)
}

// begin starts a passage, which may be over at once.
func (s *Session) begin(p passage) {
	if s.state != open {
		return
	}
	s.passage, s.wait = p, answers
	if s.Owed() == 0 {
		p.step(s)
	}
}

// endPassage ends the passage: what the client has sent behind it may be looked at.
func (s *Session) endPassage() { s.passage, s.wait = nil, nothing }

// Hold is pool.Client: what comes behind waits until everything before it is answered. A client of which servers keep state
// on their connections has to begin anew where its keys are elsewhere.
func (s *Session) Hold() bool {
	if s.pin != nil && s.pin.dirty {
		s.closeAs(stats.StateLost)
		return false
	}
	s.await()
	return true
}

// Latest is pool.Client.
func (s *Session) Latest(place uint64) bool { return place+1 == s.tail }

// Await is pool.Client.
func (s *Session) Await() { s.await() }

// await has what comes behind wait until everything before it is answered.
func (s *Session) await() {
	if s.state == open && s.passage == nil {
		s.begin(halt{})
	}
}

// awaitReply has what comes behind wait for a reply of the proxy's own, unless it is made already.
func (s *Session) awaitReply(m *emission) {
	if m.within == nil && s.state == open && m.tag >= s.head && !s.slot(m.tag).is.has(isWhole) {
		s.await()
	}
}

// halt is a passage that nobody asked for: what comes behind waits until all before is answered. It takes no memory.
type halt struct{}

func (halt) step(s *Session) {
	if s.state == open && s.Owed() == 0 {
		s.endPassage()
	}
}

func (halt) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	return false
}

// mayGoOn reports whether the next request can be looked at: not while the servers keep all waiting, nor while the session
// has to catch up with the map.
func (s *Session) mayGoOn() bool {
	if s.env.pause.until > 0 && s.waitForAll() {
		return false
	}
	return s.version == s.env.version || s.catchUp()
}

// catchUp goes by the loop's map from now on; false: not before what is under way by an older one is answered.
func (s *Session) catchUp() bool {
	if s.Owed() > 0 {
		s.await()
		return false
	}
	s.version = s.env.version
	return true
}

// errand is a request that goes, as a passage, over another connection than those before it.
type errand struct {
	send func(*Session) // sends it; or answers why not
	done func(*Session) // when it is answered
	sent bool
	idle bool // nobody asked: it only holds up what comes behind
}

func (e *errand) step(s *Session) {
	if !e.sent {
		if s.Owed() > 0 {
			return
		}
		e.sent = true
		e.send(s)
	}
	if s.state != open || s.Owed() > 0 || s.passage != e {
		return
	}
	s.endPassage()
	e.done(s)
}

func (e *errand) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	return !e.sent && !e.idle
}

// standstill is an errand without a request: what comes behind waits until all before is answered, and done is called.
func standstill(done func(*Session)) *errand {
	return &errand{send: func(*Session) {}, done: done, idle: true}
}

// maxAsked bounds how often the loops are asked whether what a client waits for is over.
const maxAsked = 1000
