package pubsub

import (
	"fmt"
	"ringmaster/session"
	"slices"
)

// Check returns an error that names a broken invariant of an upstream's subscriptions; nil: all hold. To be called
// between turns. It is for tests. Loop-only.
func Check(e *session.Env) error {
	h := hubOf(e)
	joining, missing, lost := 0, 0, map[*topic]int{}
	for server := range h.lost {
		for t, r := range h.lost[server].topics {
			missing++
			lost[t]++
			switch {
			case h.topics[t.key] != t || t.dead || !t.round.on || t.round.left > 0 && t.lostServers == len(t.servers):
				return fmt.Errorf("%v is missing at server %d, and no other has it", t.key, server)
			case r != nil && (r.ended || r.left != 1 || h.feeds[server] == nil):
				return fmt.Errorf("%v is asked for again at server %d, and nothing is under way", t.key, server)
			case r != nil:
				joining++
			}
		}
	}
	for key, t := range h.topics {
		if !t.round.ended {
			joining++
		}
		switch {
		case t.key != key || t.dead || t.lostServers != lost[t]:
			return fmt.Errorf("%v: dead: %t, lost at %d servers, and it should be %d", key, t.dead, t.lostServers, lost[t])
		case t.users < len(t.subs) || t.users == 0 && t.round.left == 0:
			return fmt.Errorf("%v has %d users and %d subscribers", key, t.users, len(t.subs))
		}
	}
	if h.rounds != joining || h.lostCount != missing {
		return fmt.Errorf("%d rounds and %d missing are counted, there are %d and %d", h.rounds, h.lostCount, joining, missing)
	}
	return nil
}

// Counts are the numbers of an upstream's topics and rounds.
type Counts struct {
	Topics, Patterns int
	Rounds           int // under way
	Missing          int // the sum of the lost topics of all servers
}

// CountAll returns the counts of an upstream. It is for tests. Loop-only.
func CountAll(e *session.Env) Counts {
	h := hubOf(e)
	return Counts{Topics: len(h.topics), Patterns: len(h.patterns), Rounds: h.rounds, Missing: h.lostCount}
}

// EachSubscription calls f for each of a client's subscriptions: its name, whether messages reach the client (alive),
// and the servers where it is subscribed. It is for tests. Loop-only.
func EachSubscription(s *session.Session, f func(name string, alive bool, servers []int)) {
	if s.Subscriptions == nil {
		return
	}
	for k := range kinds {
		for name, t := range subsOf(s).topics[k] {
			f(name, !t.dead && slices.Contains(t.subs, s), t.servers)
		}
	}
}
