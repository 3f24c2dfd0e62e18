package session

import (
	"fmt"
	"unsafe"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/slots"
)

// What tests of the whole need to know of the core.

const (
	TurnWork   = turnWork
	SlowReader = slowReader
	PauseAt    = pauseAt
)

var IsError = isError

// Waits is how many kinds of Wait there are.
const Waits = pause + 1

// Size and SlotSize are what an idle client and an unanswered command take, bytes.
const (
	Size     = unsafe.Sizeof(Session{})
	SlotSize = unsafe.Sizeof(slots.Slot{})
)

// Waits reports whether the session does not look at its input.
func (s *Session) Waits() bool { return s.wait != nothing }

// KeptOfLatest is what is kept of the reply to the latest request, bytes.
func (s *Session) KeptOfLatest() int {
	if b := s.Slots.At(s.Slots.Tail() - 1).Buf; b != nil {
		return len(b.B)
	}
	return 0
}

// UnreadOutput is what clients of the loop have not read, bytes.
func (l *Loop) UnreadOutput() int { return l.readers.bytes }

// Jobs and Upstreams are how many there are.
func (l *Loop) Jobs() int      { return len(l.jobs) }
func (l *Loop) Upstreams() int { return len(l.envs) }

// Handle has h answer the command with an ID.
func (r *Rules) Handle(id uint16, h func(*Session, *command.Spec, *parser.Request)) {
	r.byID[id].Handler = h
}

// Class and Carrier are what the rules say of the command with an ID.
func (r *Rules) Class(id uint16) command.Class  { return r.byID[id].class }
func (r *Rules) Carrier(id uint16) pool.Carrier { return r.byID[id].Carrier }

// Cutting reports whether the clients of the door are being closed.
func (d *Door) Cutting() bool { return d.cutting }

// CutBadly is Cut with a panic for the first client.
func (d *Door) CutBadly() {
	d.cutting = true
	d.Queue(&leaving{door: d, until: d.NextID(), do: func(*Session) { panic("oh no") }, done: func() { d.cutting = false }})
}

// Check says which invariant of the session is broken between turns. apart is what features hold of its replies, bytes.
func Check(s *Session, apart int) error {
	if s.State == Closed {
		if s.Socket != nil || !s.Input.Empty() || s.Out.buf != nil || !slots.Empty(&s.Slots) || s.passage != nil || s.Pin != nil || s.Transaction != nil || s.Out.waiting() || s.Out.emits() || s.Subscriptions != nil {
			return fmt.Errorf("is closed and still holds something")
		}
		return nil
	}
	held, err := slots.Check(&s.Slots)
	if err != nil {
		return err
	}
	held += apart
	if s.Out.waiting() {
		held += len(s.Out.aside.pushes.B)
	}
	if s.Pin != nil {
		for _, o := range s.Pin.Owns {
			held += len(o.buf)
		}
	}
	switch {
	case held > s.Out.Held || s.Owed() == 0 && s.Out.Held != held: // gathers hold the rest
		return fmt.Errorf("held is %d, the slots hold %d, and %d replies are owed", s.Out.Held, held, s.Owed())
	case s.Owed() > 0 && s.Slots.At(s.Slots.Head()).Buf != nil:
		return fmt.Errorf("the head's reply is kept although it is its turn")
	case s.passage != nil && (s.wait == nothing || s.wait > Deadline), s.passage == nil && s.wait > Replies && s.wait <= Deadline && s.wait != Turn:
		return fmt.Errorf("it waits for %v, and a passage is under way: %t", s.wait, s.passage != nil)
	case s.passage != nil && (s.passage.skeleton().s != s || s.passage.skeleton().come || s.passage.skeleton().stepping):
		return fmt.Errorf("the passage that waits for %v is another's, or is not left alone", s.wait)
	case s.wait == Replies && s.Owed() == 0:
		return fmt.Errorf("it waits for replies and owes none")
	case s.wait == inFlight && s.Owed() == 0 && (s.relieved() || !s.Out.watched()):
		return fmt.Errorf("waits for answers and owes none, nor does anybody look how far its client reads")
	case s.Out.unread > 0 && !s.Out.watched():
		return fmt.Errorf("has %d bytes unread, and nobody looks how far its client reads", s.Out.unread)
	case s.Out.buf != nil || s.dirty || s.resuming:
		return fmt.Errorf("something is left to do after the turn")
	}
	return nil
}

// Counted is which rings count the session, and what is counted of its output, bytes.
func Counted(s *Session) (rings []pool.Key, output int) {
	if s.State == Closed {
		return nil, 0
	}
	rings = append(rings, s.Rings.Key())
	if x, ok := s.passage.(*crossing); ok && x.rings != nil && x.rings.Refusal() == nil {
		rings = append(rings, x.to)
	}
	return rings, s.Out.unread + s.Out.Held
}
