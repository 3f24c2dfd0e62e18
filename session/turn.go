package session

import (
	"time"

	"ringmaster/stats"
)

// Tick looks at what waits for a time. The event loop calls it with the pools'.
func (l *Loop) Tick() {
	l.Features.loopTick(l)
	for _, e := range l.envs {
		e.tick()
	}
	l.tickUnread()
	l.closeIdle()
}

// Flush writes every reply of the turn.
func (l *Loop) Flush() {
	for i := 0; i < len(l.due.dirty); i++ {
		s := l.due.dirty[i]
		l.due.dirty[i] = nil
		s.dirty = false
		s.Flush()
	}
	l.due.dirty = l.due.dirty[:0]
}

// Resume lets sessions go on whose wait is over.
func (l *Loop) Resume() {
	for i := 0; i < len(l.due.resume); i++ {
		s := l.due.resume[i]
		l.due.resume[i] = nil
		s.resuming = false
		s.GoOn()
	}
	l.due.resume = l.due.resume[:0]
}

// Dirty reports whether Flush or Resume have something to do.
func (l *Loop) Due() bool { return len(l.due.dirty)+len(l.due.resume) > 0 }

// HasWork reports whether Work has something to do: the loop calls it when it has heard its sockets.
func (w *work) HasWork() bool { return len(w.jobs) > 0 }

// Work does the next pieces.
func (l *Loop) Work() {
	l.workAt, l.Spent = l.Clock.Now, 0
	for n := len(l.jobs); n > 0 && l.Spent < turnWork; n-- {
		t := l.jobs[0]
		l.jobs[0] = task{}
		if l.jobs = l.jobs[1:]; len(l.jobs) == 0 {
			l.jobs = nil
		}
		if !t.env.guardedPiece(t.job) {
			l.jobs = append(l.jobs, t)
		}
	}
}

// guardedPiece does a piece of a job outside of any client's turn. A job that panics ends.
func (e *Env) guardedPiece(j job) (done bool) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		done = true
		e.panicked(SessionOf(j.Client()), cause)
		e.Clock.Distrust()
		j.GiveUp()
	}()
	return j.Piece(e)
}

// tick has the features look at what waits for a time, and lets those go on who wait for the end of a pause, or for a connection.
func (e *Env) tick() {
	e.Features.tick(e)
	e.sendDeferred()
	e.passDeadlines()
	if len(e.held) == 0 || e.Paused() && e.Pause.All {
		return
	}
	for _, s := range e.held {
		if s.passage != nil {
			s.passage.skeleton().Resume(Tick)
		} else {
			s.ResumeLater()
		}
	}
	clear(e.held)
	e.held = e.held[:0]
}

// sendDeferred sends again what waits for it.
func (e *Env) sendDeferred() {
	if len(e.Later) == 0 {
		return
	}
	waiting := e.Later
	e.Later = nil
	for _, again := range waiting {
		again(e)
	}
}

// Flush writes the turn's replies, and closes a session that is done. A turn's end calls it, and the event loop now and then for a session
// that waits for its client to read (Socket.Linger).
func (s *Session) Flush() {
	if s.State == Closed {
		return
	}
	if out := s.Out.buf; out != nil {
		lent := s.lent
		s.Out.buf, s.lent = nil, false
		l := s.Door.Loop
		l.Stats.ClientBytesOut += uint64(len(out.B))
		l.Stats.ClientWrites++
		s.ActiveAt = l.Clock.Now
		_, err := s.Socket.Write(out.B)
		if lent {
			l.lending.putHeader(out)
		} else {
			l.Clock.Buffers.Put(out)
		}
		if s.State == Closed {
			return
		}
		if err != nil {
			s.Close(stats.WriteFailed)
			return
		}
	}
	if n := s.Socket.Buffered(); n > 0 || s.Out.unread > 0 {
		s.hasUnread(n)
	}
	if s.Out.pushed() > 0 || s.Subscriptions != nil {
		if s.boundPushes(); s.State == Closed {
			return
		}
	}
	if s.Out.emits() {
		s.goOnEmitting()
	}
	if s.wait == inFlight && s.relieved() {
		s.ResumeLater() // it may have waited for what was just written
	}
	switch {
	case s.State == Closing && s.Owed() == 0:
		if s.Out.unread == 0 {
			s.Close(s.Reason)
			return
		}
		s.Socket.Linger()
	case s.EOF && !s.Owes():
		s.Close(stats.ClientClosed)
	}
}

// OnEOF tells that the client sends no more, and reads over another socket what it is owed.
func (s *Session) OnEOF(sock Socket) {
	s.Socket, s.EOF, s.Paused = sock, true, false
	s.Door.due.flush(s)
}

// idleEvery is how often clients that are idle are looked for, ns.
const idleEvery = int64(time.Second)

// idleAtOnce bounds how many clients a tick closes.
const idleAtOnce = turnWork / CloseWork

// closeIdle closes the clients that were silent for Config.IdleTimeout.
func (l *Loop) closeIdle() {
	now := l.Clock.Now
	if now < l.nextIdle {
		return
	}
	l.nextIdle = now + idleEvery
	left := idleAtOnce
	for _, e := range l.envs {
		limit := int64(0) // the least of all doors'
		for _, d := range e.Doors {
			if own := int64(d.Config.IdleTimeout); own > 0 && (limit == 0 || own < limit) {
				limit = own
			}
		}
		if limit == 0 {
			continue
		}
		l.nextIdle = min(l.nextIdle, now+limit)
		e.Roster.Each(func(s *Session) {
			own := int64(s.Door.Config.IdleTimeout)
			if left > 0 && own > 0 && now-s.ActiveAt > own && mayIdleOut(s) {
				s.Close(stats.Idle)
				left--
			}
		})
	}
	if left == 0 {
		l.nextIdle = now // there may be more
	}
}

// mayIdleOut reports whether nothing is under way for the client. As in Redis, one that waits at a server or for
// messages, lines of MONITOR or a replication stream is not idle.
func mayIdleOut(s *Session) bool {
	waits := s.Subscriptions != nil || s.Pin != nil && (s.Pin.Blocks || s.Pin.Tunnel || s.Pin.Conn != nil && s.Pin.Conn.Streams())
	return s.State == Open && !s.EOF && !s.Owes() && !waits && s.Socket.Buffered() == 0
}
