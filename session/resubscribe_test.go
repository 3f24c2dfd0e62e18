package session

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/parser"
	"ringmaster/stats"
)

// feedEnds plays the servers' part in pub/sub, as slowly as the test likes.
type feedEnds struct {
	*world
	rnd     *rand.Rand
	has     map[*serverEnd]map[string]bool // what is subscribed over the connection
	refuses bool                           // now and then
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
			scene.session.Resubscribe = true
			f := &feedEnds{world: newWorld(t, scene), rnd: rand.New(rand.NewPCG(seed, 1)), has: map[*serverEnd]map[string]bool{}}
			f.refuses = seed%3 == 0
			f.live(300)
			f.refuses = false
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
			if n := len(f.env.hub.topics); n > 0 {
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
			if f.rnd.IntN(5) < 2 {
				verb = strings.Replace(verb, "SUB", "UNSUB", 1)
			}
			c.send(appendRequest(nil, verb, name))
		case k < 50:
			c.leave()
		case k < 80 && len(feeds) > 0:
			f.answer(feeds[f.rnd.IntN(len(feeds))], f.rnd.IntN(2) == 0)
		case k < 88 && len(feeds) > 0:
			feeds[f.rnd.IntN(len(feeds))].lose(nil)
		case k < 90:
			f.byHand = true
		default:
			f.byHand = false
			f.pass(time.Duration(f.rnd.IntN(100)) * time.Millisecond)
		}
		f.settle()
	}
	f.byHand = false
	f.settle()
}

// compare compares the clients' subscriptions with the servers'.
func (f *feedEnds) compare() {
	f.tb.Helper()
	want := make([]map[string]bool, 2)
	for i := range want {
		want[i] = map[string]bool{}
	}
	for _, c := range f.order {
		if c.closed && c.reason != stats.ClientClosed && c.reason != stats.SubscriptionLost {
			f.tb.Errorf("%s was closed: %s", c.name, c.reason)
		}
		if c.session.passage != nil {
			f.tb.Errorf("%s still waits", c.name)
		}
		if c.session.subs == nil {
			continue
		}
		for k := range kinds {
			for name, topic := range c.session.subs.topics[k] {
				if topic.dead || !slices.Contains(topic.subs, c.session) {
					f.tb.Errorf("%s subscribes to %s, which is dead: %t", c.name, name, topic.dead)
				}
				for _, i := range topic.at {
					want[i][name] = true
				}
			}
		}
	}
	got := make([]map[string]bool, 2)
	for _, s := range f.feeds() {
		i := slices.Index(f.names, s.conn.Server().Name)
		if got[i] != nil {
			f.tb.Errorf("server %d has two feeds", i)
		}
		got[i] = f.has[s]
	}
	for i := range want {
		if fmt.Sprint(want[i]) != fmt.Sprint(got[i]) {
			f.tb.Errorf("server %d is subscribed to %v, its clients to %v", i, got[i], want[i])
		}
	}
}

// Very many subscriptions are made again a thousand at a time, so that neither the loop nor other requests wait for all.
func TestManySubscriptionsAreMadeAgainByAndBy(t *testing.T) {
	scene := defaults()
	scene.session.Resubscribe = true
	scene.upstream.MaxPending = maxAskedAgain + 1
	f := &feedEnds{world: newWorld(t, scene), has: map[*serverEnd]map[string]bool{}}
	c := f.connect("c")
	const n = 2*maxAskedAgain + 1
	for i := range n {
		c.send(appendRequest(nil, "SUBSCRIBE", fmt.Sprint("{A}", i)))
		f.settle()
		f.answer(f.feeds()[0], true)
	}
	f.feeds()[0].lose(nil)
	f.pass(100 * time.Millisecond)
	for _, made := range []int{maxAskedAgain, 2 * maxAskedAgain, n} {
		s := f.feeds()[0]
		f.answer(s, true)
		if len(f.has[s]) != made {
			t.Fatalf("%d subscriptions are made again, and not %d", len(f.has[s]), made)
		}
		f.pass(10 * time.Millisecond)
	}
	if f.env.hub.missing != 0 {
		t.Errorf("%d are missing", f.env.hub.missing)
	}
	c.in = nil
	f.end()
}
