package transaction

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// A server without memory refuses what a client queues behind MULTI, at once (up to Redis 7.2 any command, later those that use
// memory); of a transaction, however, nothing is sent before EXEC. So while a server may lack memory each command is tried:
// it is queued behind a MULTI of its own, which is discarded.

// shortage is a command of a transaction that waits for the answer, a passage.
type shortage struct {
	session.Passage
	pool.Unplaced
	spec    *command.Spec
	raw     []byte
	server  int    // where it was tried
	refusal []byte // nil: it would be queued
}

func (q *shortage) Step(s *session.Session, came session.Wait) {
	if came == session.Replies {
		if text := q.placeAgain(s); text != "" {
			q.End()
			Reject(s, q.spec, text)
			return
		}
		if q.try(s) {
			return
		}
	}
	q.End()
	if q.refusal != nil {
		Reject(s, q.spec, string(bytes.TrimRight(q.refusal[1:], "\r\n")))
		return
	}
	s.Door.Pool.SetLowMemory(q.server, false)
	queued(s, q.spec, q.raw)
}

// try has the server queue the command and waits for its answer; false: the command can't be tried, and is left to EXEC.
func (q *shortage) try(s *session.Session) bool {
	q.server = serverForTransaction(s)
	conn := s.Rings.Pick(q.server, s.ConnIndex) // not one that watches: DISCARD would end that
	if !conn.TakesMulti() {
		return false // without MULTI the command would run
	}
	q.Await(session.Servers)
	trial := parser.AppendRequest(append(parser.AppendRequest(nil, "MULTI"), q.raw...), "DISCARD")
	batch := pool.Batch{Requests: 3, Needs: len(trial), Exec: -1}
	return conn.Enqueue(&pool.Request{Raw: trial, Recv: q, Batch: batch}) == nil
}

// placeAgain is placeAgain of a session whose transaction has one more command.
func (q *shortage) placeAgain(s *session.Session) (text string) {
	if TxOf(s).version == s.Door.Version || s.Door.Map.Slotted() {
		return ""
	}
	if text = placeAgain(s); text != "" || s.Door.Single() {
		return text
	}
	req, ok := parser.Reparse(q.raw)
	if !ok {
		return texts.Syntax
	}
	return placeInTransaction(s, q.spec, req.Args, q.raw, TxOf(s).N)
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

// NoteLimit takes notice, on every loop, of a CONFIG SET that may leave the servers without memory.
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
