package session_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/parser"
	"ringmaster/session/pubsub"
	"ringmaster/shard"
	"ringmaster/stats"
)

// feedEnds plays the servers' part in pub/sub, as slowly as the test likes.
type feedEnds struct {
	*world
	rnd     *rand.Rand
	has     map[*serverEnd]map[string]bool // what is subscribed over the connection
	refuses bool                           // now and then
	owner   map[string]string              // in front of a cluster, by tag: whose the slot is
}

// answer takes what has come over the feed s, or only its first request, and answers it.
func (f *feedEnds) answer(s *serverEnd, all bool) {
	if f.has[s] == nil {
		f.has[s] = map[string]bool{}
	}
	s.multi = append(s.multi, s.requests()...)
	for len(s.multi) > 0 {
		args := s.multi[0]
		s.multi = s.multi[1:]
		verb := strings.ToLower(args[0])
		switch {
		case verb == "ping":
			s.answer([]byte("+PONG\r\n"))
		case f.refuses && f.rnd.IntN(20) == 0 && !strings.Contains(verb, "un"):
			s.answer([]byte([]string{"-NOPERM no\r\n", "-BUSY a script\r\n"}[f.rnd.IntN(2)]))
		case verb == "ssubscribe" && f.owner[args[1][1:2]] != s.conn.Server().Name:
			s.answer(fmt.Appendf(nil, "-MOVED %d %s:6379\r\n", shard.Slot([]byte(args[1])), f.owner[args[1][1:2]]))
		default:
			// Channels and patterns of this test never have the same name.
			if strings.Contains(verb, "unsub") {
				delete(f.has[s], args[1])
			} else {
				f.has[s][args[1]] = true
			}
			b := parser.AppendBulkString([]byte(">3\r\n"), verb)
			s.answer(parser.AppendInt(parser.AppendBulkString(b, args[1]), int64(len(f.has[s]))))
		}
		f.settle()
		if !all {
			return
		}
	}
}

// feeds are the feeds that are open.
func (f *feedEnds) feeds() (open []*serverEnd) {
	for _, s := range f.ends {
		if !s.closed && s.conn.Own() && s.greeted {
			open = append(open, s)
		}
	}
	return open
}

// However feeds are lost while clients come and go, in the end the servers are subscribed to what the clients are, no more.
func TestResubscribingEndsWithWhatTheClientsSubscribeTo(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			scene := defaults()
			scene.servers = []string{"A", "B"}
			scene.known.Resubscribe = true
			scene.upstream.Cluster = seed%2 == 1
			scene.loop.MaxOwn = 100
			f := &feedEnds{world: newWorld(t, scene), rnd: rand.New(rand.NewPCG(seed, 1)), has: map[*serverEnd]map[string]bool{}}
			f.refuses = seed%3 == 0
			if seed%2 == 1 {
				f.owner = map[string]string{"A": "A", "B": "B"}
			}
			f.live(300)
			f.refuses = false
			if f.owner != nil {
				f.tells()
			}
			for range 50 {
				f.pass(100 * time.Millisecond)
				for _, s := range f.feeds() {
					f.answer(s, true)
				}
			}
			f.compare()
			for _, c := range f.order {
				c.in = nil
				c.leave()
			}
			f.settle()
			for _, s := range f.feeds() {
				f.answer(s, true)
			}
			f.compare()
			if n := pubsub.CountAll(f.env).Topics; n > 0 {
				t.Errorf("%d topics are left", n)
			}
			f.end()
		})
	}
}

// live lets something happen n times.
func (f *feedEnds) live(n int) {
	for range n {
		feeds := f.feeds()
		c := f.clients[fmt.Sprint("c", f.rnd.IntN(6))]
		if c == nil || c.closed {
			c = f.connect(fmt.Sprint("c", f.rnd.IntN(6)))
		}
		switch k := f.rnd.IntN(100); {
		case k < 45:
			verb, name := "SUBSCRIBE", fmt.Sprintf("{%s}%d", f.names[f.rnd.IntN(2)], f.rnd.IntN(3))
			if f.rnd.IntN(3) == 0 {
				verb, name = "PSUBSCRIBE", fmt.Sprint("*", f.rnd.IntN(2))
			}
			if f.owner != nil && f.rnd.IntN(3) == 0 {
				verb, name = "SSUBSCRIBE", fmt.Sprintf("{%s}s%d", f.names[f.rnd.IntN(2)], f.rnd.IntN(3))
			}
			if f.rnd.IntN(5) < 2 {
				verb = strings.Replace(verb, "SUB", "UNSUB", 1)
			}
			c.send(parser.AppendRequest(nil, verb, name))
		case k < 50:
			c.leave()
		case k < 80 && len(feeds) > 0:
			f.answer(feeds[f.rnd.IntN(len(feeds))], f.rnd.IntN(2) == 0)
		case k < 88 && len(feeds) > 0:
			feeds[f.rnd.IntN(len(feeds))].lose(nil)
		case k < 89:
			f.byHand = true
		case k < 90:
			f.takeDown(f.names[f.rnd.IntN(2)])
		case k < 96 && f.owner != nil:
			if f.rnd.IntN(2) == 0 {
				f.moveSlot(f.names[f.rnd.IntN(2)], []string{"A", "B", "D"}[f.rnd.IntN(3)])
			} else {
				f.tells()
			}
		default:
			f.byHand = false
			f.pass(time.Duration(f.rnd.IntN(100)) * time.Millisecond)
		}
		f.settle()
	}
	f.byHand = false
	f.settle()
}

// takeDown loses the shared connection to a server, which can't be reached then.
func (f *feedEnds) takeDown(name string) {
	f.byHand = true
	if s := f.servers[name]; s != nil && !s.closed {
		s.lose(nil)
	}
	if c := f.dialTo(name); c != nil {
		f.dials = deleteConn(f.dials, c)
		c.OnDialFailed(errors.New("refused"))
	}
}

// moveSlot gives a tag's slot to another node; the one that had it ends the subscriptions to its shard channels.
func (f *feedEnds) moveSlot(tag, to string) {
	from := f.owner[tag]
	f.owner[tag] = to
	for _, s := range f.feeds() {
		if s.conn.Server().Name != from || from == to {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(f.has[s])) {
			if strings.HasPrefix(name, "{"+tag+"}s") {
				delete(f.has[s], name)
				b := parser.AppendBulkString([]byte(">3\r\n$12\r\nsunsubscribe\r\n"), name)
				s.answer(parser.AppendInt(b, int64(len(f.has[s]))))
				f.settle()
			}
		}
	}
}

// tells has the loop know of the moves.
func (f *feedEnds) tells() {
	for tag, name := range f.owner {
		f.slots[tag] = name
	}
	f.moves("A", f.owner["A"])
	f.settle()
}

// compare compares the clients' subscriptions with the servers'.
func (f *feedEnds) compare() {
	f.tb.Helper()
	want, got := map[string]map[string]bool{}, map[string]map[string]bool{}
	for i := range f.env.Map.Len() {
		name := f.env.Map.Server(i).Name
		want[name], got[name] = map[string]bool{}, map[string]bool{}
	}
	for _, c := range f.order {
		if c.closed && c.reason != stats.ClientClosed && c.reason != stats.SubscriptionLost {
			f.tb.Errorf("%s was closed: %s", c.name, c.reason)
		}
		if c.session.HeldUp() {
			f.tb.Errorf("%s still waits", c.name)
		}
		pubsub.EachSubscription(c.session, func(name string, alive bool, servers []int) {
			if !alive {
				f.tb.Errorf("%s subscribes to %s, whose messages do not reach it", c.name, name)
			}
			for _, i := range servers {
				want[f.env.Map.Server(i).Name][name] = true
			}
		})
	}
	feeds := map[string]bool{}
	for _, s := range f.feeds() {
		name := s.conn.Server().Name
		if feeds[name] {
			f.tb.Errorf("server %s has two feeds", name)
		}
		feeds[name], got[name] = true, f.has[s]
	}
	for name := range want {
		if fmt.Sprint(want[name]) != fmt.Sprint(got[name]) {
			f.tb.Errorf("server %s is subscribed to %v, its clients to %v", name, got[name], want[name])
		}
	}
}

// Very many subscriptions are made again a thousand at a time, so that neither the loop nor other requests wait for all.
func TestManySubscriptionsAreMadeAgainByAndBy(t *testing.T) {
	scene := defaults()
	scene.known.Resubscribe = true
	scene.upstream.MaxPending = pubsub.MaxUnanswered + 1
	f := &feedEnds{world: newWorld(t, scene), has: map[*serverEnd]map[string]bool{}}
	c := f.connect("c")
	const n = 2*pubsub.MaxUnanswered + 1
	for i := range n {
		c.send(parser.AppendRequest(nil, "SUBSCRIBE", fmt.Sprint("{A}", i)))
		f.settle()
		f.answer(f.feeds()[0], true)
	}
	f.feeds()[0].lose(nil)
	f.pass(100 * time.Millisecond)
	for _, made := range []int{pubsub.MaxUnanswered, 2 * pubsub.MaxUnanswered, n} {
		s := f.feeds()[0]
		f.answer(s, true)
		if len(f.has[s]) != made {
			t.Fatalf("%d subscriptions are made again, and not %d", len(f.has[s]), made)
		}
		f.pass(10 * time.Millisecond)
	}
	if pubsub.CountAll(f.env).Missing != 0 {
		t.Errorf("%d are missing", pubsub.CountAll(f.env).Missing)
	}
	c.in = nil
	f.end()
}
