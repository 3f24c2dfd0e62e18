package session

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"ringmaster/stats"
)

// A panic is a mistake of ours. It ends the client for which the loop was at work, with a reason, a counter and a line in the
// log; the process and all others go on (ADR 15). A debug build ends, so that tests do not pass over it.

// tellPanicEvery is how long the next panic of a loop is only counted, ns.
const tellPanicEvery = 10e9

// panics is what a loop keeps of them.
type panics struct {
	at     int64  // when the last was logged, ns; 0: none was
	hidden uint64 // since then
}

// guard is deferred by what a loop does for one client.
func (s *Session) guard() {
	if cause := recover(); cause != nil {
		s.env.panicked(s, cause)
		s.env.Pool.Distrust()
	}
}

// GuardQuestion is deferred by what another loop asks of this one, so that the asker is answered in any case. Loop-only.
func (e *Env) GuardQuestion() {
	if cause := recover(); cause != nil {
		e.panicked(nil, cause)
		e.Pool.Distrust()
	}
}

// receiverPanicked is pool.Pool.OnPanic.
func (e *Env) receiverPanicked(whom, cause any) {
	e.panicked(clientOf(whom), cause)
}

// clientOf is whose reply a receiver or an owner waits for; nil: nobody's alone.
func clientOf(whom any) *Session {
	if r, ok := whom.(interface{ client() *Session }); ok {
		return r.client()
	}
	return nil
}

// panicked ends the client in whose work a panic came; nil: it is not known whose.
func (e *Env) panicked(s *Session, cause any) {
	if panicsEnd {
		panic(cause)
	}
	e.Stats.Panics++
	e.tellPanic(s, cause)
	e.forget()
	if s != nil {
		s.condemn()
	}
}

// Panicked counts and tells of a panic in what a loop does for all its clients. Nothing is known of what it has left half done,
// so all of them are closed. Loop-only.
func (e *Env) Panicked(cause any) {
	e.panicked(nil, cause)
	for i := range e.dirty {
		e.dirty[i] = nil
	}
	for i := range e.resume {
		e.resume[i] = nil
	}
	for _, j := range e.jobs {
		if part, ok := j.(interface{ giveUp() }); ok { // of what another loop has asked
			part.giveUp()
		}
	}
	e.dirty, e.resume, e.held, e.later, e.jobs = nil, nil, nil, nil, nil
	var all []*Session
	e.roster.each(func(s *Session) { all = append(all, s) })
	for _, s := range all {
		s.condemn()
	}
}

func (e *Env) tellPanic(s *Session, cause any) {
	p := &e.panics
	if p.at > 0 && e.Pool.Now-p.at < tellPanicEvery {
		p.hidden++
		return
	}
	client := "unknown"
	command := "unknown"
	if s != nil {
		command = s.lastCommand()
		if s.sock != nil {
			client, _ = s.sock.Addr()
		}
	}
	e.log().Error("a mistake of ringmaster's own (a panic): the client is closed; please report this", slog.String("client", client),
		slog.String("command", command), slog.String("cause", fmt.Sprint(cause)), slog.Uint64("not_logged_before", p.hidden),
		slog.String("stack", string(debug.Stack())))
	p.at, p.hidden = max(e.Pool.Now, 1), 0
}

// forget drops what the loop's sessions share and a panic may have left half done.
func (e *Env) forget() {
	e.capture, e.answering, e.asking, e.replaying, e.apart, e.pastGate = nil, nil, nil, false, false, false
	e.free, e.outcomes = nil, nil
	e.scratch, e.build, e.keys, e.division = nil, nil, nil, division{}
	e.sizeGroups()
	e.req.Args, e.req.Raw = nil, nil
	e.lessons.name, e.lessons.answer = "", nil
}

// condemn closes a client of which nothing is known to be whole. Its buffers may be in use elsewhere, so they are left to
// the garbage collector.
func (s *Session) condemn() {
	sock := s.sock
	s.in, s.out, s.pushes, s.tx = nil, nil, nil, nil
	for i := range s.slots {
		s.slots[i].buf = nil
	}
	defer func() {
		if recover() != nil && sock != nil {
			sock.Close(stats.Panic)
		}
	}()
	s.close(stats.Panic)
}

func (s *Session) client() *Session        { return s }
func (g *gather) client() *Session         { return g.s }
func (o *outcome) client() *Session        { return o.s }
func (l *learning) client() *Session       { return l.s }
func (o *own) client() *Session            { return o.p.s }
func (a *apart) client() *Session          { return a.s }
func (p *published) client() *Session      { return p.s }
func (n *numSubs) client() *Session        { return n.s }
func (m *emission) client() *Session       { return m.s }
func (q *shortage) client() *Session       { return q.s }
func (w *slotWalk) client() *Session       { return w.s }
func (c *trackingChange) client() *Session { return c.s }
func (w *watching) client() *Session       { return w.s }
func (a *aside) client() *Session          { return clientOf(a.recv) }
func (w stopWord) client() *Session        { return clientOf(w.Receiver) }
