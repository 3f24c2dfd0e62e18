package session_test

import (
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/pubsub"
	"ringmaster/session/tracking"
	"ringmaster/stats"
)

// check looks at the invariants that must hold between turns.
func (w *world) check() {
	w.tb.Helper()
	if err := pool.Check(w.pool.Loop); err != nil {
		w.tb.Error(err)
	}
	if err := pubsub.Check(w.env); err != nil {
		w.tb.Errorf("hub: %v", err)
	}
	if n := w.stats.Panics; n != w.panics {
		w.tb.Errorf("%d panics were caught, %d were to come", n, w.panics)
	}
	users, output := map[pool.Key]int{}, 0
	for _, c := range w.order {
		if err := session.Check(c.session, tracking.BufferedForRedirects(c.session)); err != nil {
			w.tb.Errorf("session of %s: %v", c.name, err)
		}
		rings, n := session.Counted(c.session)
		output += n
		for _, key := range rings {
			users[key]++
		}
	}
	if n := w.env.UnreadOutput(); output != n {
		w.tb.Errorf("%d bytes of output are counted, the sessions have %d", n, output)
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
	if n := pubsub.CountAll(w.env); n != (pubsub.Counts{}) {
		w.tb.Errorf("subscriptions are left after the end: %+v", n)
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
