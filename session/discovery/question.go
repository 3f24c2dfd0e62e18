package discovery

import (
	"bytes"
	"strings"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
)

// question asks a server about one command, a passage.
type question struct {
	session.Passage
	pool.Unplaced
	raw      []byte
	name     string // in lower case
	env      *session.Env
	counts   bool // among knowledge.questions
	asked    bool
	answered bool          // by found, or fail, or otherwise by reply
	reply    []byte        // the server's
	found    *discovered   // nil: the client gets reply
	fail     *pool.Failure // why no server replied; nil: one did
}

// Discover asks a server about the command of a request, and then dispatches the request again. Borrows req until return. Loop-only.
func Discover(s *session.Session, req *parser.Request) {
	q := &question{raw: bytes.Clone(req.Raw), name: strings.ToLower(string(req.Args[0])), env: s.Door.Env}
	s.LastID = command.NoID // until it is known
	s.Begin(q)
	q.Limit()
}

// Step is passage.
func (q *question) Step(s *session.Session, came session.Wait) {
	switch came {
	case session.Replies:
		if q.takeTurn() {
			q.ask(s)
		} else {
			q.Await(session.Others)
		}
	case session.Others:
		q.ask(s)
	case session.Servers:
		q.conclude(s)
	case session.Deadline:
		if !q.answered {
			q.fail = &pool.Failure{Kind: pool.TimedOut, Server: q.env.Map.Server(s.AnyServer()).Name}
		}
		if !q.asked {
			q.endTurn()
		}
		q.conclude(s)
	}
}

// takeTurn counts the question if it may be asked now. false: it waits in the queue.
func (q *question) takeTurn() bool {
	k := knowledgeOf(q.env)
	if k.questions == MaxQuestions {
		k.queue = append(k.queue, q)
		return false
	}
	k.questions++
	q.counts = true
	return true
}

// endTurn lets the next question in the queue be asked.
func (q *question) endTurn() {
	if !q.counts {
		return
	}
	k := knowledgeOf(q.env)
	q.counts = false
	k.questions--
	for len(k.queue) > 0 {
		next := k.queue[0]
		k.queue[0] = nil
		k.queue = k.queue[1:]
		if next.Resume(session.Others) {
			k.questions++
			next.counts = true
			return
		}
	}
	k.queue = nil
}

// ask sends the question.
func (q *question) ask(s *session.Session) {
	q.asked = true
	q.Await(session.Servers)
	raw := parser.AppendRequest(nil, "COMMAND", "INFO", q.name)
	if f := s.Rings.Pick(s.AnyServer(), s.ConnIndex).Enqueue(&pool.Request{Raw: raw, Recv: q, Manner: pool.Here}); f != nil {
		q.fail = f
		q.endTurn()
		q.conclude(s)
	}
}

// conclude dispatches the request again if the command was found; otherwise the client gets the reason.
func (q *question) conclude(s *session.Session) {
	q.End()
	if q.found == nil || q.fail != nil {
		s.Door.Features.Rejected(s, nil)
		if q.fail != nil {
			s.Door.Scratch = session.AppendFailure(s.Door.Scratch[:0], q.fail, s.Door.Env)
			q.reply = s.Door.Scratch
		}
		s.AnswerAs(command.NoID, q.reply)
		return
	}
	if req, ok := parser.Reparse(q.raw); ok {
		k := knowledgeOf(q.env)
		k.name, k.answer = q.name, q.found
		defer func() { k.name, k.answer = "", nil }()
		s.Door.Dispatch(s, &req)
	}
}

// Cancel is passage.
func (q *question) Cancel(*session.Session) (unanswered bool) {
	if !q.asked {
		q.endTurn()
	}
	return true
}

// Reply is pool.Receiver.
func (q *question) Reply(_ uint64, b []byte, p pool.Piece) {
	if len(q.reply)+len(b) <= maxInfoReply {
		q.reply = append(q.reply, b...)
	}
	if p&pool.Last != 0 {
		q.found = q.judge()
		q.end()
	}
}

// Fail is pool.Receiver.
func (q *question) Fail(_ uint64, f *pool.Failure) {
	g := *f
	g.Sent = false // the question may have been sent, but the command was not
	q.fail = &g
	q.end()
}

// end has the passage conclude.
func (q *question) end() {
	q.endTurn()
	q.answered = q.Resume(session.Servers)
}

// judge remembers and returns what the reply says; nil: the client gets the reply as it is.
func (q *question) judge() *discovered {
	switch {
	case len(q.reply) == 0 || q.reply[0] != '-':
		return Remember(q.env, q.name, q.reply)
	case forbidsCommand(q.reply):
		return guess(q.env, q.name)
	}
	return nil // LOADING or the like
}
