package session

// HeldForRedirects is what waits for a client that gets the invalidations of others, bytes. It is for tests. Loop-only.
func HeldForRedirects(s *Session) (n int) {
	if s.pin == nil || s.pin.tracking.redirect == nil {
		return 0
	}
	for _, e := range s.pin.tracking.redirect.ends {
		n += len(e.buf)
	}
	return n
}
