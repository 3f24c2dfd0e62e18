package pubsub

import (
	"slices"

	"ringmaster/session"
)

// Tally is one loop's part of the correction of a count of subscribers. Servers count one feed of each loop, where the
// loop may have any number of clients.
type Tally struct{ feeds, clients int }

func (t *Tally) add(o Tally) { t.feeds, t.clients = t.feeds+o.feeds, t.clients+o.clients }

// Correct turns a server's count into the number of clients.
func (t Tally) Correct(n int64) int64 { return max(0, n-int64(t.feeds)+int64(t.clients)) }

// tally counts this loop's part for a channel. With matching it counts for a message to the channel, and so includes
// the patterns that match.
func (h *hub) tally(key TopicKey, matching bool) (sum Tally) {
	server, t := ChannelServer(h.env, key.Kind, []byte(key.Name)), h.topics[key]
	switch {
	case t == nil:
	case matching && key.Kind == ShardChannel && !slices.Contains(t.servers, server): // nodes do not pass messages of shard channels on
	case matching:
		h.countReached(&sum, t, server)
	default: // for NUMSUB, which asks all servers
		sum = Tally{feeds: len(t.servers) - t.lostServers + h.lingerCount(key), clients: len(t.subs)}
	}
	if !matching {
		return sum
	}
	if h.onlyLingersAt(key, server) {
		sum.feeds++ // the server counts it
	}
	if key.Kind == Channel {
		for name, t := range h.patterns {
			if Match(name, key.Name) {
				h.countReached(&sum, t, server)
			}
		}
		for k := range h.lingering {
			if k.Kind == Pattern && Match(k.Name, key.Name) && h.onlyLingersAt(k, server) {
				sum.feeds++
			}
		}
	}
	return sum
}

// countReached counts the topic for a message that is published at server.
func (h *hub) countReached(sum *Tally, t *topic, server int) {
	if slices.Contains(t.servers, server) && !h.isLost(t, server) { // otherwise another node of the cluster passes the message on
		sum.feeds++
	}
	if !h.isLost(t, t.sourceOf(server)) {
		sum.clients += len(t.subs)
	}
}

// CollectTallies adds up the tallies of all loops for each of keys and calls done with the sums, in the order of keys.
// client is the session on whose behalf it asks. Keeps keys until then.
func CollectTallies(e *session.Env, client *session.Session, keys []TopicKey, matching bool, done func([]Tally)) {
	e.AskLoopsSlowly(client, func(e *session.Env, answer func(any)) {
		e.Start(&tallying{keys: keys, matching: matching, sums: make([]Tally, 0, len(keys)), answer: answer})
	}, func(answers []any) {
		sums := answers[0].([]Tally)
		for _, a := range answers[1:] {
			for i, t := range a.([]Tally) {
				sums[i].add(t)
			}
		}
		done(sums)
	})
}

// tallying is a job that makes one loop's tallies.
type tallying struct {
	session.Impersonal
	keys     []TopicKey
	matching bool
	sums     []Tally
	answer   func(any)
}

func (t *tallying) Piece(e *session.Env) (done bool) {
	for p := e.APiece(); len(t.sums) < len(t.keys); {
		if p.Over(e) {
			return false
		}
		t.sums = append(t.sums, hubOf(e).tally(t.keys[len(t.sums)], t.matching))
		e.Spend(session.MatchWork)
		if t.matching {
			e.Spend(globWork * len(hubOf(e).patterns))
		}
	}
	t.answer(t.sums)
	return true
}

func (t *tallying) GiveUp() { t.answer(nil) }

// globWork is the work of comparing a channel with a pattern; units.
const globWork = 64
