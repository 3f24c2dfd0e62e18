package tracking

import (
	"ringmaster/session"
)

// HeldForRedirects is what waits for a client that gets the invalidations of others, bytes. It is for tests. Loop-only.
func HeldForRedirects(s *session.Session) (n int) {
	t := TrackingOf(s.Pin)
	if t == nil || t.Redirect == nil {
		return 0
	}
	for _, e := range t.Redirect.ends {
		n += len(e.buf)
	}
	return n
}
