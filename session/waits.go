package session

import (
	"ringmaster/session/slots"
	"ringmaster/stats"
)

// Wait is what a session waits for before it looks at its input again.
type Wait uint8

const (
	nothing Wait = iota

	// A passage names one of these (Passage.Await).

	Replies  // every reply that the client is owed
	Servers  // a server's answer to a question of the passage's own
	Loops    // the answers of all loops
	Others   // what other clients have under way
	Turn     // until the loop has heard its sockets
	Tick     // the next tick
	Time     // a time that the passage keeps itself
	Deadline // nothing more: the passage has lasted for the timeout

	// The session waits for these without a passage, and in the same way for Replies and Turn. Nobody asked for such a wait, so it
	// takes no memory, and a passage may take its place.

	inFlight // half of its window to be answered (throttle.go)
	room     // a server to take what waits for it: the request at the start of the input is a large one
	pause    // the servers to answer anything again (pause.go)
)

var waitNames = [...]string{"nothing", "replies", "servers", "loops", "others", "turn", "tick", "time", "deadline", "in flight", "room", "pause"}

func (w Wait) String() string { return waitNames[w] }

// hasCome reports whether what the session waits for has come. Whoever wakes the session need not know what it waits for: a wake-up
// that was meant for an earlier wait ends here.
func (s *Session) hasCome() bool {
	switch s.wait {
	case Replies:
		return s.Owed() == 0
	case inFlight:
		return s.relieved()
	case pause:
		return s.pauseIsOver()
	}
	return s.passage == nil || s.passage.skeleton().come
}

// settleWait looks, after a reply, whether what is waited for has come.
func (s *Session) settleWait() {
	switch s.wait {
	case inFlight:
		if s.relieved() {
			s.ResumeLater()
		}
	case Replies, pause:
		if s.Owed() == 0 {
			s.ResumeLater()
		}
	}
}

// HeldUp reports whether the client's next request is not looked at until something is over: a passage, every earlier request, or
// a pause.
func (s *Session) HeldUp() bool { return s.passage != nil || s.wait == Replies || s.wait == pause }

// Hold is pool.Client: what comes after waits until everything before it is answered. A client of which servers keep state
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

// Await is pool.Client: what comes after waits until everything before it is answered.
func (s *Session) Await() {
	if s.State != Open || s.HeldUp() {
		return
	}
	if s.wait = Replies; s.Owed() == 0 {
		s.wait = nothing
	}
}

// AwaitReply has what comes after wait for a reply of the proxy's own, unless it is made already.
func (s *Session) AwaitReply(m *Emission) {
	if m.within == nil && s.State == Open && m.Tag >= s.Slots.Head() && !s.Slots.At(m.Tag).Is.Has(slots.Whole) {
		s.Await()
	}
}

// mayGoOn reports whether the next request can be looked at: not while the servers keep all waiting, nor while the session
// has to catch up with the map.
func (s *Session) mayGoOn() bool {
	if s.Door.Pause.Until > 0 && s.waitForAll() {
		return false
	}
	return s.version == s.Door.Version || s.catchUp()
}

// catchUp has the session go by the loop's map from now on; false: requests that were sent by an older map are not answered yet.
func (s *Session) catchUp() bool {
	if s.Owed() > 0 {
		s.Await()
		return false
	}
	s.version = s.Door.Version
	return true
}
