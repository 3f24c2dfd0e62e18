package session

import (
	"slices"

	"ringmaster/auth"
	"ringmaster/command"
	"ringmaster/pool"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Doors and upstreams come and go while their loop runs. A door that is shut lets its clients have what they are owed, and an upstream is
// removed when no client uses it.

// NewLoop makes what the sessions of a loop share, all but Dispatch, Route and Features.
func NewLoop(clock *pool.Loop, st *stats.Loop) *Loop {
	l := &Loop{Clock: clock, Stats: st, Attempts: auth.NewAttempts(1), Loops: 1}
	clock.OnPanic = l.receiverPanicked
	clock.GiveBack = l.giveBack
	return l
}

// NewEnv adds an upstream to what the loop's sessions can use. p is the upstream's pool on this loop.
func NewEnv(l *Loop, u Upstream, p *pool.Pool, m *shard.Map) *Env {
	e := &Env{Loop: l, Upstream: u, Pool: p, Map: m}
	l.envs = append(l.envs, e)
	e.Features.opened(e)
	return e
}

// Follow takes a new map of the servers, which the pool already uses. Each client uses it as soon as all its requests
// under way are answered. Otherwise a later request could overtake an earlier one that goes to the key's old server.
func (e *Env) Follow(m *shard.Map) {
	old := e.Map
	e.Map = m
	moved := !m.SamePlacement(old)
	if moved || m.Slotted() {
		e.Version++
	}
	e.Features.follow(e, old)
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
		e.Features.followPinned(s, moved)
	})
}

// Configure changes what sessions know of the upstream's settings, except whether its read policy is [shard.ReadPrimary]. A map that
// belongs to it must be followed in the same turn.
func (e *Env) Configure(u Upstream) {
	if u.Sharded != e.Upstream.Sharded {
		e.Version++ // what was placed nowhere before has a place now
	}
	e.Upstream = u
}

// New makes the session of a client that just connected.
func New(env *Door, sock Socket) *Session {
	s := &Session{
		Door: env, Socket: sock, Protocol: 2, LastID: command.NoID, LoggedIn: env.Policy.Open(),
		OpenedAt: env.Pool.Now, ActiveAt: env.Pool.Now,
	}
	s.ConnIndex = env.count
	s.version = env.Version
	env.count++
	env.Roster.Add(s.ID(), s)
	env.clients++
	s.Input.Parser.Unauthenticated = !s.LoggedIn
	s.Rings = env.Pool.Default()
	s.Rings.Join()
	env.Stats.ClientsOpened++
	return s
}

// OpenDoor lets clients use an upstream under cfg. policy says which of them may. rules were compiled from cfg and the upstream's read
// policy; loops may share them. Loop-only.
func OpenDoor(e *Env, cfg Config, rules *Rules, policy *auth.Policy) *Door {
	d := &Door{Env: e, Config: cfg, Rules: rules, Policy: policy}
	e.Doors = append(e.Doors, d)
	d.bound()
	return d
}

// Configure has the clients of the listener go by cfg from their next command on. rules must come from NewRules of cfg and the upstream's
// read policy; the same may serve all loops.
func (d *Door) Configure(cfg Config, rules *Rules, policy *auth.Policy) {
	opens := policy.Open() && !d.Policy.Open()
	d.Config, d.Rules, d.Policy = cfg, rules, policy
	d.bound()
	d.nextIdle = 0
	if !opens {
		return // those that have logged in stay, as in Redis
	}
	d.Roster.Each(func(s *Session) {
		if s.Door == d {
			s.LoggedIn, s.Input.Parser.Unauthenticated = true, false
		}
	})
}

// Shut lets every client of the listener finish, some in each turn. Those that come after it must be drained as they come. Loop-only.
func (d *Door) Shut() {
	d.shut = true
	d.Queue(&leaving{door: d, until: d.NextID(), do: (*Session).Drain})
}

// Cut closes the clients that have not finished, some in each turn; what they are owed is lost. It can be called again and again. Loop-only.
func (d *Door) Cut() {
	if d.cutting {
		return
	}
	d.cutting = true
	cut := func(s *Session) {
		if s.State == Open {
			s.Reason = stats.ListenerClosed
		}
		s.Abandon()
	}
	d.Queue(&leaving{door: d, until: d.NextID(), do: cut, done: func() { d.cutting = false }})
}

// IsShut reports whether Shut was called. Loop-only.
func (d *Door) IsShut() bool { return d.shut }

// Clients is how many sessions the door has. Loop-only.
func (d *Door) Clients() int { return d.clients }

// Forget removes a door that is shut and has no clients. Loop-only.
func (d *Door) Forget() {
	d.Env.Doors = slices.DeleteFunc(d.Env.Doors, func(o *Door) bool { return o == d })
}

// leaving ends the clients of a door, a job. All of it is done between polls, where a panic does not end what it was begun from.
type leaving struct {
	door        *Door
	next, until uint64 // IDs
	do          func(*Session)
	done        func()   // nil: nobody has to know
	latest      *Session // that is being ended
}

func (l *leaving) Piece(e *Env) (done bool) {
	p := e.APiece()
	if !e.Roster.Walk(&l.next, l.until, func(s *Session) (more bool) {
		e.Spend(MatchWork)
		if s.Door == l.door {
			e.Spend(CloseWork)
			l.latest = s
			l.do(s)
		}
		return !p.Over(e)
	}) {
		return false
	}
	l.GiveUp()
	return true
}

// Client is whom a panic ends.
func (l *leaving) Client() pool.Client { return l.latest }

func (l *leaving) GiveUp() {
	if l.done != nil {
		l.done()
	}
}

// Used reports whether a client uses the upstream. Loop-only.
func (e *Env) Used() bool { return !e.Roster.Empty() }

// Remove forgets an upstream that no client uses. Loop-only.
func (l *Loop) Remove(e *Env) {
	l.envs = slices.DeleteFunc(l.envs, func(o *Env) bool { return o == e })
}
