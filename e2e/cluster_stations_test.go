package e2e

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"ringmaster/internal/testkit"
)

// station is a publisher, and subscribers to its channels. Each message is the number after the one before on its channel.
type station struct {
	run *clusterRun
	id  int
}

// subscription is one channel, and who listens to it. From one confirmation to the next the messages that were published after the
// first one come all, in order, once.
type subscription struct {
	run              *clusterRun
	subscribe        string // the command
	channel, publish string
	over             atomic.Bool // the listener has gone
	listens          bool        // it has subscribed
	published        atomic.Int64
	heard            int     // the latest message
	first            int     // the first message of the present subscription
	recent           [64]int // messages, by their last bits
	fresh            bool    // the listener was told that it may miss some
	crashes          int64   // when heard came
}

func (p *station) loop() {
	subs := []*subscription{
		{subscribe: "SUBSCRIBE", publish: "PUBLISH", channel: fmt.Sprintf("news%d", p.id)},
		{subscribe: "SUBSCRIBE", publish: "PUBLISH", channel: fmt.Sprintf("%snews%d", hotTags[p.id/10%len(hotTags)], p.id)},
		{subscribe: "SSUBSCRIBE", publish: "SPUBLISH", channel: fmt.Sprintf("%sshard%d", hotTags[p.id/10%len(hotTags)], p.id)},
	}
	for _, s := range subs {
		s.run = p.run
		p.run.goClient(s.listen)
	}
	conn, err := testkit.Connect(p.run.proxy.Addr)
	if err != nil {
		p.run.fault("publisher %d cannot connect: %v", p.id, err)
		return
	}
	defer conn.Close()
	conn.Patience = replyPatience * second
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for open := true; open; <-pause.C {
		open = false
		for _, s := range subs {
			if s.over.Load() {
				continue
			}
			open = true
			if err := s.send(conn); err != nil {
				p.run.fault("publisher to %s: %v", s.channel, err)
				return
			}
		}
	}
}

// send publishes the next message.
func (s *subscription) send(conn *testkit.Conn) error {
	sent := time.Now()
	n := s.published.Add(1)
	reply, err := conn.Call(s.publish, s.channel, strconv.FormatInt(n, 10))
	if err != nil {
		return err
	}
	if reply[0] == '-' {
		s.run.failed(sent, "%s %s: %.200q", s.publish, s.channel, reply)
		if !isClearInCluster(reply) {
			s.run.fault("%s: unclear error %.200q", s.publish, reply)
		}
	} else if reply[0] != ':' {
		s.run.fault("%s answers %.100q", s.publish, reply)
	}
	return nil
}

// listen subscribes, and again whenever it is told that messages may be missing, until the run is over and the latest message
// has come.
func (s *subscription) listen() {
	defer s.over.Store(true)
	for !s.run.stopped() {
		conn, err := testkit.Connect(s.run.proxy.Addr)
		if err != nil {
			s.run.fault("listener to %s cannot connect: %v", s.channel, err)
			return
		}
		conn.Patience = replyPatience * second
		again := s.listenOver(conn)
		conn.Close()
		if !again {
			return
		}
		s.run.pause()
	}
}

// listenOver listens until the connection ends: then the listener was told.
func (s *subscription) listenOver(conn *testkit.Conn) (told bool) {
	if err := s.subscribeAt(conn); err != nil {
		return s.ended(err)
	}
	for {
		if s.run.stopped() { // what was published before must still come
			last := s.published.Load()
			for int64(s.heard) < last {
				if told, err := s.next(conn); err != nil || told {
					return err != nil && s.ended(err)
				}
			}
			return false
		}
		told, err := s.next(conn)
		if err != nil {
			return s.ended(err)
		}
		if told {
			if err := s.subscribeAt(conn); err != nil {
				return s.ended(err)
			}
		}
	}
}

// ended reports whether an error of a listener's connection is its end; anything else is a fault.
func (s *subscription) ended(err error) bool {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		s.run.fault("listener to %s hears nothing: %d of %d", s.channel, s.heard, s.published.Load())
		return false
	}
	return true
}

var errRefused = errors.New("refused")

// subscribeAt subscribes and waits for the confirmation.
func (s *subscription) subscribeAt(conn *testkit.Conn) error {
	sent := time.Now()
	if s.listens {
		s.run.told.Add(1)
	}
	s.fresh, s.listens = true, false
	if err := conn.SendBytes(testkit.AppendRequest(nil, s.subscribe, s.channel)); err != nil {
		return err
	}
	b, err := conn.Next()
	if err != nil {
		return err
	}
	if b[0] == '-' {
		s.run.failed(sent, "%s %s: %.200q", s.subscribe, s.channel, b)
		return errRefused
	}
	s.listens = true
	return nil
}

// next takes a message; told: it is the word of the server that the subscription has ended.
func (s *subscription) next(conn *testkit.Conn) (told bool, err error) {
	raw, err := conn.Next()
	if err != nil {
		return false, err
	}
	crashes := s.run.crashes.Load()
	v, err := testkit.ParseValue(raw)
	if err != nil || len(v.Elems) != 3 || v.Elems[1].Text != s.channel {
		s.run.fault("listener to %s gets %.100q", s.channel, raw)
		return false, errRefused
	}
	if v.Elems[0].Text == "sunsubscribe" {
		return true, nil
	}
	n, err := strconv.Atoi(v.Elems[2].Text)
	switch {
	case err != nil:
		s.run.fault("listener to %s gets %.100q", s.channel, raw)
		return false, errRefused
	case s.fresh:
		s.heard, s.first, s.recent = n, n, [64]int{}
	case n < s.first: // published at another node before, it was still on its way to this one
	case s.recent[n%len(s.recent)] == n:
		s.run.fault("listener to %s: message %d again", s.channel, n)
	case s.publish == "SPUBLISH" && s.run.emptied.Load():
	case n <= s.heard:
		s.run.fault("listener to %s: message %d after %d", s.channel, n, s.heard)
	case n != s.heard+1 && crashes == s.crashes:
		s.run.fault("listener to %s: message %d after %d, and nobody told it", s.channel, n, s.heard)
	}
	s.run.messages.Add(1)
	s.recent[n%len(s.recent)] = n
	s.heard, s.fresh, s.crashes = max(n, s.heard), false, crashes
	return false, nil
}
