package pubsub

import (
	"fmt"
	"ringmaster/session"
	"slices"
)

// Check says which invariant of the subscriptions at an upstream is broken between turns. It is for tests. Loop-only.
func Check(e *session.Env) error {
	h := hubOf(e)
	joining, missing, lost := 0, 0, map[*topic]int{}
	for server := range h.lost {
		for t, r := range h.lost[server].topics {
			missing++
			lost[t]++
			switch {
			case h.topics[t.key] != t || t.dead || !t.round.on || t.round.left > 0 && t.lost == len(t.at):
				return fmt.Errorf("%v is missing at server %d, and no other has it", t.key, server)
			case r != nil && (r.counted || r.left != 1 || h.feeds[server] == nil):
				return fmt.Errorf("%v is asked for again at server %d, and nothing is under way", t.key, server)
			case r != nil:
				joining++
			}
		}
	}
	for key, t := range h.topics {
		if !t.round.counted {
			joining++
		}
		switch {
		case t.key != key || t.dead || t.lost != lost[t]:
			return fmt.Errorf("%v: dead: %t, lost at %d servers, and it should be %d", key, t.dead, t.lost, lost[t])
		case t.users < len(t.subs) || t.users == 0 && t.round.left == 0:
			return fmt.Errorf("%v has %d users and %d subscribers", key, t.users, len(t.subs))
		}
	}
	if h.joining != joining || h.missing != missing {
		return fmt.Errorf("%d rounds and %d missing are counted, there are %d and %d", h.joining, h.missing, joining, missing)
	}
	return nil
}

// Counts are what there is of subscriptions at an upstream.
type Counts struct {
	Topics, Patterns int
	Rounds           int // that are under way
	Missing          int // topics that a server has lost
}

// CountAll counts the subscriptions at an upstream. It is for tests. Loop-only.
func CountAll(e *session.Env) Counts {
	h := hubOf(e)
	return Counts{Topics: len(h.topics), Patterns: len(h.patterns), Rounds: h.joining, Missing: h.missing}
}

// EachSubscription calls f for each name or pattern that a client subscribes to, with the servers where it is subscribed; alive: messages
// for it reach the client. It is for tests. Loop-only.
func EachSubscription(s *session.Session, f func(name string, alive bool, servers []int)) {
	if s.Subscriptions == nil {
		return
	}
	for k := range kinds {
		for name, t := range SubsOf(s).Topics[k] {
			f(name, !t.dead && slices.Contains(t.subs, s), t.at)
		}
	}
}
