package session

import (
	"time"

	"ringmaster/pool"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Env is what the sessions of one loop share whose commands go to the same upstream. Loop-only.
type Env struct {
	*Loop
	Upstream Upstream
	Pool     *pool.Pool
	Map      *shard.Map

	version uint16 // of Map
	lessons any    // commands that the table does not know (learn.go); nil: none so far
	roster  roster

	// Peers reaches the same upstream on the other loops; nil: there are none.
	Peers     Peers
	hub       any // its subscriptions
	doors     []*Door
	deadlines []deadline // in the order in which they pass
	later     []deferred // to be sent again at the next tick
	tracking  any        // where invalidations go (tracking_redirect.go)
	pause     pause
	busyText  []byte         // what the other loops know of this one
	busyOn    map[int][]byte // by loop: what a server says of a script that holds up its connection
	held      []*Session     // postponed, and without a connection
	moves     any            // commands that wait at servers which their keys have left (blocked.go); nil: none so far
}

// NewEnv adds an upstream to what the loop's sessions can use. p is the upstream's pool on this loop.
func NewEnv(l *Loop, u Upstream, p *pool.Pool, m *shard.Map) *Env {
	e := &Env{Loop: l, Upstream: u, Pool: p, Map: m}
	l.envs = append(l.envs, e)
	e.opened()
	return e
}

// single reports whether one server holds all keys, so that every command goes there whole.
func (e *Env) single() bool { return len(e.Map.Shards()) == 1 && !e.Upstream.Sharded }

// Follow takes over a new map of the servers, which the pool follows already. Each client goes by it when what it has under
// way is answered: else a later request could overtake an earlier one that goes to where its key was before.
func (e *Env) Follow(m *shard.Map) {
	old := e.Map
	e.Map = m
	moved := !m.SamePlacement(old)
	if moved || m.Slotted() {
		e.version++
	}
	e.featuresFollow(old)
	e.roster.each(func(s *Session) {
		p := s.pin
		if p == nil {
			return
		}
		p.leave(old)
		if p.dirty && !p.everywhere() {
			s.closeAs(stats.StateLost) // a server that is new knows nothing of it
			return
		}
		s.followPinned(moved)
	})
}

// home is the server for what has no key: the first, so that it is always the same one.
func (e *Env) home() int { return e.Map.Shards()[0] }

// Configure changes what sessions know of the upstream's settings, except whether its read policy is [shard.ReadPrimary]. A map that
// belongs to it must be followed in the same turn.
func (e *Env) Configure(u Upstream) {
	if u.Sharded != e.Upstream.Sharded {
		e.version++ // what was placed nowhere before has a place now
	}
	e.Upstream = u
}

// age is a time in whole seconds.
func (e *Env) age(since int64) int64 { return (e.Pool.Now - since) / int64(time.Second) }

// tick has the features look at what waits for a time, and lets those go on who wait for the end of a pause, or for a connection.
func (e *Env) tick() {
	e.featuresTick()
	e.sendDeferred()
	e.passDeadlines()
	if len(e.held) == 0 || e.paused() && e.pause.all {
		return
	}
	for _, s := range e.held {
		s.resumeLater()
	}
	clear(e.held)
	e.held = e.held[:0]
}
