package session

// push takes a whole push, message or line of MONITOR. It goes out between replies: while one is under way it
// waits in s.pushes. Borrows b until return.
func (s *Session) push(b []byte) {
	switch {
	case s.state != open:
	case s.partial:
		if s.pushes == nil {
			s.pushes = s.env.Pool.Buffers.Get()
		}
		s.pushes.B = append(s.pushes.B, b...)
		s.hold(len(b))
	default:
		out := s.output()
		out.B = append(out.B, b...)
	}
}

// letPushesOut writes the pushes that waited, unless a reply is under way.
func (s *Session) letPushesOut() {
	if s.partial {
		return
	}
	out := s.output()
	out.B = append(out.B, s.pushes.B...)
	s.dropPushes()
}

func (s *Session) dropPushes() {
	if s.pushes != nil {
		s.held -= len(s.pushes.B)
		s.env.Pool.Buffers.Put(s.pushes)
		s.pushes = nil
	}
}
