package session

import (
	"math"
	"testing"

	"ringmaster/pool"
)

func TestWindowShrinksWithRepliesButNeverExceedsTheSetting(t *testing.T) {
	for _, c := range []struct {
		name                      string
		maxInFlight, mean, unread int
		want                      int
	}{
		{"nothing known yet", 1000, 0, 0, 1000},
		{"small replies", 1000, 100, 0, 1000},
		{"replies of 4 KiB", 1000, 4 << 10, 0, 64},
		{"huge replies", 1000, 100 << 20, 0, minWindow},
		{"huge replies, a smaller setting", 4, 100 << 20, 0, 4},
		{"no bound set, and large replies", math.MaxInt, 1 << 20, 0, minWindow},
		{"no bound set", math.MaxInt, 3, 0, windowBytes / 3},
		{"output left unread", 1000, 100, slowReader + 1, minWindow},
		{"output left unread, a smaller setting", 4, 100, slowReader + 1, 4},
	} {
		env := &Env{Config: Config{MaxInFlight: c.maxInFlight}}
		s := &Session{env: env, meanReply: c.mean, unread: c.unread}
		if got := s.window(); got != c.want {
			t.Errorf("%s: window of %d, want %d", c.name, got, c.want)
		}
	}
}

func TestMeanReplyFollowsTheRepliesBothWays(t *testing.T) {
	s := &Session{env: &Env{Pool: &pool.Pool{}}}
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
}
