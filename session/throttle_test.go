package session

import (
	"testing"

	"ringmaster/session/pace"
)

func TestWindowOfAClientThatDoesNotRead(t *testing.T) {
	const limit = 100 << 20
	for _, c := range []struct {
		name                      string
		maxInFlight, mean, unread int
		want                      int
	}{
		{"all is read", 1000, 100, slowReader, 1000},
		{"output left unread", 1000, 100, slowReader + 1, pace.Least},
		{"output left unread, a smaller setting", 4, 100, slowReader + 1, 4},
		{"output left unread, and large replies", 1000, 200 << 10, slowReader + 1, 1},
		{"much output left unread, and large replies", 1000, 200 << 10, pace.Enough + 1, 0},
		{"all that may be left unread", 1000, 100, limit + 1, 0},
	} {
		s := readsSlowly(Config{MaxInFlight: c.maxInFlight, OutputLimit: limit, FirstWindow: pace.First}, c.mean, c.unread)
		if got := s.window(); got != c.want {
			t.Errorf("%s: window of %d, want %d", c.name, got, c.want)
		}
	}
}

// A client that writes a long pipeline before it reads would never read if its writing stopped.
func TestClientThatMayBeStuckInWritingGoesOn(t *testing.T) {
	s := readsSlowly(Config{MaxInFlight: 1000, OutputLimit: 100 << 20, FirstWindow: pace.First}, 1<<20, pace.Enough+1)
	s.Paused = true
	if got := s.window(); got != 1 {
		t.Errorf("window of %d, want 1", got)
	}
}

// readsSlowly is a client that has had 5000 replies of mean bytes and has left unread bytes.
func readsSlowly(cfg Config, mean, unread int) *Session {
	d := &Door{Env: &Env{Loop: &Loop{}}, Config: cfg}
	d.bound()
	s := &Session{Door: d, Out: outbox{unread: unread}}
	for range 5000 {
		s.pace.Learn(mean, 0)
	}
	return s
}
