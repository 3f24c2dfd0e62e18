package pubsub

import (
	"maps"
	"slices"

	"ringmaster/session"
)

// subscriptions are those of one client.
type subscriptions struct {
	session.Kept
	topics [kinds]map[string]*topic
}

// count is the number that Redis reports in confirmations of kind k: channels and patterns together, shard channels
// apart.
func (u *subscriptions) count(k Kind) int {
	if k == ShardChannel {
		return len(u.topics[ShardChannel])
	}
	return len(u.topics[Channel]) + len(u.topics[Pattern])
}

// subsOf returns a client's subscriptions; nil: it has none.
func subsOf(s *session.Session) *subscriptions {
	if s.Subscriptions == nil {
		return nil
	}
	return s.Subscriptions.Of.(*subscriptions)
}

// SubscriptionCounts returns to how many channels, patterns and shard channels a client subscribes.
func SubscriptionCounts(s *session.Session) (channels, patterns, shardChannels int) {
	if u := subsOf(s); u != nil {
		return len(u.topics[Channel]), len(u.topics[Pattern]), len(u.topics[ShardChannel])
	}
	return 0, 0, 0
}

func subscriptionCount(s *session.Session, k Kind) int {
	if u := subsOf(s); u != nil {
		return u.count(k)
	}
	return 0
}

// IsLimited reports whether the client may send only the commands that RESP2 allows a subscriber.
func IsLimited(s *session.Session) bool { return s.Subscriptions != nil && s.Protocol == 2 }

// The work of subscribing to a name or unsubscribing from it, and of confirming it; units.
const (
	askWork     = 6 << 10
	confirmWork = 1 << 10
)

// releasing is a job that gives topics back.
type releasing struct {
	session.Impersonal
	topics []*topic
	closed *session.Session // the client to take off their lists; nil: none
}

func (r *releasing) Piece(e *session.Env) (done bool) {
	for part := e.APiece(); len(r.topics) > 0 && !part.Over(e); r.topics = r.topics[1:] {
		e.Spend(askWork)
		if r.closed != nil {
			r.topics[0].remove(r.closed)
		}
		hubOf(e).release(r.topics[0])
	}
	return len(r.topics) == 0
}

// leaveAll takes the client's subscriptions from it and returns the job that ends them.
func leaveAll(s *session.Session) *releasing {
	r, subs := &releasing{closed: s}, subsOf(s)
	for k := range kinds {
		r.topics = slices.AppendSeq(r.topics, maps.Values(subs.topics[k]))
	}
	s.Subscriptions = nil
	return r
}

// unsubscribeAll ends the subscriptions of a client that has closed. If it had a great many, some count for PUBLISH a
// little longer.
func unsubscribeAll(s *session.Session) {
	if s.Subscriptions != nil {
		s.Door.Start(leaveAll(s))
	}
}

// Reset is RESET for a client with subscriptions. It ends them and then calls done, which resets everything else.
func Reset(s *session.Session, done func(*session.Session)) { s.Begin(&resetting{done: done}) }

// resetting is the passage of such a RESET.
type resetting struct {
	session.Passage
	rest *releasing
	done func(*session.Session)
}

func (r *resetting) Step(s *session.Session, _ session.Wait) {
	if r.rest == nil {
		r.rest = leaveAll(s)
	}
	if !r.rest.Piece(s.Door.Env) {
		r.AwaitTurn(s, r)
		return
	}
	r.End()
	r.done(s)
}

// Piece is job. It releases the rest of the topics even if the client has closed.
func (r *resetting) Piece(e *session.Env) (done bool) {
	if r.Over() {
		return r.rest.Piece(e)
	}
	return r.Passage.Piece(e)
}
