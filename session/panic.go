package session

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"ringmaster/command"
	"ringmaster/pool"
	"ringmaster/stats"
)

// A panic is a mistake of ours. It ends the client for which the loop was at work, with a reason, a counter and a line in the
// log; the process and all others go on (ADR 15). A debug build ends, so that tests do not pass over it.

// tellPanicEvery is how long the next panic of a loop is only counted, ns.
const tellPanicEvery = 10e9

// guard is deferred by what a loop does for one client.
func (s *Session) guard() { s.Door.recovered(s, recover()) }

// recovered is what guard does about a panic; a nil cause: there was none.
func (l *Loop) recovered(s *Session, cause any) {
	if cause != nil {
		l.panicked(s, cause)
		l.Clock.Distrust()
	}
}

// GuardQuestion is deferred by what another loop asks of this one, so that the asker is answered in any case. Loop-only.
func (l *Loop) GuardQuestion() {
	if cause := recover(); cause != nil {
		l.panicked(nil, cause)
		l.Clock.Distrust()
	}
}

// receiverPanicked is pool.Loop.OnPanic.
func (l *Loop) receiverPanicked(whom pool.Client, cause any) {
	l.panicked(SessionOf(whom), cause)
}

// SessionOf is the session that a client of package pool is; nil: there is none.
func SessionOf(c pool.Client) *Session {
	s, _ := c.(*Session)
	return s
}

// panicked ends the client in whose work a panic came; nil: it is not known whose.
func (l *Loop) panicked(s *Session, cause any) {
	if panicsEnd {
		panic(cause)
	}
	l.Stats.Panics++
	l.tellPanic(s, cause)
	l.forget()
	if s != nil {
		s.condemn()
	}
}

// Panicked counts and tells of a panic in what a loop does for all its clients. Nothing is known of what it has left half done,
// so all of them are closed. Loop-only.
func (l *Loop) Panicked(cause any) {
	l.panicked(nil, cause)
	clear(l.due.dirty)
	clear(l.due.resume)
	for _, t := range l.jobs {
		t.job.GiveUp()
	}
	l.due.dirty, l.due.resume, l.jobs, l.lending = nil, nil, nil, lending{}
	var all []*Session
	for _, e := range l.envs {
		e.held, e.Later = nil, nil
		e.Roster.Each(func(s *Session) { all = append(all, s) })
	}
	for _, s := range all {
		s.condemn()
	}
}

func (l *Loop) tellPanic(s *Session, cause any) {
	p := &l.panics
	if p.at > 0 && l.Clock.Now-p.at < tellPanicEvery {
		p.hidden++
		return
	}
	client := "unknown"
	name := "unknown"
	if s != nil {
		name = command.Shown(s.LastID)
		if s.Socket != nil {
			client, _ = s.Socket.Addr()
		}
	}
	l.Logger().Error("a bug in ringmaster caused a panic; the client is closed; please report this", slog.String("client", client),
		slog.String("command", name), slog.String("cause", fmt.Sprint(cause)), slog.Uint64("not_logged_before", p.hidden),
		slog.String("stack", string(debug.Stack())))
	p.at, p.hidden = max(l.Clock.Now, 1), 0
}

// forget drops what the loop's sessions share and a panic may have left half done.
func (l *Loop) forget() {
	l.underway = underway{}
	l.Features.forget(l)
	l.scratch.forget()
}

// condemn closes a client of which nothing is known to be whole. Its buffers may be in use elsewhere, so they are left to
// the garbage collector.
func (s *Session) condemn() {
	sock := s.Socket
	s.Input.Disown()
	s.Out.disown()
	s.Transaction = nil
	s.Slots.Disown()
	defer func() {
		if recover() != nil && sock != nil {
			sock.Close(stats.Panic)
		}
	}()
	s.Close(stats.Panic)
}

// Logger is where to tell operators.
func (l *Loop) Logger() *slog.Logger {
	if l.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.Log
}
