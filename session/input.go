package session

import (
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// pauseAt is how much waiting input stops reading from the client, bytes.
const pauseAt = 256 << 10

// Feed takes bytes from the client. Borrows b until return.
func (s *Session) Feed(b []byte) {
	done := false // spares recover, which is not cheap
	defer func() {
		if !done {
			s.Door.recovered(s, recover())
		}
	}()
	s.take(b)
	done = true
}

// take is Feed without a guard.
func (s *Session) take(b []byte) {
	l := s.Door.Loop
	now := l.Clock.Now
	l.Stats.ClientBytesIn += uint64(len(b))
	if s.Owed() == 0 {
		s.pace.Rested(now - s.ActiveAt)
	}
	s.ActiveAt = now
	l.countAnew()
	if !s.Input.Empty() && s.wait == nothing {
		b = s.complete(b)
	}
	if s.State != Open || len(b) == 0 {
		return
	}
	if s.wait != nothing {
		s.store(b)
		return
	}
	if rest := s.run(b); len(rest) > 0 {
		s.store(rest)
	}
}

// complete moves to s.Input what its unfinished request lacks, and no more, until that request is done.
// It gives the rest of b.
func (s *Session) complete(b []byte) []byte {
	for !s.Input.Empty() && len(b) > 0 && s.State == Open && s.wait == nothing {
		n := s.Input.Lacks(b)
		s.store(b[:n])
		b = b[n:]
		if s.State == Open {
			s.reread()
		}
	}
	return b
}

// reread looks for requests in s.Input.
func (s *Session) reread() { s.Input.Left(s.run(s.Input.Waiting()), &s.Door.Pool.Buffers) }

// store copies input that can't be used yet behind what is kept.
func (s *Session) store(b []byte) {
	if s.Input.Memory()+len(b) > s.Door.Config.QueryBufferLimit {
		s.Close(stats.QueryBufferLimit)
		return
	}
	s.Input.Store(b, &s.Door.Pool.Buffers)
	if s.wait != nothing && len(s.Input.Waiting()) >= pauseAt {
		if !s.Paused {
			s.Paused = true
			s.Door.Stats.ClientPauses++
		}
		s.Socket.Pause()
	}
}

// run dispatches the requests at the start of b and gives what is left: an unfinished request, or
// all that follows a request that must be waited for.
func (s *Session) run(b []byte) []byte {
	env := s.Door
	l := env.Loop
	req := &l.Req
	s.began = l.Clock.Now
	for len(b) > 0 && s.State == Open && s.wait == nothing && (s.version == env.Version && env.Pause.Until == 0 || s.mayGoOn()) {
		done, err := s.Input.Parser.Next(b, &env.Config.Limits, req)
		if err != nil {
			s.breakOff(err)
			return nil
		}
		if !done {
			if b[0] == tlsHandshake[0] {
				ReportTLS(s, b)
			}
			return b
		}
		size := req.Size
		if len(req.Args) == 0 && s.ReplyMode == ReplySkip {
			s.ReplyMode = ReplyOn // to Redis this is the next command
		}
		if len(req.Args) > 0 {
			spent := l.Spent
			l.Dispatch(s, req)
			if s.wait == room {
				return b
			}
			if size >= pool.LargeRequest {
				l.letGo()
			}
			if l.Clock.Urgent() {
				l.Clock.Flush()
			}
			if s.Owed() >= s.window() || s.Slots.Bytes() >= env.Config.MaxInFlightBytes {
				s.waitFor(inFlight)
			}
			if l.Spent != spent && l.Spent >= turnWork && s.waitFor(Turn) {
				s.Door.Queue(rested{s})
			}
		}
		b = b[size:]
	}
	if s.State != Open {
		return nil
	}
	return b
}

// breakOff answers a client that broke the protocol: what it is owed, then Redis's words, then the end.
func (s *Session) breakOff(err *parser.ProtocolError) {
	s.Door.Scratch = parser.AppendError(s.Door.Scratch[:0], texts.ProtocolError(err))
	s.AnswerAs(command.NoID, s.Door.Scratch)
	s.CloseAs(stats.ProtocolError)
}

// GoOn ends the wait, or takes the passage's next step, if what is waited for has come; then it looks at the input that waited.
func (s *Session) GoOn() {
	defer s.guard()
	if s.State != Open || !s.hasCome() {
		return
	}
	if s.passage != nil {
		if s.step(); s.wait != nothing || s.State != Open {
			return
		}
	}
	if s.wait = nothing; s.window() == 0 {
		s.waitFor(inFlight) // what it has waited for was no matter of its reading
		return
	}
	if !s.Input.Empty() {
		s.reread()
	}
	if s.wait != nothing || s.State != Open {
		return
	}
	if s.Paused {
		s.Paused = false
		s.Socket.Unpause()
	}
	if s.EOF {
		s.Door.due.flush(s)
	}
}

// rested is a session that goes on when the loop has heard its sockets, a job.
type rested struct{ s *Session }

func (r rested) Client() pool.Client { return r.s }

func (r rested) GiveUp() {}

func (r rested) Piece(*Env) (done bool) {
	if r.s.wait == Turn {
		r.s.GoOn()
	}
	return true
}
