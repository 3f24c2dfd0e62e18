package session

import (
	"math"
	"testing"

	"ringmaster/pool"
)

func TestWindowShrinksWithRepliesButNeverExceedsTheSetting(t *testing.T) {
	const limit = 100 << 20
	for _, c := range []struct {
		name                             string
		maxInFlight, grown, mean, unread int
		want                             int
	}{
		{"nothing known yet", 1000, 0, 0, 0, FirstWindow},
		{"nothing known yet, a smaller setting", 2, 0, 0, 0, 2},
		{"some replies", 1000, 10, 100, 0, FirstWindow + 10},
		{"small replies", 1000, 5000, 100, 0, 1000},
		{"replies of 4 KiB", 1000, 5000, 4 << 10, 0, 1000},
		{"replies of 128 KiB", 1000, 5000, 128 << 10, 0, 8},
		{"huge replies", 1000, 5000, 100 << 20, 0, 1},
		{"no bound set, and large replies", math.MaxInt, 5000, 1 << 20, 0, 1},
		{"no bound set", math.MaxInt, 5000, 3, 0, FirstWindow + 5000},
		{"output left unread", 1000, 5000, 100, slowReader + 1, minWindow},
		{"output left unread, a smaller setting", 4, 5000, 100, slowReader + 1, 4},
		{"output left unread, and large replies", 1000, 5000, 1 << 20, slowReader + 1, 1},
		{"much output left unread, and large replies", 1000, 5000, 1 << 20, enoughUnread + 1, 0},
		{"all that may be left unread", 1000, 5000, 100, limit + 1, 0},
	} {
		env := &Door{Env: &Env{Loop: &Loop{}}, Config: Config{MaxInFlight: c.maxInFlight, OutputLimit: limit, FirstWindow: FirstWindow}}
		env.bound()
		s := &Session{Door: env, meanReply: int32(c.mean), unread: c.unread, grown: int32(c.grown)}
		if got := s.window(); got != c.want {
			t.Errorf("%s: window of %d, want %d", c.name, got, c.want)
		}
	}
}

// A client that writes a long pipeline before it reads would never read if its writing stopped.
func TestClientThatMayBeStuckInWritingGoesOn(t *testing.T) {
	env := &Door{Env: &Env{Loop: &Loop{}}, Config: Config{MaxInFlight: 1000, OutputLimit: 100 << 20, FirstWindow: FirstWindow}}
	env.bound()
	s := &Session{Door: env, meanReply: 1 << 20, unread: enoughUnread + 1, Paused: true}
	if got := s.window(); got != 1 {
		t.Errorf("window of %d, want 1", got)
	}
}

func TestMeanReplyFollowsTheRepliesBothWays(t *testing.T) {
	s := &Session{Door: &Door{Env: &Env{Loop: &Loop{}, Pool: &pool.Pool{Loop: pool.NewLoop(0)}}}}
	for range 50 {
		s.learn(10000)
	}
	if s.meanReply < 9000 || s.meanReply > 10000 {
		t.Errorf("after replies of 10000 bytes the mean is %d", s.meanReply)
	}
	for range 50 {
		s.learn(5)
	}
	if s.meanReply < 0 || s.meanReply > 100 {
		t.Errorf("after replies of 5 bytes the mean is %d", s.meanReply)
	}
	s.learn(10 << 20)
	if s.meanReply != 10<<20 || s.grown != 0 {
		t.Errorf("after a reply of 10 MiB the mean is %d, and %d replies were small", s.meanReply, s.grown)
	}
}
