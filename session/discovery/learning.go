package discovery

import (
	"bytes"
	"strings"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
)

// learning is the passage of a command that a server is asked for.
type learning struct {
	pool.Unplaced
	raw    []byte
	name   string
	s      *session.Session // nil: cancelled
	env    *session.Env
	since  int64 // ns
	placed bool  // it counts as a question
	queued bool
	asked  bool
	done   bool
	reply  []byte
	found  *learned
	fail   *pool.Failure
}

// Discover asks the first server for the command and then dispatches the request again.
func Discover(s *session.Session, req *parser.Request) {
	l := &learning{raw: bytes.Clone(req.Raw), name: strings.ToLower(string(req.Args[0])), s: s, env: s.Door.Env, since: s.Door.Pool.Now}
	s.LastID = command.NoID // until it is known
	k := lessonsOf(s.Door.Env)
	k.open = append(k.open, l)
	s.Begin(l)
}

func (l *learning) Step(s *session.Session) {
	if !l.asked && !l.done {
		if s.Owed() > 0 || !l.hasPlace(s) {
			return
		}
		l.ask(s)
	}
	if !l.done {
		return
	}
	s.EndPassage()
	l.s = nil
	if l.found == nil || l.fail != nil {
		s.Door.Features.Rejected(s)
		if l.fail != nil {
			s.Door.Scratch = session.AppendFailure(s.Door.Scratch[:0], l.fail, s.Door.Env)
			l.reply = s.Door.Scratch
		}
		s.AnswerAs(command.NoID, l.reply)
		return
	}
	if req, ok := parser.Reparse(l.raw); ok {
		k := lessonsOf(l.env)
		k.name, k.answer = l.name, l.found
		defer func() { k.name, k.answer = "", nil }()
		s.Door.Dispatch(s, &req)
	}
}

// hasPlace reports whether l may be asked now; if not, it waits in the queue.
func (l *learning) hasPlace(s *session.Session) bool {
	k := lessonsOf(s.Door.Env)
	switch {
	case l.placed:
	case k.questions < MaxQuestions:
		k.questions++
		l.placed = true
	case !l.queued:
		l.queued = true
		k.queue = append(k.queue, l)
	}
	return l.placed
}

// leave lets the next in the queue have l's place.
func (l *learning) leave() {
	if !l.placed {
		return
	}
	k := lessonsOf(l.env)
	l.placed = false
	k.questions--
	for len(k.queue) > 0 {
		next := k.queue[0]
		k.queue[0] = nil
		k.queue = k.queue[1:]
		next.queued = false
		if next.s != nil && !next.done {
			k.questions++
			next.placed = true
			next.s.ResumeLater()
			return
		}
	}
	k.queue = nil
}

func (l *learning) ask(s *session.Session) {
	l.asked = true
	raw := parser.AppendRequest(nil, "COMMAND", "INFO", l.name)
	if f := s.Rings.Pick(s.AnyServer(), s.ConnIndex).Enqueue(&pool.Request{Raw: raw, Recv: l, Manner: pool.Here}); f != nil {
		l.done, l.fail = true, f
		l.leave()
	}
}

func (l *learning) Cancel(s *session.Session) (unanswered bool) {
	s.EndPassage()
	l.s = nil
	if !l.asked {
		l.leave()
	}
	return true
}

// Reply is pool.Receiver.
func (l *learning) Reply(_ uint64, b []byte, p pool.Piece) {
	if len(l.reply)+len(b) <= maxInfoReply {
		l.reply = append(l.reply, b...)
	}
	if p&pool.Last != 0 {
		l.found = l.judge()
		l.end(nil)
	}
}

// Client is pool.Receiver.
func (l *learning) Client() pool.Client { return l.s }

// Fail is pool.Receiver.
func (l *learning) Fail(_ uint64, f *pool.Failure) {
	g := *f
	g.Sent = false // the question may have been, the command was not
	l.end(&g)
}

func (l *learning) end(f *pool.Failure) {
	l.leave()
	if l.done {
		return // it took too long
	}
	l.done, l.fail = true, f
	if l.s != nil {
		l.s.ResumeLater()
	}
}

// expireQuestions answers those who have waited for the timeout, whether their question is under way or waits.
func expireQuestions(e *session.Env) {
	k, limit := lessonsOf(e), int64(e.Pool.Timeout())
	for len(k.open) > 0 {
		l := k.open[0]
		switch gone := l.done || l.s == nil; {
		case !gone && (limit <= 0 || e.Pool.Now-l.since <= limit):
			return // later ones have waited less
		case !gone:
			l.done, l.fail = true, &pool.Failure{Kind: pool.TimedOut, Server: e.Map.Server(l.s.AnyServer()).Name}
			l.s.ResumeLater()
			if !l.asked {
				l.leave()
			}
		}
		k.open[0] = nil
		k.open = k.open[1:]
	}
	k.open = nil
}

// judge is what the reply says, which is remembered; nil: nothing, and the client gets it as it is.
func (l *learning) judge() *learned {
	switch {
	case len(l.reply) == 0 || l.reply[0] != '-':
		return Remember(l.env, l.name, l.reply)
	case forbidsCommand(l.reply):
		return guess(l.env, l.name)
	}
	return nil // LOADING or the like
}
