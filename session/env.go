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

	Version uint16 // of Map
	Lessons any    // commands that the table does not know (learn.go); nil: none so far
	Roster  roster

	// Peers reaches the same upstream on the other loops; nil: there are none.
	Peers     Peers
	Hub       any // its subscriptions
	Doors     []*Door
	deadlines []deadline // in the order in which they pass
	Later     []deferred // to be sent again at the next tick
	Tracking  any        // where invalidations go (package tracking)
	Pause     Pause
	BusyText  []byte         // what the other loops know of this one
	BusyOn    map[int][]byte // by loop: what a server says of a script that holds up its connection
	held      []*Session     // those that wait for the next tick
	Moves     any            // commands that wait at servers which their keys have left (blocked.go); nil: none so far
}

// NewEnv adds an upstream to what the loop's sessions can use. p is the upstream's pool on this loop.
func NewEnv(l *Loop, u Upstream, p *pool.Pool, m *shard.Map) *Env {
	e := &Env{Loop: l, Upstream: u, Pool: p, Map: m}
	l.envs = append(l.envs, e)
	e.opened()
	return e
}

// Single reports whether one server holds all keys, so that every command goes there whole.
func (e *Env) Single() bool { return len(e.Map.Shards()) == 1 && !e.Upstream.Sharded }

// Follow takes over a new map of the servers, which the pool follows already. Each client goes by it when what it has under
// way is answered: else a later request could overtake an earlier one that goes to where its key was before.
func (e *Env) Follow(m *shard.Map) {
	old := e.Map
	e.Map = m
	moved := !m.SamePlacement(old)
	if moved || m.Slotted() {
		e.Version++
	}
	e.featuresFollow(old)
	e.Roster.Each(func(s *Session) {
		p := s.Pin
		if p == nil {
			return
		}
		p.leave(old)
		if p.Dirty && !p.Everywhere() {
			s.CloseAs(stats.StateLost) // a server that is new knows nothing of it
			return
		}
		s.followPinned(moved)
	})
}

// Home is the server for what has no key: the first, so that it is always the same one.
func (e *Env) Home() int { return e.Map.Shards()[0] }

// Configure changes what sessions know of the upstream's settings, except whether its read policy is [shard.ReadPrimary]. A map that
// belongs to it must be followed in the same turn.
func (e *Env) Configure(u Upstream) {
	if u.Sharded != e.Upstream.Sharded {
		e.Version++ // what was placed nowhere before has a place now
	}
	e.Upstream = u
}

// Age is a time in whole seconds.
func (e *Env) Age(since int64) int64 { return (e.Pool.Now - since) / int64(time.Second) }

// tick has the features look at what waits for a time, and lets those go on who wait for the end of a pause, or for a connection.
func (e *Env) tick() {
	e.featuresTick()
	e.sendDeferred()
	e.passDeadlines()
	if len(e.held) == 0 || e.Paused() && e.Pause.All {
		return
	}
	for _, s := range e.held {
		if s.passage != nil {
			s.passage.skeleton().Resume(Tick)
		} else {
			s.ResumeLater()
		}
	}
	clear(e.held)
	e.held = e.held[:0]
}
