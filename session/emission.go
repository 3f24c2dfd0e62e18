package session

import "ringmaster/pool"

// A long reply that the proxy makes or joins itself is made by a job, at its turn, in pieces, as fast as the client reads. Made at
// once, before its turn or while the client does not read, it would stand in memory twice: what it is made of, and the reply.
//
//	start ──▸ piece ── put ──▸ out ──▸ the client
//	            ▴ └─ holdsOff ──▸ Session.emissions
//	            └───────────────────── goOnEmitting, at the reply's turn and when the client has read

// emission hands a reply out in pieces. The client has its beginning before the end is made.
type emission struct {
	s      *Session
	tag    uint64
	begun  bool
	within *outer // the reply is a part of that one, whose tag it has; nil: it is a reply of its own
	held   int    // bytes of what the reply is made of, counted in s.held
}

// outer is a reply that is made by a job, and of which the replies to several commands are parts: EXEC's.
type outer struct {
	emission
	job    job
	waits  bool // for the reply to a command that other loops or servers are asked for
	atWork bool // a piece of the job is under way
	muted  bool // the client hears only confirmations of subscriptions now
}

// partial takes a part of the reply to the command that is waited for.
func (o *outer) partial(b []byte, last bool) {
	if o.muted {
		b = nil
	}
	o.put(b, false)
	if last {
		if o.waits = false; !o.atWork {
			o.s.env.start(o.job)
		}
	}
}

// parked is a job that makes a reply and waits for the reply's turn, or for the client to read.
type parked struct {
	job job
	tag uint64
}

// Client is pool.Receiver, for those that receive replies to make one.
func (m *emission) Client() pool.Client { return m.s }

// emit makes the place for the reply to a request of size bytes that is being dispatched, or run by EXEC.
func (s *Session) emit(size int) emission {
	if o := s.env.answering; o != nil {
		o.waits = true
		return emission{s: s, tag: o.tag, within: o}
	}
	return emission{s: s, tag: s.expect(size)}
}

// holdsOff reports whether nothing of the reply is made now. Then j has to end its piece: the session starts it again.
func (m *emission) holdsOff(j job) bool {
	s := m.s
	if s.state == closed || m.tag == s.head && !s.lags() {
		return false
	}
	s.wakeLater(j, m.tag)
	return true
}

// hold counts n bytes that the reply is made of as the client's output, until they are used or the reply ends.
func (m *emission) hold(n int) {
	m.held += n
	m.s.countHeld(n)
}

// use counts out what is in the reply now, or needed no more.
func (m *emission) use(n int) {
	n = min(n, m.held)
	m.held -= n
	m.s.countHeld(-n)
}

// put hands out b. Borrows b until return.
func (m *emission) put(b []byte, last bool) {
	if last {
		m.use(m.held)
	}
	if m.within != nil {
		m.begun = true
		m.within.partial(b, last)
		return
	}
	var p pool.Piece
	if !m.begun {
		p |= pool.First
	}
	if last {
		p |= pool.Last
	}
	m.begun = true
	m.s.Reply(m.tag, b, p)
}

// lags reports whether the client has so much unread output that nothing more is made for it: as much as makes its window smaller.
// One whose input waits, too, may be stuck in writing, and goes on up to its limit.
func (s *Session) lags() bool {
	if s.state == closed {
		return false
	}
	e := s.env
	limit, waits := e.unreadFrom, s.sock.Buffered()
	if s.paused && !e.pressed {
		limit = e.Config.OutputLimit
	}
	if s.subs != nil {
		limit = min(limit, e.Config.SubscriberOutputLimit/4) // at which it would be closed
	}
	if s.out != nil {
		waits += len(s.out.B)
	}
	return waits > limit
}

// wakeLater starts j again when it is reply tag's turn and the client has read.
func (s *Session) wakeLater(j job, tag uint64) {
	if s.emissions == nil {
		s.emissions = new([]parked)
	}
	*s.emissions = append(*s.emissions, parked{j, tag})
}

// goOnEmitting starts the job again whose reply's turn it is, unless the client has too much to read.
func (s *Session) goOnEmitting() {
	if s.lags() {
		return
	}
	list := *s.emissions
	left := list[:0]
	for _, w := range list {
		if w.tag == s.head {
			s.env.queue(w.job)
		} else {
			left = append(left, w)
		}
	}
	clear(list[len(left):])
	if *s.emissions = left; len(left) == 0 {
		s.emissions = nil
	}
}

// endEmissions has the jobs of a client that is gone see that.
func (s *Session) endEmissions() {
	if s.emissions == nil {
		return
	}
	for _, w := range *s.emissions {
		s.env.queue(w.job)
	}
	s.emissions = nil
}
