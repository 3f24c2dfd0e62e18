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
	session.Passage
	pool.Unplaced
	raw      []byte
	name     string
	env      *session.Env
	placed   bool // it counts as a question
	asked    bool
	answered bool // with found, or fail, or else with reply
	reply    []byte
	found    *learned
	fail     *pool.Failure
}

// Discover asks the first server for the command and then dispatches the request again.
func Discover(s *session.Session, req *parser.Request) {
	l := &learning{raw: bytes.Clone(req.Raw), name: strings.ToLower(string(req.Args[0])), env: s.Door.Env}
	s.LastID = command.NoID // until it is known
	s.Begin(l)
	l.Limit()
}

func (l *learning) Step(s *session.Session, came session.Wait) {
	switch came {
	case session.Replies:
		if l.takePlace() {
			l.ask(s)
		} else {
			l.Await(session.Others)
		}
	case session.Others:
		l.ask(s)
	case session.Servers:
		l.conclude(s)
	case session.Deadline:
		if !l.answered {
			l.fail = &pool.Failure{Kind: pool.TimedOut, Server: l.env.Map.Server(s.AnyServer()).Name}
		}
		if !l.asked {
			l.leave()
		}
		l.conclude(s)
	}
}

// takePlace takes a place among the questions; false: it waits for one in the queue.
func (l *learning) takePlace() bool {
	k := lessonsOf(l.env)
	if k.questions == MaxQuestions {
		k.queue = append(k.queue, l)
		return false
	}
	k.questions++
	l.placed = true
	return true
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
		if next.Resume(session.Others) {
			k.questions++
			next.placed = true
			return
		}
	}
	k.queue = nil
}

func (l *learning) ask(s *session.Session) {
	l.asked = true
	l.Await(session.Servers)
	raw := session.AppendRequest(nil, "COMMAND", "INFO", l.name)
	if f := s.Rings.Pick(s.AnyServer(), s.ConnIndex).Enqueue(&pool.Request{Raw: raw, Recv: l, Manner: pool.Here}); f != nil {
		l.fail = f
		l.leave()
		l.conclude(s)
	}
}

// conclude dispatches the request again if the command was found; otherwise the client is told why not.
func (l *learning) conclude(s *session.Session) {
	l.End()
	if l.found == nil || l.fail != nil {
		s.Rejected(nil)
		if l.fail != nil {
			s.Door.Scratch = session.AppendFailure(s.Door.Scratch[:0], l.fail, s.Door.Env)
			l.reply = s.Door.Scratch
		}
		s.AnswerAs(command.NoID, l.reply)
		return
	}
	if req, ok := session.ParseAgain(l.raw); ok {
		k := lessonsOf(l.env)
		k.name, k.answer = l.name, l.found
		defer func() { k.name, k.answer = "", nil }()
		s.Door.Dispatch(s, &req)
	}
}

func (l *learning) Cancel(*session.Session) (unanswered bool) {
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
		l.end()
	}
}

// Fail is pool.Receiver.
func (l *learning) Fail(_ uint64, f *pool.Failure) {
	g := *f
	g.Sent = false // the question may have been, the command was not
	l.fail = &g
	l.end()
}

func (l *learning) end() {
	l.leave()
	l.answered = l.Resume(session.Servers)
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
