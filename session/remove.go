package session

import (
	"slices"

	"ringmaster/auth"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// Doors and upstreams come and go while their loop runs. A door that is shut lets its clients have what they are owed, and an upstream is
// removed when no client uses it.

// OpenDoor lets clients use an upstream under cfg. policy says which of them may. rules were compiled from cfg and the upstream's read
// policy; loops may share them. Loop-only.
func OpenDoor(e *Env, cfg Config, rules *Rules, policy *auth.Policy) *Door {
	d := &Door{Env: e, Config: cfg, Rules: rules, Policy: policy}
	e.Doors = append(e.Doors, d)
	d.bound()
	return d
}

// Shut lets every client of the listener finish, some in each turn. Those that come after it must be drained as they come. Loop-only.
func (d *Door) Shut() {
	d.shut = true
	d.Queue(&leaving{door: d, until: d.NextID(), end: (*Session).Drain})
}

// Cut closes the clients that have not finished, some in each turn; what they are owed is lost. It can be called again and again. Loop-only.
func (d *Door) Cut() {
	if d.cutting {
		return
	}
	d.cutting = true
	end := func(s *Session) {
		if s.State == Open {
			s.Reason = stats.ListenerClosed
		}
		s.Abandon()
	}
	d.Queue(&leaving{door: d, until: d.NextID(), end: end, done: func() { d.cutting = false }})
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
	end         func(*Session)
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
			l.end(s)
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

// Drains reports whether a client that closes for this reason is owed what it has asked for, and a word on what it waits for.
func Drains(reason stats.CloseReason) bool {
	return reason == stats.Shutdown || reason == stats.ListenerClosed
}

// appendUndone writes the error reply for a command that is left undone since its client closes for reason.
func appendUndone(dst []byte, reason stats.CloseReason, f *pool.Failure, env *Env) []byte {
	if reason == stats.ListenerClosed {
		return parser.AppendError(dst, texts.ListenerClosed+texts.Fate(f))
	}
	return AppendFailure(dst, f, env)
}

// Undone answers a command that was not sent since the client closes.
func (s *Session) Undone(tag uint64) {
	s.Door.Scratch = appendUndone(s.Door.Scratch[:0], s.Reason, stopping, s.Door.Env)
	s.Reply(tag, s.Door.Scratch, pool.Whole)
}

// Used reports whether a client uses the upstream. Loop-only.
func (e *Env) Used() bool { return len(e.Roster.list) > e.Roster.gone }

// Remove forgets an upstream that no client uses. Loop-only.
func (l *Loop) Remove(e *Env) {
	l.envs = slices.DeleteFunc(l.envs, func(o *Env) bool { return o == e })
}
