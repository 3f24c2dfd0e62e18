package tracking

import (
	"ringmaster/session"
)

// BufferedForRedirects returns how many bytes of unfinished pushes a session's redirection keeps. It is for tests.
// Loop-only.
func BufferedForRedirects(s *session.Session) (n int) {
	t := StateOf(s.Pin)
	if t == nil || t.redirect == nil {
		return 0
	}
	for _, e := range t.redirect.ends {
		n += len(e.buf)
	}
	return n
}
