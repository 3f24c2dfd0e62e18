package eventloop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"ringmaster/session"
	"ringmaster/session/dispatch"
	"ringmaster/shard"
)

// change is what the loops change in one turn. It stays the same after it is posted, except for its count.
type change struct {
	upstreams []changedUpstream // in the order in which new ones are added
	maps      []changedMap
	doors     []changedDoor
	opened    []*entrance // the new ones of doors
	shut      []*entrance
	gone      []*shared
	// The rest of a plan. A change with only new maps has no plan.
	plan         bool
	maxOwn       int
	clientMemory int
	farewell     time.Duration
	drain        int64 // DrainTimeout, ns

	left    atomic.Int64  // loops that have not applied it yet
	applied chan struct{} // closed when all have applied it
}

// changedUpstream is an upstream with its new settings; added: it is new.
type changedUpstream struct {
	of    *shared
	cfg   Upstream
	added bool
}

// changedMap is a new map for a running upstream, and its number among all maps of that upstream.
type changedMap struct {
	of     *shared
	m      *shard.Map
	number uint64
}

// changedDoor has the new settings for the clients of a listener.
type changedDoor struct {
	at    *entrance
	cfg   Listener
	rules *session.Rules
}

// Apply makes every loop apply a plan, all of it in one turn, and returns when all loops have. It takes the plan's
// sockets: after an error they are closed. Sockets that are no longer in the plan are closed when it returns. If ctx
// ends before all loops have applied the plan, they apply it nevertheless, and the error is ctx's. Any goroutine.
func (s *Server) Apply(ctx context.Context, p Plan) error {
	c, err := s.begin(&p)
	if err != nil {
		return err
	}
	select {
	case <-c.applied:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the settings are in force, but not on all loops yet: %w", ctx.Err())
	case <-s.ctx.Done():
		return errStopped
	}
}

// begin checks a plan and posts it. After an error nothing has changed.
func (s *Server) begin(p *Plan) (c *change, err error) {
	s.changes.Lock()
	defer s.changes.Unlock()
	defer func() {
		if c == nil { // after a panic, too
			s.discard(p)
		}
	}()
	if s.stopping.Load() {
		return nil, errors.New("the proxy is stopping")
	}
	if err := s.check(p); err != nil {
		return nil, err
	}
	rules := compile(p)
	c = s.adopt(p, rules)
	s.send(c)
	return c, nil
}

// discard closes the new sockets of a plan.
func (s *Server) discard(p *Plan) {
	for _, ln := range p.Listeners {
		if ln.Listener != nil && !s.accepts(ln.Listener) {
			_ = ln.Close()
		}
	}
}

// check returns an error if a plan can't be applied.
func (s *Server) check(p *Plan) error {
	if len(p.Listeners) == 0 || len(p.Upstreams) == 0 {
		return errors.New("there is no listener, or no upstream")
	}
	seen := map[string]bool{}
	for i := range p.Upstreams {
		u := &p.Upstreams[i]
		if u.Name == "" || seen[u.Name] {
			return fmt.Errorf("upstream %q: its name is empty or already used", u.Name)
		}
		seen[u.Name] = true
		if err := s.upstream(u.Name).check(u); err != nil {
			return fmt.Errorf("upstream %q: %w", u.Name, err)
		}
	}
	return s.checkListeners(p)
}

func (s *Server) checkListeners(p *Plan) error {
	seen, kept := map[string]bool{}, map[*acceptor]bool{}
	for i := range p.Listeners {
		ln := &p.Listeners[i]
		a := s.running(ln)
		if ln.Name == "" || seen[ln.Name] {
			return fmt.Errorf("listener %q: its name is empty or already used", ln.Name)
		}
		seen[ln.Name] = true
		switch {
		case ln.Upstream < 0 || ln.Upstream >= len(p.Upstreams):
			return fmt.Errorf("listener %q: there is no upstream %d", ln.Name, ln.Upstream)
		case ln.Policy == nil:
			return fmt.Errorf("listener %q: nothing says who may log in", ln.Name)
		case ln.Listener == nil && a == nil:
			return fmt.Errorf("listener %q: it is new and has no socket", ln.Name)
		case a != nil && kept[a], s.accepts(ln.Listener) && a.Listener != ln.Listener:
			return fmt.Errorf("listener %q: its socket is another's", ln.Name)
		}
		kept[a] = true
	}
	return nil
}

// check returns an error if the upstream can't take the settings cfg. of is nil for a new upstream.
func (of *shared) check(cfg *Upstream) error {
	if of == nil {
		if cfg.Map == nil || cfg.Map.Len() == 0 || cfg.Pool.Connections < 1 {
			return errors.New("it is new and has no servers, or no connections to them")
		}
		return nil
	}
	if !of.pool.Reconfigures(&cfg.Pool) {
		return errors.New("its number of connections, the way its servers are found, its script policy, and the use of replicas can't change")
	}
	if cfg.Map != nil && cfg.Map.Len() < of.m.Len() {
		return fmt.Errorf("a server can't lose its number: the map has %d, and had %d", cfg.Map.Len(), of.m.Len())
	}
	return nil
}

// compile compiles the rules of all listeners.
func compile(p *Plan) (rules []*session.Rules) {
	for i := range p.Listeners {
		ln := &p.Listeners[i]
		rules = append(rules, dispatch.NewRules(ln.Session, p.Upstreams[ln.Upstream].Session.Reads))
	}
	return rules
}

// adopt makes a plan the server's current one, and returns the change for the loops. It can't fail.
func (s *Server) adopt(p *Plan, rules []*session.Rules) *change {
	c := &change{plan: true, maxOwn: p.MaxOwn, clientMemory: p.ClientMemory, farewell: p.FarewellTime, drain: int64(p.DrainTimeout)}
	s.maxClients.Store(int64(p.MaxClients))
	s.handshakes.configure(p.MaxHandshakes, p.HandshakeTimeout)
	upstreams := make([]*shared, len(p.Upstreams))
	for i, cfg := range p.Upstreams {
		of := s.upstream(cfg.Name)
		added := of == nil
		if added {
			of = &shared{name: cfg.Name, m: cfg.Map, on: make([]*upstream, len(s.loops))}
		} else if cfg.Map != nil {
			c.addMap(of, cfg.Map)
		}
		of.pool = cfg.Pool
		upstreams[i] = of
		c.upstreams = append(c.upstreams, changedUpstream{of, cfg, added})
	}
	for _, of := range s.upstreams {
		if of.gone = !slices.Contains(upstreams, of); of.gone {
			c.gone = append(c.gone, of)
		}
	}
	s.upstreams = upstreams
	s.adoptListeners(c, p, rules)
	return c
}

// adoptListeners opens and closes doors, and starts and ends the acceptors.
func (s *Server) adoptListeners(c *change, p *Plan, rules []*session.Rules) {
	before, now := s.acceptors, []*acceptor(nil)
	for _, a := range before {
		c.shut = append(c.shut, a.to.Load())
	}
	for i, ln := range p.Listeners {
		a := s.running(&ln)
		to := s.upstreams[ln.Upstream]
		var e *entrance
		if a != nil {
			e = a.to.Load()
		}
		if e == nil || e.upstream != to {
			e = &entrance{upstream: to, on: make([]*session.Door, len(s.loops)), ready: make(chan struct{})}
			c.opened = append(c.opened, e)
		}
		running := a != nil && (ln.Listener == nil || ln.Listener == a.Listener)
		if !running {
			a = &acceptor{Listener: ln.Listener}
		}
		a.name = ln.Name
		a.to.Store(e)
		if before := a.keepAlive.Swap(int64(ln.KeepAlive)); !running || before != int64(ln.KeepAlive) {
			a.prepare(ln.KeepAlive)
		}
		a.tls.Store(ln.TLS)
		if !running {
			s.tasks.Go(func() { s.accept(a) })
		}
		now = append(now, a)
		c.shut = slices.DeleteFunc(c.shut, func(o *entrance) bool { return o == e })
		c.doors = append(c.doors, changedDoor{e, ln, rules[i]})
	}
	for _, a := range before {
		if !slices.Contains(now, a) {
			a.close(now)
		}
	}
	s.acceptors = now
}

// addMap adds a new map of a running upstream.
func (c *change) addMap(of *shared, m *shard.Map) {
	if m == of.m {
		return
	}
	of.m = m
	of.maps++
	c.maps = append(c.maps, changedMap{of, m, of.maps})
}

// send posts a change to all loops. Until all have applied it, a message may be published by one map while its
// subscribers are placed by another, so publishers ask the loops first. Under Server.changes.
func (s *Server) send(c *change) {
	c.applied = make(chan struct{})
	c.left.Store(int64(len(s.loops)))
	for _, m := range c.maps {
		m.of.joining.Add(1)
	}
	for _, l := range s.loops {
		if l.post(func() { defer c.done(); l.apply(c) }) != nil {
			c.done()
		}
	}
}

// done counts a loop that has applied the change or never will.
func (c *change) done() {
	if c.left.Add(-1) > 0 {
		return
	}
	for _, m := range c.maps {
		m.of.joining.Add(-1)
	}
	for _, e := range c.opened {
		close(e.ready)
	}
	close(c.applied)
}
