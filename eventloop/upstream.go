package eventloop

import (
	"slices"
	"sync/atomic"

	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/shard"
	"ringmaster/stats"
)

// upstream is one upstream on one loop. Loop-only.
type upstream struct {
	of    *shared
	pool  *pool.Pool
	env   *session.Env
	stats *stats.Upstream
	lone  bool   // one connection to each server, and no reads elsewhere
	maps  uint64 // the number of its map
	// early are the questions of loops that already have a later map.
	early []func()
	gone  bool  // it is no longer in the plan
	until int64 // when its open requests are given up, ns
}

// shared is an upstream of the process: the counts of all loops, and the upstream's state on each loop.
type shared struct {
	topics  atomic.Int64 // of pub/sub
	joining atomic.Int64 // subscriptions under way, and new maps
	// on has one entry for each loop, which uses only its own; nil: the loop does not have the upstream yet, or no
	// longer.
	on []*upstream

	// Under Server.changes: the values that were posted last.
	name string
	pool pool.Config
	m    *shard.Map
	maps uint64 // number of maps after the first
	gone bool
}

// addUpstream makes a new upstream on the loop and starts its connections.
func (l *loop) addUpstream(of *shared, cfg *Upstream) {
	srv := l.srv
	log := cfg.Logger
	if log == nil {
		log = srv.log
	}
	u := &upstream{of: of, stats: l.stats.AddUpstream(cfg.Name, cfg.Map.Len()), lone: single(&cfg.Pool)}
	u.pool = pool.New(l.conns, cfg.Pool, cfg.Map, u.stats, log)
	u.pool.Judge(cfg.Health, srv.started)
	u.env = session.NewEnv(l.sessions, cfg.Session, u.pool, cfg.Map)
	if len(srv.loops) > 1 {
		u.env.Peers = peers{l, u}
	}
	of.on[l.index] = u
	l.upstreams = append(l.upstreams, u)
	u.pool.Start()
}

// configure takes new settings.
func (u *upstream) configure(cfg *Upstream) {
	u.pool.Configure(cfg.Pool)
	u.env.Configure(cfg.Session)
	u.lone = single(&cfg.Pool)
}

// adoptMap switches to another map, and then answers the questions of loops that already have it.
func (u *upstream) adoptMap(m changedMap) {
	defer func() {
		u.maps = m.number
		early := u.early
		u.early = nil
		for _, ask := range early {
			ask()
		}
	}()
	u.pool.Follow(m.m)
	u.env.Follow(m.m)
}

// leave has the upstream removed when no client uses it and it owes nothing. After until, in ns, it is removed even
// if it owes something.
func (u *upstream) leave(until int64) {
	u.gone, u.stats.Gone, u.until = true, true, until
}

// removeUpstream closes the connections of an upstream and forgets it.
func (l *loop) removeUpstream(u *upstream) {
	u.pool.Stop()
	l.conns.Remove(u.pool)
	l.sessions.Remove(u.env)
	l.stats.RemoveUpstream(u.stats)
	u.of.on[l.index] = nil
	l.upstreams = slices.DeleteFunc(l.upstreams, func(o *upstream) bool { return o == u })
	l.lookForSolo()
}

// single reports whether there is one connection to each server, and no reads elsewhere.
func single(cfg *pool.Config) bool { return cfg.Connections == 1 && cfg.Reads == shard.ReadPrimary }

// lookForSolo finds out whether there is only one connection to one server, so that no two replies can come in the
// same turn.
func (l *loop) lookForSolo() {
	l.solo = false
	if len(l.upstreams) == 1 {
		u := l.upstreams[0]
		l.solo = u.lone && len(u.env.Map.Shards()) == 1 && !u.env.Map.Slotted()
	}
}

// Handle changes the state of one upstream on the loops. It always means that upstream: after its removal calls do
// nothing, even if another one has its name. The zero Handle means no upstream.
type Handle struct {
	srv *Server
	of  *shared
}

// Upstream returns the handle of the upstream with a name. Any goroutine.
func (s *Server) Upstream(name string) Handle {
	s.changes.Lock()
	defer s.changes.Unlock()
	return Handle{s, s.upstream(name)}
}

// upstream returns the upstream with a name; nil: there is none. Under Server.changes.
func (s *Server) upstream(name string) *shared {
	if i := slices.IndexFunc(s.upstreams, func(of *shared) bool { return of.name == name }); i >= 0 {
		return s.upstreams[i]
	}
	return nil
}

// Follow makes every loop switch to a new map of the servers, soon and in the order of the calls. Any goroutine.
func (h Handle) Follow(m *shard.Map) {
	if h.of == nil {
		return
	}
	h.srv.changes.Lock()
	defer h.srv.changes.Unlock()
	if c := (&change{}); !h.of.gone {
		c.addMap(h.of, m)
		h.srv.send(c)
	}
}

// Judge makes every loop take new health of the servers' replication, soon and in the order of the calls. Any
// goroutine.
func (h Handle) Judge(health pool.Health) {
	if h.of == nil {
		return
	}
	h.srv.changes.Lock()
	defer h.srv.changes.Unlock()
	if h.of.gone {
		return
	}
	for _, l := range h.srv.loops {
		_ = l.post(func() { h.of.on[l.index].pool.Judge(health, h.srv.started) })
	}
}
