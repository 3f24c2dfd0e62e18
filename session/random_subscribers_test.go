package session_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringmaster/parser"
	"ringmaster/session/pubsub"
)

// newsroom is servers that keep subscriptions, clients that subscribe, and clients that publish, while the list of servers changes.
type newsroom struct {
	*world
	rnd       *rand.Rand
	ends      map[*serverEnd]*newsEnd
	readers   []*newsReader
	writers   []*newsWriter
	written   int
	delivered int
	changes   int
	stirs     int // changes, and subscriptions that began
}

// newsEnd is what a server keeps for a connection.
type newsEnd struct {
	subscribed map[string]bool // to channels, and to patterns with a "p" before
	out        []string        // frames not yet sent
}

// newsReader is a client that subscribes. A topic is one step further at each answer: asked for, had, left.
type newsReader struct {
	c       *clientEnd
	topics  map[string]newsState
	pending int
	got     map[string]int // messages, by topic and text
}

type newsState struct{ asked, has, leaves bool }

// newsWriter is a client that publishes one message at a time.
type newsWriter struct {
	c             *clientEnd
	channel, text string // under way; "": nothing is
	stirs         int    // before it
	// who must get it, and may: with the topics
	must map[newsTopic]bool
	may  int
}

// newsTopic is a reader's.
type newsTopic struct {
	r     *newsReader
	topic string
}

var newsTopics = []string{"{A}n", "{B}n", "{C}n", "{a}n", "{c}n", "p{C}*", "p*n"}

// matches reports whether a message to a channel is for a topic.
func matches(topic, channel string) bool {
	if pattern, ok := strings.CutPrefix(topic, "p"); ok {
		return pubsub.Match(pattern, channel)
	}
	return topic == channel
}

func (n *newsroom) end(s *serverEnd) *newsEnd {
	e := n.ends[s]
	if e == nil {
		e = &newsEnd{subscribed: map[string]bool{}}
		n.ends[s] = e
	}
	return e
}

// serve has a server carry out what it has received over one connection.
func (n *newsroom) serve(s *serverEnd) {
	e := n.end(s)
	for _, args := range s.requests() {
		verb := strings.ToLower(args[0])
		switch verb {
		case "ping":
			e.out = append(e.out, "+PONG\r\n")
		case "subscribe", "psubscribe", "unsubscribe", "punsubscribe":
			key := args[1]
			if strings.HasPrefix(verb, "p") {
				key = "p" + key
			}
			if on := !strings.Contains(verb, "uns"); on {
				e.subscribed[key] = true
			} else {
				delete(e.subscribed, key)
			}
			e.out = append(e.out, fmt.Sprintf(">3\r\n%s%s:%d\r\n", bulkOf(verb), bulkOf(args[1]), len(e.subscribed)))
		case "publish":
			count := 0
			for o, at := range n.ends {
				if o.closed || o.conn.Server().Addr != s.conn.Server().Addr {
					continue
				}
				for key := range at.subscribed {
					if !matches(key, args[1]) {
						continue
					}
					count++
					frame := ">3\r\n" + bulkOf("message") + bulkOf(args[1]) + bulkOf(args[2])
					if key[0] == 'p' {
						frame = ">4\r\n" + bulkOf("pmessage") + bulkOf(key[1:]) + bulkOf(args[1]) + bulkOf(args[2])
					}
					at.out = append(at.out, frame)
				}
			}
			e.out = append(e.out, fmt.Sprintf(":%d\r\n", count))
		default:
			n.tb.Fatalf("%s is asked %q", connName(s.conn), args)
		}
	}
}

func bulkOf(s string) string { return string(parser.AppendBulkString(nil, s)) }

// act does one thing.
func (n *newsroom) act() {
	switch p := n.rnd.IntN(100); {
	case p < 15:
		n.readers[n.rnd.IntN(len(n.readers))].act(n)
	case p < 30:
		n.writers[n.rnd.IntN(len(n.writers))].act(n)
	case p < 60:
		if s := n.some(func(s *serverEnd) bool { return len(s.in) > 0 }); s != nil {
			n.serve(s)
		}
	case p < 92:
		if s := n.some(func(s *serverEnd) bool { return n.ends[s] != nil && len(n.ends[s].out) > 0 }); s != nil {
			n.deliver(s)
		}
	case p < 95:
		n.changes++
		n.stirs++
		names := slices.Clone(nodeNames)
		n.rnd.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		n.list(names[:1+n.rnd.IntN(len(names))]...)
	default:
		n.pass(10 * time.Millisecond)
	}
}

// calm reports whether no subscription is under way.
func (n *newsroom) calm() bool {
	return pubsub.CountAll(n.env).Rounds == 0 && !slices.ContainsFunc(n.readers, func(r *newsReader) bool { return r.pending > 0 })
}

// deliver sends the first of what a server has for a connection.
func (n *newsroom) deliver(s *serverEnd) {
	e := n.ends[s]
	frame := e.out[0]
	e.out = e.out[1:]
	s.answer([]byte(frame))
}

// some is one of the open connections that are past the handshake.
func (n *newsroom) some(is func(*serverEnd) bool) *serverEnd {
	var all []*serverEnd
	for _, s := range n.world.ends {
		if !s.closed && s.greeted && is(s) {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[n.rnd.IntN(len(all))]
}

func (r *newsReader) act(n *newsroom) {
	topic := newsTopics[n.rnd.IntN(len(newsTopics))]
	state := r.topics[topic]
	if r.c.closed || r.pending > 0 {
		return
	}
	verb, name := "SUBSCRIBE", topic
	if state.has {
		verb, state.leaves = "UNSUBSCRIBE", true
		for _, w := range n.writers {
			delete(w.must, newsTopic{r, topic})
		}
	} else {
		state.asked = true
		for _, w := range n.writers {
			if w.text != "" && matches(topic, w.channel) {
				w.may++
			}
		}
	}
	if topic[0] == 'p' {
		verb, name = "P"+verb, topic[1:]
	}
	r.topics[topic] = state
	r.pending++
	n.stirs++
	r.c.send(parser.AppendRequest(nil, verb, name))
}

func (w *newsWriter) act(n *newsroom) {
	if w.c.closed || w.text != "" {
		return
	}
	n.written++
	w.channel, w.text = newsTopics[n.rnd.IntN(5)], strconv.Itoa(n.written)
	w.stirs = n.stirs
	w.must, w.may = map[newsTopic]bool{}, 0
	for _, r := range n.readers {
		for topic, state := range r.topics {
			if !matches(topic, w.channel) {
				continue
			}
			w.may++
			if state.has && !state.leaves {
				w.must[newsTopic{r, topic}] = true
			}
		}
	}
	w.c.send(parser.AppendRequest(nil, "PUBLISH", w.channel, w.text))
}

// look reads what clients have received.
func (n *newsroom) look() {
	for _, r := range n.readers {
		if r.c.closed {
			n.tb.Fatalf("%s is closed: %s, %q", r.c.name, r.c.reason, r.c.in)
		}
		for len(r.c.in) > 0 {
			size := parser.ElementEnd(r.c.in)
			r.take(n, r.c.in[:size])
			r.c.in = r.c.in[size:]
		}
	}
	for _, w := range n.writers {
		if len(w.c.in) == 0 {
			continue
		}
		count, ok := parser.Integer(w.c.in)
		if !ok {
			n.tb.Fatalf("PUBLISH: %q", w.c.in)
		}
		w.c.in = nil
		must, may := len(w.must), w.may
		if w.stirs == n.stirs && n.calm() && (int(count) < must || int(count) > may) {
			n.tb.Errorf("%d have got message %s to %s, it says; it must be %d to %d", count, w.text, w.channel, must, may)
		}
		for to := range w.must {
			to.r.got[to.topic+" "+w.text] += 0 // it has come, or has to
		}
		w.text = ""
	}
}

func (r *newsReader) take(n *newsroom, frame []byte) {
	words := bulksOf(frame)
	if len(words) < 2 {
		n.tb.Fatalf("%s gets %q", r.c.name, frame)
	}
	topic := words[1]
	if strings.HasPrefix(words[0], "p") {
		topic = "p" + topic
	}
	switch words[0] {
	case "subscribe", "psubscribe":
		r.pending--
		r.topics[topic] = newsState{has: true, asked: true}
	case "unsubscribe", "punsubscribe":
		r.pending--
		delete(r.topics, topic)
	case "message", "pmessage":
		n.delivered++
		key := topic + " " + words[len(words)-1]
		if r.got[key]++; r.got[key] > 1 {
			n.tb.Errorf("%s gets %q %d times", r.c.name, words, r.got[key])
		}
		if !r.topics[topic].asked {
			n.tb.Errorf("%s gets %q, to which it does not subscribe", r.c.name, words)
		}
	}
}

// bulksOf are the words of an array of bulk strings.
func bulksOf(b []byte) (words []string) {
	for _, line := range bytes.Split(b, []byte("\r\n"))[1:] {
		if len(line) > 0 && line[0] != '$' && line[0] != ':' {
			words = append(words, string(line))
		}
	}
	return words
}

// TestSubscribersMissNothingWhileListsChange lets a list of servers change all the time under clients that subscribe and publish: each
// message comes once to those who subscribe, and to nobody else, and whoever publishes is told how many they are.
func TestSubscribersMissNothingWhileListsChange(t *testing.T) {
	seeds := worlds(40, 5)
	runs, written, delivered, changes := 0, 0, 0, 0
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			s := defaults()
			s.known.ListChanges, s.known.Sharded = true, true
			s.upstream.Timeout, s.upstream.DialTimeout, s.upstream.StallTimeout = 5*time.Second, 5*time.Second, time.Hour
			if seed%2 == 0 {
				s.upstream.Timeout, s.upstream.DialTimeout = time.Hour, time.Hour // what was left comes back
			}
			s.loop.MaxOwn = 1000
			n := &newsroom{world: newWorld(t, s), rnd: rnd, ends: map[*serverEnd]*newsEnd{}}
			for i := range 4 {
				n.readers = append(n.readers, &newsReader{c: n.connect(fmt.Sprintf("r%d", i)), topics: map[string]newsState{}, got: map[string]int{}})
			}
			for i := range 3 {
				n.writers = append(n.writers, &newsWriter{c: n.connect(fmt.Sprintf("w%d", i))})
			}
			for range 4000 {
				n.act()
				n.settle()
				n.look()
				if t.Failed() {
					t.FailNow()
				}
			}
			for range 10000 { // until nothing is under way
				if s := n.some(func(s *serverEnd) bool { return len(s.in) > 0 }); s != nil {
					n.serve(s)
				} else if s := n.some(func(s *serverEnd) bool { return n.ends[s] != nil && len(n.ends[s].out) > 0 }); s != nil {
					n.deliver(s)
				}
				n.settle()
				n.look()
			}
			for _, r := range n.readers {
				for key, times := range r.got {
					if times == 0 {
						t.Errorf("%s has missed %s", r.c.name, key)
					}
				}
			}
			for _, w := range n.writers {
				if w.text != "" {
					t.Errorf("%s waits for the answer to its message to %s", w.c.name, w.channel)
				}
			}
			runs++
			written, delivered, changes = written+n.written, delivered+n.delivered, changes+n.changes
		})
	}
	if !t.Failed() && (changes < 50*runs || delivered < 50*runs) {
		t.Errorf("%d changes and %d deliveries of %d messages are too few", changes, delivered, written)
	}
}
