package session

import "ringmaster/command"

// Push takes a whole push, message or line of MONITOR. It goes out between replies: while one is under way it
// waits in s.pushes. Borrows b until return.
func (s *Session) Push(b []byte) {
	s.pushed += len(b)
	switch {
	case s.State != Open:
	case s.Slots.Partial || s.Pushes != nil || s.mayHavePublished():
		if s.Pushes == nil {
			s.Pushes = s.Door.Pool.Buffers.Get()
		}
		s.Pushes.B = append(s.Pushes.B, b...)
		s.CountHeld(len(b))
		s.markDirty()
	default:
		out := s.Output()
		out.B = append(out.B, b...)
	}
}

// mayHavePublished reports whether the reply to a command is owed by which the client may publish to itself: a subscriber of
// RESP3 has that reply first.
func (s *Session) mayHavePublished() bool {
	return s.Subscriptions != nil && s.Protocol == 3 && s.Owed() > 0 && s.lastTraits().Has(command.TraitPublishesToSelf)
}

// LetPushesOut writes the pushes that waited, unless a reply is under way.
func (s *Session) LetPushesOut() {
	if s.Slots.Partial || s.mayHavePublished() {
		return
	}
	out := s.Output()
	out.B = append(out.B, s.Pushes.B...)
	s.dropPushes()
}

func (s *Session) dropPushes() {
	if s.Pushes != nil {
		s.CountHeld(-len(s.Pushes.B))
		s.Door.Pool.Buffers.Put(s.Pushes)
		s.Pushes = nil
	}
}
