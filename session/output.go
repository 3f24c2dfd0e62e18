package session

import (
	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/pool"
	"ringmaster/stats"
)

// Output that clients do not read is bounded for each client (Config.OutputLimit) and for all together (Loop.ClientMemory): above
// that their further requests wait until they read. Only a client that reads nothing at all for Config.ReadTimeout is closed, or the one
// that holds the most when waiting does not help.

// outbox is what a client has not got yet. Loop-only.
//
// Invariants: Held >= 0 and counts pushes; watched() if and only if the client is on readers.slow; the sum of unread + Held of a loop's
// clients is readers.bytes.
type outbox struct {
	buf   *bytebufferpool.ByteBuffer // what goes out at the end of this turn; nil: nothing
	aside *aside                     // what few clients have; nil: nothing of it
	// Held is the size of replies and pushes that wait for their turn, and of what they are made of, bytes. CountHeld changes it.
	Held   int
	unread int // what the client had not taken when last looked at, bytes
}

// aside is what only slow readers, subscribers, and clients with long replies or large requests have. A client whose reading is not watched
// any more has none, unless something is in it.
type aside struct {
	pushes *bytebufferpool.ByteBuffer // that wait for a reply under way to end; nil: none
	parked []parked                   // jobs that make a reply, and wait for its turn or for the client to read
	pushed int                        // see outbox.pushed
	readAt int64                      // when it was last seen to read, while ticks look at that, ns; 0: none does
	full   int64                      // since when a large request of its waits for room, ns; 0: none does
}

// besides makes place for what few clients have.
func (o *outbox) besides() *aside {
	if o.aside == nil {
		o.aside = new(aside)
	}
	return o.aside
}

// tidy lets go of an aside with nothing in it.
func (o *outbox) tidy() {
	if a := o.aside; a != nil && a.pushes == nil && len(a.parked) == 0 && a.pushed == 0 && a.readAt == 0 && a.full == 0 {
		o.aside = nil
	}
}

// emits reports whether jobs are parked, waiting whether pushes wait, and watched whether ticks look how far the client reads.
func (o *outbox) emits() bool   { return o.aside != nil && len(o.aside.parked) > 0 }
func (o *outbox) waiting() bool { return o.aside != nil && o.aside.pushes != nil }
func (o *outbox) watched() bool { return o.aside != nil && o.aside.readAt > 0 }

// pushed is the size of what the client did not ask for, since it last had read all, bytes. noPushes says that it has.
func (o *outbox) pushed() int {
	if o.aside == nil {
		return 0
	}
	return o.aside.pushed
}

func (o *outbox) noPushes() {
	if o.aside != nil {
		o.aside.pushed = 0
	}
}

// left is the output that the client has not read, that of this turn included, bytes.
func (o *outbox) left() int {
	if o.buf != nil {
		return o.unread + o.Held + len(o.buf.B)
	}
	return o.unread + o.Held
}

// mayBeEvicted reports whether the client, which is watched, may be closed to save memory: it does not read now, or is all there is.
func (o *outbox) mayBeEvicted(limit int, now int64) bool {
	held := o.unread + o.Held
	return held > limit || held > slowReader && now-o.aside.readAt > grace
}

// drop gives the buffers back, since the client has gone and nothing of it is counted any more.
func (o *outbox) drop(to *pool.Buffers) {
	if o.buf != nil {
		to.Put(o.buf)
	}
	if o.waiting() {
		to.Put(o.aside.pushes)
	}
	o.disown()
}

// disown forgets the buffers, which after a panic somebody else may still use.
func (o *outbox) disown() {
	o.buf = nil
	if o.aside != nil {
		o.aside.pushes = nil
	}
}

// ResumeLater lets the session go on at the end of the turn, outside of whatever calls.
func (s *Session) ResumeLater() {
	if !s.resuming && s.State == Open {
		s.resuming = true
		s.Door.due.resume = append(s.Door.due.resume, s)
	}
}

// Output is the buffer for what the client gets this turn: bytes appended to it go out in this order. Valid until the end of the turn.
// The session must not be closed.
func (s *Session) Output() *bytebufferpool.ByteBuffer {
	if s.Out.buf != nil && !s.lent {
		return s.Out.buf
	}
	s.Door.lending.own(s)
	return s.Out.buf
}

// slowReader is the unread output from which a client counts as not reading, bytes.
const slowReader = 1 << 20

// polledAtOnce is how many clients with unread output a tick looks at.
const polledAtOnce = 1024

// hasUnread takes notice of how much output the client has not taken.
func (s *Session) hasUnread(n int) {
	e := s.Door
	e.readers.bytes += n - s.Out.unread
	if s.Out.unread = n; n == 0 {
		s.Out.noPushes()
	}
	if n > 0 {
		s.Door.readers.watch(s, s.Door.Pool.Now)
	}
}

// CountHeld counts n more bytes (below 0: fewer) of replies that wait for their turn, as output of the client. Whoever keeps such bytes
// counts them, and counts them out when they are written or dropped; once the session is closed there is nothing to count out.
func (s *Session) CountHeld(n int) {
	if s.State == Closed {
		return // all of it is counted out
	}
	s.Out.Held += n
	s.Door.readers.bytes += n
	if s.Out.Held > slowReader {
		s.Door.readers.watch(s, s.Door.Pool.Now)
	}
}

// boundPushes closes a client that leaves too much unread of what it did not ask for: nothing that it does slows that.
func (s *Session) boundPushes() {
	all, limit := s.Out.unread+s.Out.Held, s.Door.Config.OutputLimit
	switch {
	case all == 0:
		s.Out.noPushes()
	case s.Subscriptions != nil && all > s.Door.Config.SubscriberOutputLimit, all > limit && s.Out.pushed() > limit:
		s.Close(stats.OutputLimit)
	}
}

// tickUnread looks at the clients that have not read all: some may go on, some have to be closed.
func (l *Loop) tickUnread() {
	all := l.readers.bytes
	if l.AddOutput != nil {
		all = l.AddOutput(l.readers.bytes - l.readers.told)
		l.readers.told = l.readers.bytes
	}
	limit := l.ClientMemory
	l.press(limit > 0 && all > limit)
	if len(l.readers.slow) == 0 {
		l.Stats.ClientOutput, l.Stats.ClientsNotReading = uint64(max(l.readers.bytes, 0)), 0
		return
	}
	over := l.readers.pressed && all > limit+limit/4
	l.readers.hurried = false
	waiting, seen := 0, 0
	var most *Session
	for n := min(len(l.readers.slow), polledAtOnce); n > 0 && len(l.readers.slow) > 0; n-- {
		l.readers.next %= len(l.readers.slow)
		s := l.readers.slow[l.readers.next]
		if s.State == Closed || !pollReading(s) {
			l.readers.unwatch(l.readers.next)
			continue
		}
		l.readers.next++
		seen++
		if s.wait == inFlight && s.window() == 0 {
			waiting++
		}
		if over && s.Out.mayBeEvicted(limit, l.Clock.Now) && (most == nil || s.Out.unread+s.Out.Held > most.Out.unread+most.Out.Held) {
			most = s
		}
	}
	if most != nil {
		most.Close(stats.ClientMemory)
	}
	l.Stats.ClientOutput, l.Stats.ClientsNotReading = uint64(max(l.readers.bytes, 0)), uint64(waiting*len(l.readers.slow)/max(seen, 1))
}

// bound sets from where on unread output counts.
func (d *Door) bound() {
	if d.unreadFrom = min(slowReader, d.Config.OutputLimit); d.readers.pressed {
		d.unreadFrom = 0
	}
}

// press begins or ends the shortage in which whoever has something unread waits.
func (l *Loop) press(on bool) {
	if on == l.readers.pressed {
		return
	}
	l.readers.pressed = on
	for _, e := range l.envs {
		for _, d := range e.Doors {
			d.bound()
		}
	}
}

// pollReading looks how far the client, which is watched, has read; false: it has read all.
func pollReading(s *Session) bool {
	now := s.Door.Pool.Now
	if n := s.Socket.Buffered(); n < s.Out.unread {
		s.Out.aside.readAt = max(now, 1)
		s.hasUnread(n)
	}
	emits := s.Out.emits()
	if emits {
		s.goOnEmitting()
	}
	waits := s.wait == inFlight
	switch {
	case s.Out.unread == 0 && s.Out.Held <= slowReader:
		if waits && s.relieved() {
			s.ResumeLater()
		}
		return false
	case waits && s.relieved():
		s.ResumeLater()
	case overdue(s, now):
		s.Close(stats.NotReading)
		return true // the next look finds it closed
	}
	if (waits || emits) && now-s.Out.aside.readAt < reading {
		s.Door.readers.hurried = true
	}
	return true
}

const (
	// reading is how lately a client must have read to be looked at again soon, ns: it will go on when it has read more.
	reading = 100e6
	// grace is how long a client may read nothing while memory is short, ns.
	grace = 250e6
)

// overdue reports whether the client, which is watched, reads nothing although its requests, or everybody's, wait for that.
func overdue(s *Session, now int64) bool {
	limit := int64(s.Door.Config.ReadTimeout)
	return limit > 0 && now-s.Out.aside.readAt > limit && s.Out.unread > 0 && (s.Out.left() > s.Door.Config.OutputLimit || s.Door.readers.pressed)
}

// Hurried reports whether a client that waits for its own reading is at it, so that a tick should come soon.
func (l *Loop) Hurried() bool { return l.readers.hurried && len(l.readers.slow) > 0 }

// Push takes a whole push, message or line of MONITOR. It goes out between replies: while one is under way it
// waits aside. Borrows b until return.
func (s *Session) Push(b []byte) {
	if s.State == Closed {
		return
	}
	a := s.Out.besides()
	a.pushed += len(b)
	switch {
	case s.State != Open:
	case s.Slots.Partial || a.pushes != nil || mayHavePublished(s):
		if a.pushes == nil {
			a.pushes = s.Door.Pool.Buffers.Get()
		}
		a.pushes.B = append(a.pushes.B, b...)
		s.CountHeld(len(b))
		s.Door.due.flush(s)
	default:
		out := s.Output()
		out.B = append(out.B, b...)
	}
}

// mayHavePublished reports whether the reply to a command is owed by which the client may publish to itself: a subscriber of
// RESP3 has that reply first.
func mayHavePublished(s *Session) bool {
	return s.Subscriptions != nil && s.Protocol == 3 && s.Owed() > 0 && command.TraitsOf(s.LastID).Has(command.TraitPublishesToSelf)
}

// LetPushesOut writes the pushes that have waited, unless a reply is under way.
func (s *Session) LetPushesOut() {
	if !s.Out.waiting() || s.Slots.Partial || mayHavePublished(s) {
		return
	}
	pushes := s.Out.aside.pushes
	out := s.Output()
	out.B = append(out.B, pushes.B...)
	s.CountHeld(-len(pushes.B))
	s.Door.Pool.Buffers.Put(pushes)
	s.Out.aside.pushes = nil
}

// parked is a job that makes a reply and waits for the reply's turn, or for the client to read.
type parked struct {
	job job
	tag uint64
}

// Lags reports whether the client has so much unread output that nothing more is made for it: as much as makes its window smaller.
// One whose input waits, too, may be stuck in writing, and goes on up to its limit.
func (s *Session) Lags() bool {
	if s.State == Closed {
		return false
	}
	e := s.Door
	limit, waits := e.unreadFrom, s.Socket.Buffered()
	if s.Paused && !e.readers.pressed {
		limit = e.Config.OutputLimit
	}
	if s.Subscriptions != nil {
		limit = min(limit, e.Config.SubscriberOutputLimit/4) // at which it would be closed
	}
	if s.Out.buf != nil {
		waits += len(s.Out.buf.B)
	}
	return waits > limit
}

// Park has j started again, between polls, when it is reply tag's turn and the client has read, or when the client has gone. Takes j.
func (o *outbox) Park(j job, tag uint64) {
	a := o.besides()
	a.parked = append(a.parked, parked{j, tag})
}

// goOnEmitting starts the parked job again whose reply's turn it is, unless the client has too much to read.
func (s *Session) goOnEmitting() {
	if s.Lags() {
		return
	}
	list := s.Out.aside.parked
	left := list[:0]
	for _, w := range list {
		if w.tag == s.Slots.Head() {
			s.Door.Queue(w.job)
		} else {
			left = append(left, w)
		}
	}
	clear(list[len(left):])
	if s.Out.aside.parked = left; len(left) == 0 {
		s.Out.aside.parked = nil
	}
}

// wakeAll has the jobs of a client that is gone see that.
func (o *outbox) wakeAll(e *Env) {
	if !o.emits() {
		return
	}
	for _, w := range o.aside.parked {
		e.Queue(w.job)
	}
	o.aside.parked = nil
}
