package eventloop

import (
	"sync/atomic"

	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/shard"
)

// upstream is one upstream on one loop. Loop-only.
type upstream struct {
	pool *pool.Pool
	env  *session.Env
}

// shared is what the loops count together of one upstream.
type shared struct {
	topics  atomic.Int64 // of pub/sub
	joining atomic.Int64 // subscriptions under way
}

// addUpstream makes the nth upstream on the loop.
func (l *loop) addUpstream(n int) {
	srv := l.srv
	cfg := &srv.cfg.Upstreams[n]
	log := cfg.Logger
	if log == nil {
		log = srv.log
	}
	u := &upstream{pool: pool.New(l.conns, cfg.Pool, cfg.Map, l.stats.AddUpstream(cfg.Name, cfg.Map.Len()), log)}
	u.pool.Judge(cfg.Health, srv.started)
	u.env = session.NewEnv(l.sessions, cfg.Session, u.pool, cfg.Map)
	if srv.cfg.Loops > 1 {
		u.env.Peers = peers{l, n}
	}
	l.upstreams = append(l.upstreams, u)
}

// Handle changes what the loops know of one upstream.
type Handle struct {
	srv *Server
	n   int
}

// Upstream gives access to the nth upstream of Config. Any goroutine.
func (s *Server) Upstream(n int) Handle { return Handle{s, n} }

// Follow has every loop go by a new map of the servers, soon. Any goroutine; in the order of the calls.
func (h Handle) Follow(m *shard.Map) {
	for _, l := range h.srv.loops {
		_ = l.post(func() {
			l.upstreams[h.n].pool.Follow(m)
			l.upstreams[h.n].env.Follow(m)
		})
	}
}

// Judge has every loop go by what has become known of the servers' replication, soon. Any goroutine; in the order of the calls.
func (h Handle) Judge(health pool.Health) {
	for _, l := range h.srv.loops {
		_ = l.post(func() { l.upstreams[h.n].pool.Judge(health, h.srv.started) })
	}
}
