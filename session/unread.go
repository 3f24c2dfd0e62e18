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
	e := s.env
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
		s.slow, s.readAt = true, s.env.Pool.Now
		s.env.slow = append(s.env.slow, s)
	}
}

// countHeld counts n more bytes of replies that wait for their turn.
func (s *Session) countHeld(n int) {
	if s.state == closed {
		return // all of it is counted out
	}
	s.held += n
	s.env.output += n
	if s.held > slowReader {
		s.watchReading()
	}
}

// forgetOutput counts out a client that is gone.
func (s *Session) forgetOutput() {
	s.env.output -= s.unread + s.held
	s.unread, s.held = 0, 0
}

// boundPushes closes a client that leaves too much unread of what it did not ask for: nothing that it does slows that.
func (s *Session) boundPushes() {
	all, limit := s.unread+s.held, s.env.Config.OutputLimit
	switch {
	case all == 0:
		s.pushed = 0
	case s.subs != nil && all > s.env.Config.SubscriberOutputLimit, all > limit && s.pushed > limit:
		s.close(stats.OutputLimit)
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
		if s.state == closed || !s.poll() {
			l.unwatch(l.nextSlow)
			continue
		}
		l.nextSlow++
		seen++
		if s.wait == inFlight && s.window() == 0 {
			waiting++
		}
		if over && s.mayBeEvicted(limit) && (most == nil || s.unread+s.held > most.unread+most.held) {
			most = s
		}
	}
	if most != nil {
		most.close(stats.ClientMemory)
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
		for _, d := range e.doors {
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
	now := s.env.Pool.Now
	if n := s.sock.Buffered(); n < s.unread {
		s.readAt = now
		s.hasUnread(n)
	}
	emits := s.emissions != nil
	if emits {
		s.goOnEmitting()
	}
	waits := s.wait == inFlight
	switch {
	case s.unread == 0 && s.held <= slowReader:
		if waits && s.relieved() {
			s.resumeLater()
		}
		return false
	case waits && s.relieved():
		s.resumeLater()
	case s.overdue(now):
		s.close(stats.NotReading)
		return true // the next look finds it closed
	}
	if (waits || emits) && now-s.readAt < reading {
		s.env.hurried = true
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
	limit := int64(s.env.Config.ReadTimeout)
	return limit > 0 && now-s.readAt > limit && s.unread > 0 && (s.full() || s.env.pressed)
}

// mayBeEvicted reports whether the client may be closed to save memory: it does not read now, or is all there is.
func (s *Session) mayBeEvicted(limit int) bool {
	held := s.unread + s.held
	return held > limit || held > slowReader && s.env.Pool.Now-s.readAt > grace
}

// Hurried reports whether a client that waits for its own reading is at it, so that a tick should come soon.
func (l *Loop) Hurried() bool { return l.hurried && len(l.slow) > 0 }
