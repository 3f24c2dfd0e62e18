package session

import (
	"fmt"

	"ringmaster/pool"
	"ringmaster/stats"
)

// check looks at the invariants that must hold between turns.
func (w *world) check() {
	w.tb.Helper()
	if err := pool.Check(w.pool.Loop); err != nil {
		w.tb.Error(err)
	}
	if err := hubOf(w.env).check(); err != nil {
		w.tb.Errorf("hub: %v", err)
	}
	if n := w.stats.Panics; n != w.panics {
		w.tb.Errorf("%d panics were caught, %d were to come", n, w.panics)
	}
	users, output := map[pool.Key]int{}, 0
	for _, c := range w.order {
		if err := c.session.check(); err != nil {
			w.tb.Errorf("session of %s: %v", c.name, err)
		}
		if c.session.state != closed {
			users[c.session.rings.Key()]++
			output += c.session.unread + c.session.held
			if x, ok := c.session.passage.(*crossing); ok && x.rings != nil && x.rings.Refusal() == nil {
				users[x.to]++
			}
		}
	}
	if output != w.env.output {
		w.tb.Errorf("%d bytes of output are counted, the sessions have %d", w.env.output, output)
	}
	for proto := 2; proto <= 3; proto++ {
		for db := range 20 {
			key := pool.Key{Proto: proto, DB: db}
			if got := pool.Users(w.pool, key); got != users[key] {
				w.tb.Errorf("the rings of %v count %d sessions, there are %d", key, got, users[key])
			}
		}
	}
}

// check says which invariant of the hub is broken between turns.
func (h *hub) check() error {
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

// check says which invariant of the session is broken between turns.
func (s *Session) check() error {
	if s.state == closed {
		if s.sock != nil || s.in != nil || s.out != nil || s.slots != nil || s.passage != nil || s.pin != nil || s.tx != nil || s.pushes != nil || s.subs != nil {
			return fmt.Errorf("is closed and still holds something")
		}
		return nil
	}
	held, size := 0, 0
	if s.pushes != nil {
		held = len(s.pushes.B)
	}
	if s.pin != nil {
		for _, o := range s.pin.owns {
			held += len(o.buf)
		}
		if t := trackingOf(s.pin); t != nil && t.redirect != nil {
			for _, e := range t.redirect.ends {
				held += len(e.buf)
			}
		}
	}
	for i := s.head; i != s.tail; i++ {
		sl := s.slot(i)
		size += int(sl.size)
		if sl.buf != nil {
			held += len(sl.buf.B)
		}
	}
	live := s.Owed()
	for i := range s.slots {
		if s.slots[i].buf != nil {
			live--
		}
	}
	switch {
	case s.tail < s.head || s.Owed() > len(s.slots):
		return fmt.Errorf("owes %d replies and has %d slots", s.Owed(), len(s.slots))
	case live < 0:
		return fmt.Errorf("a slot that is not in use has a buffer")
	case held > s.held || s.Owed() == 0 && s.held != held: // gathers hold the rest
		return fmt.Errorf("held is %d, the slots hold %d, and %d replies are owed", s.held, held, s.Owed())
	case size != s.inBytes:
		return fmt.Errorf("inBytes is %d, the slots say %d", s.inBytes, size)
	case s.Owed() > 0 && s.slot(s.head).buf != nil:
		return fmt.Errorf("the head's reply is kept although it is its turn")
	case s.partial && s.Owed() == 0:
		return fmt.Errorf("has forwarded a part of nobody's reply")
	case (s.passage != nil) != (s.wait == answers || s.wait == rings):
		return fmt.Errorf("wait is %d, and a passage is under way: %t", s.wait, s.passage != nil)
	case s.wait == inFlight && s.Owed() == 0 && (s.relieved() || !s.slow):
		return fmt.Errorf("waits for answers and owes none, nor does anybody look how far its client reads")
	case s.unread > 0 && !s.slow:
		return fmt.Errorf("has %d bytes unread, and nobody looks how far its client reads", s.unread)
	case s.in != nil && s.off > len(s.in.B):
		return fmt.Errorf("%d bytes of %d are used", s.off, len(s.in.B))
	case s.out != nil || s.dirty || s.resuming:
		return fmt.Errorf("something is left to do after the turn")
	}
	return nil
}

// end closes every client and checks that nothing is left behind.
func (w *world) end() {
	w.tb.Helper()
	for _, c := range w.order {
		c.session.OnClose(stats.ClientClosed)
	}
	w.settle()
	w.byHand = true
	w.pool.Stop()
	w.settle()
	if h := hubOf(w.env); len(h.topics)+len(h.patterns)+h.joining+h.missing > 0 {
		w.tb.Errorf("subscriptions are left after the end: %d topics, %d patterns, %d rounds, %d missing", len(h.topics), len(h.patterns), h.joining, h.missing)
	}
	if w.pool.InFlight != 0 {
		w.tb.Errorf("%d requests are in flight after the end", w.pool.InFlight)
	}
	for _, s := range w.ends {
		if !s.closed {
			w.tb.Errorf("connection %s is left open", connName(s.conn))
		}
	}
}
