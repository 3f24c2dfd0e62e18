package session

// HeldForRedirects is what waits for a client that gets the invalidations of others, bytes. It is for tests. Loop-only.
func HeldForRedirects(s *Session) (n int) {
	t := trackingOf(s.pin)
	if t == nil || t.redirect == nil {
		return 0
	}
	for _, e := range t.redirect.ends {
		n += len(e.buf)
	}
	return n
}
