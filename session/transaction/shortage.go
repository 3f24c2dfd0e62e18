package transaction

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// A server that lacks memory refuses a command when a client queues it: up to Redis 7.2 any command, later those that use memory. But the
// proxy sends nothing of a transaction before EXEC. So while a server may lack memory, each command is tried there first. It is sent
// between MULTI and DISCARD.

// shortage tries one command, a passage.
type shortage struct {
	session.Passage
	pool.Unplaced
	spec    *command.Spec
	raw     []byte
	then    func(s *session.Session, spec *command.Spec, raw []byte) // queues the command
	server  int                                                      // where it was tried
	refusal []byte                                                   // the server's error; nil: the server would queue the command
}

// Step is passage.
func (q *shortage) Step(s *session.Session, came session.Wait) {
	if came == session.Replies {
		if text := q.relocate(s); text != "" {
			q.End()
			s.Reject(q.spec, text)
			return
		}
		if q.try(s) {
			return
		}
	}
	q.End()
	if q.refusal != nil {
		s.Reject(q.spec, string(bytes.TrimRight(q.refusal[1:], "\r\n")))
		return
	}
	s.Door.Pool.SetLowMemory(q.server, false)
	q.then(s, q.spec, q.raw)
}

// try asks the server to queue the command. false: the command can't be tried, so that EXEC will show.
func (q *shortage) try(s *session.Session) bool {
	q.server = targetServer(s)
	conn := s.Rings.Pick(q.server, s.ConnIndex) // not one that watches, because DISCARD would end that
	if !conn.TakesMulti() {
		return false // without MULTI the command would run
	}
	q.Await(session.Servers)
	trial := parser.AppendRequest(append(parser.AppendRequest(nil, "MULTI"), q.raw...), "DISCARD")
	batch := pool.Batch{Requests: 3, Needs: len(trial), Exec: -1}
	return conn.Enqueue(&pool.Request{Raw: trial, Recv: q, Batch: batch}) == nil
}

// relocate is relocate for a transaction and the command that is tried.
func (q *shortage) relocate(s *session.Session) (text string) {
	if of(s).version == s.Door.Version || s.Door.Map.Slotted() {
		return ""
	}
	if text = relocate(s); text != "" || s.Door.Single() {
		return text
	}
	req, ok := parser.Reparse(q.raw)
	if !ok {
		return texts.Syntax
	}
	return locateCommand(s, q.spec, req.Args, q.raw, of(s).n)
}

// Reply is pool.Receiver.
func (q *shortage) Reply(tag uint64, b []byte, p pool.Piece) {
	if tag == 1 && p == pool.Whole && pool.OutOfMemory(b) {
		q.refusal = bytes.Clone(b)
	}
	if tag == 2 && p&pool.Last != 0 {
		q.Resume(session.Servers)
	}
}

// Fail is pool.Receiver.
func (q *shortage) Fail(tag uint64, _ *pool.Failure) {
	if tag == 2 {
		q.Resume(session.Servers)
	}
}

// NoteLimit has every loop suspect that servers lack memory, if a CONFIG SET with the words args changes their limit. Borrows args until
// return. Loop-only.
func NoteLimit(s *session.Session, args [][]byte) {
	for i := 2; i < len(args); i += 2 {
		if bytes.EqualFold(args[i], []byte("maxmemory")) {
			s.Door.AskLoopsFor(s, func(e *session.Env) any {
				for _, server := range e.Map.Shards() {
					e.Pool.SetLowMemory(server, true)
				}
				return nil
			}, func([]any) {})
			return
		}
	}
}
