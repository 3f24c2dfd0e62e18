package session

import "ringmaster/pool"

// A long reply that the proxy makes or joins itself is made by a job, at its turn, in pieces, as fast as the client reads. Made at
// once, before its turn or while the client does not read, it would stand in memory twice: what it is made of, and the reply.
//
//	start ──▸ piece ── Give ──▸ Out ──▸ the client
//	            ▴ └─ HoldsOff ──▸ parked aside
//	            └───────────────────── goOnEmitting, at the reply's turn and when the client has read

// Emission hands a reply out in pieces. The client has its beginning before the end is made.
type Emission struct {
	Session *Session
	Tag     uint64
	Begun   bool
	within  *Outer // the reply is a part of that one, whose tag it has; nil: it is a reply of its own
	Held    int    // bytes of what the reply is made of, counted in Out.Held
}

// Outer is a reply that is made by a job, and of which the replies to several commands are parts: EXEC's.
type Outer struct {
	Emission
	Job    job
	Waits  bool // for the reply to a command that other loops or servers are asked for
	AtWork bool // a piece of the job is under way
	Muted  bool // the client hears only confirmations of subscriptions now
}

// partial takes a part of the reply to the command that is waited for.
func (o *Outer) partial(b []byte, last bool) {
	if o.Muted {
		b = nil
	}
	o.Give(b, false)
	if last {
		if o.Waits = false; !o.AtWork {
			o.Session.Door.Start(o.Job)
		}
	}
}

// Client is pool.Receiver, for those that receive replies to make one.
func (m *Emission) Client() pool.Client { return m.Session }

// GiveUp is job: the client's end is the reply's.
func (m *Emission) GiveUp() {}

// Emit makes the place for the reply to a request of size bytes that is being dispatched, or run by EXEC.
func (s *Session) Emit(size int) Emission {
	if o := s.Door.Answering; o != nil {
		o.Waits = true
		return Emission{Session: s, Tag: o.Tag, within: o}
	}
	return Emission{Session: s, Tag: s.Expect(size)}
}

// HoldsOff reports whether nothing of the reply is made now. Then j has to end its piece: the session starts it again.
func (m *Emission) HoldsOff(j job) bool {
	s := m.Session
	if s.State == Closed || m.Tag == s.Slots.Head() && !s.Lags() {
		return false
	}
	s.Out.Park(j, m.Tag)
	return true
}

// Hold counts n bytes that the reply is made of as the client's output, until they are used or the reply ends.
func (m *Emission) Hold(n int) {
	m.Held += n
	m.Session.CountHeld(n)
}

// Use counts out what is in the reply now, or needed no more.
func (m *Emission) Use(n int) {
	n = min(n, m.Held)
	m.Held -= n
	m.Session.CountHeld(-n)
}

// Give hands out b. Borrows b until return.
func (m *Emission) Give(b []byte, last bool) {
	if last {
		m.Use(m.Held)
	}
	if m.within != nil {
		m.Begun = true
		m.within.partial(b, last)
		return
	}
	var p pool.Piece
	if !m.Begun {
		p |= pool.First
	}
	if last {
		p |= pool.Last
	}
	m.Begun = true
	m.Session.Reply(m.Tag, b, p)
}
