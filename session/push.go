package session

import "ringmaster/command"

// push takes a whole push, message or line of MONITOR. It goes out between replies: while one is under way it
// waits in s.pushes. Borrows b until return.
func (s *Session) push(b []byte) {
	s.pushed += len(b)
	switch {
	case s.state != open:
	case s.partial || s.pushes != nil || s.mayHavePublished():
		if s.pushes == nil {
			s.pushes = s.env.Pool.Buffers.Get()
		}
		s.pushes.B = append(s.pushes.B, b...)
		s.countHeld(len(b))
		s.markDirty()
	default:
		out := s.output()
		out.B = append(out.B, b...)
	}
}

// mayHavePublished reports whether the reply to a command is owed by which the client may publish to itself: a subscriber of
// RESP3 has that reply first.
func (s *Session) mayHavePublished() bool {
	return s.subs != nil && s.proto == 3 && s.Owed() > 0 && s.lastTraits().Has(command.TraitPublishesToSelf)
}

// letPushesOut writes the pushes that waited, unless a reply is under way.
func (s *Session) letPushesOut() {
	if s.partial || s.mayHavePublished() {
		return
	}
	out := s.output()
	out.B = append(out.B, s.pushes.B...)
	s.dropPushes()
}

func (s *Session) dropPushes() {
	if s.pushes != nil {
		s.countHeld(-len(s.pushes.B))
		s.env.Pool.Buffers.Put(s.pushes)
		s.pushes = nil
	}
}
