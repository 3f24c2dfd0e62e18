package session

import (
	"ringmaster/stats"
)

// Output that clients do not read is bounded for each client (Config.OutputLimit) and for all together (Loop.ClientMemory): above
// that their further requests wait until they read. Only who reads nothing at all for Config.ReadTimeout is closed, or who holds the most
// when waiting does not help.

// polledAtOnce is how many clients with unread output a tick looks at.
const polledAtOnce = 1024

// hasUnread takes notice of how much output the client has not taken.
func (s *Session) hasUnread(n int) {
	e := s.Door
	e.output += n - s.unread
	if s.unread = n; n == 0 {
		s.pushed = 0
	}
	if n > 0 {
		s.watchReading()
	}
}

// watchReading has ticks look at the client until it has read all.
func (s *Session) watchReading() {
	if !s.slow {
		s.slow, s.readAt = true, s.Door.Pool.Now
		s.Door.slow = append(s.Door.slow, s)
	}
}

// CountHeld counts n more bytes of replies that wait for their turn.
func (s *Session) CountHeld(n int) {
	if s.State == Closed {
		return // all of it is counted out
	}
	s.Held += n
	s.Door.output += n
	if s.Held > slowReader {
		s.watchReading()
	}
}

// forgetOutput counts out a client that is gone.
func (s *Session) forgetOutput() {
	s.Door.output -= s.unread + s.Held
	s.unread, s.Held = 0, 0
}

// boundPushes closes a client that leaves too much unread of what it did not ask for: nothing that it does slows that.
func (s *Session) boundPushes() {
	all, limit := s.unread+s.Held, s.Door.Config.OutputLimit
	switch {
	case all == 0:
		s.pushed = 0
	case s.Subscriptions != nil && all > s.Door.Config.SubscriberOutputLimit, all > limit && s.pushed > limit:
		s.Close(stats.OutputLimit)
	}
}

// tickUnread looks at the clients that have not read all: some may go on, some have to be closed.
func (l *Loop) tickUnread() {
	all := l.output
	if l.AddOutput != nil {
		all = l.AddOutput(l.output - l.told)
		l.told = l.output
	}
	limit := l.ClientMemory
	l.press(limit > 0 && all > limit)
	if len(l.slow) == 0 {
		l.Stats.ClientOutput, l.Stats.ClientsNotReading = uint64(max(l.output, 0)), 0
		return
	}
	over := l.pressed && all > limit+limit/4
	l.hurried = false
	waiting, seen := 0, 0
	var most *Session
	for n := min(len(l.slow), polledAtOnce); n > 0 && len(l.slow) > 0; n-- {
		l.nextSlow %= len(l.slow)
		s := l.slow[l.nextSlow]
		if s.State == Closed || !s.poll() {
			l.unwatch(l.nextSlow)
			continue
		}
		l.nextSlow++
		seen++
		if s.wait == inFlight && s.window() == 0 {
			waiting++
		}
		if over && s.mayBeEvicted(limit) && (most == nil || s.unread+s.Held > most.unread+most.Held) {
			most = s
		}
	}
	if most != nil {
		most.Close(stats.ClientMemory)
	}
	l.Stats.ClientOutput, l.Stats.ClientsNotReading = uint64(max(l.output, 0)), uint64(waiting*len(l.slow)/max(seen, 1))
}

// press begins or ends the shortage in which whoever has something unread waits.
func (l *Loop) press(on bool) {
	if on == l.pressed {
		return
	}
	l.pressed = on
	for _, e := range l.envs {
		for _, d := range e.Doors {
			d.bound()
		}
	}
}

// unwatch takes the nth client off those that are looked at.
func (l *Loop) unwatch(n int) {
	last := len(l.slow) - 1
	l.slow[n].slow = false
	l.slow[n] = l.slow[last]
	l.slow[last] = nil
	l.slow = l.slow[:last]
}

// poll looks how far the client has read; false: it has read all.
func (s *Session) poll() bool {
	now := s.Door.Pool.Now
	if n := s.Socket.Buffered(); n < s.unread {
		s.readAt = now
		s.hasUnread(n)
	}
	emits := s.emissions != nil
	if emits {
		s.goOnEmitting()
	}
	waits := s.wait == inFlight
	switch {
	case s.unread == 0 && s.Held <= slowReader:
		if waits && s.relieved() {
			s.ResumeLater()
		}
		return false
	case waits && s.relieved():
		s.ResumeLater()
	case s.overdue(now):
		s.Close(stats.NotReading)
		return true // the next look finds it closed
	}
	if (waits || emits) && now-s.readAt < reading {
		s.Door.hurried = true
	}
	return true
}

const (
	// reading is how lately a client must have read to be looked at again soon, ns: it will go on when it has read more.
	reading = 100e6
	// grace is how long a client may read nothing while memory is short, ns.
	grace = 250e6
)

// overdue reports whether the client reads nothing although its requests, or everybody's, wait for that.
func (s *Session) overdue(now int64) bool {
	limit := int64(s.Door.Config.ReadTimeout)
	return limit > 0 && now-s.readAt > limit && s.unread > 0 && (s.full() || s.Door.pressed)
}

// mayBeEvicted reports whether the client may be closed to save memory: it does not read now, or is all there is.
func (s *Session) mayBeEvicted(limit int) bool {
	held := s.unread + s.Held
	return held > limit || held > slowReader && s.Door.Pool.Now-s.readAt > grace
}

// Hurried reports whether a client that waits for its own reading is at it, so that a tick should come soon.
func (l *Loop) Hurried() bool { return l.hurried && len(l.slow) > 0 }
