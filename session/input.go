package session

import (
	"bytes"

	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// wait is why a session does not look at its input.
type wait uint8

const (
	nothing  wait = iota
	answers       // for every unanswered request: a passage is under way
	rings         // for the rings to cross to
	inFlight      // for half of MaxInFlight to be answered
	turn          // for the loop to hear its sockets
	room          // for a server to take what waits for it: the request at the start of the input is a large one
)

// pauseAt is how much waiting input stops reading from the client, bytes.
const pauseAt = 256 << 10

// growth is how many times what has come a buffer may be sized for what was announced, so that an
// announcement alone costs nobody memory.
const growth = 16

// Feed takes bytes from the client. Borrows b until return.
func (s *Session) Feed(b []byte) {
	defer s.guard()
	s.Door.Stats.ClientBytesIn += uint64(len(b))
	if s.Door.Pool.Now-s.ActiveAt > rest && s.Owed() == 0 {
		s.grown = min(s.grown, 0)
	}
	s.ActiveAt = s.Door.Pool.Now
	s.Door.countAnew()
	if s.Input != nil && s.wait == nothing {
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

// complete moves to s.in what its unfinished request lacks, and no more, until that request is done.
// It gives the rest of b.
func (s *Session) complete(b []byte) []byte {
	for s.Input != nil && len(b) > 0 && s.State == Open && s.wait == nothing {
		n := bytes.IndexByte(b, '\n') + 1
		if need := s.Parser.Need() - (len(s.Input.B) - s.InputUsed); need > 0 {
			n = min(need, len(b))
		} else if n == 0 {
			n = len(b)
		}
		s.store(b[:n])
		b = b[n:]
		if s.State == Open {
			s.reread()
		}
	}
	return b
}

// reread looks for requests in s.in.
func (s *Session) reread() {
	rest := s.run(s.Input.B[s.InputUsed:])
	if s.Input == nil {
		return // closed, or the buffer went with its request
	}
	if len(rest) == 0 {
		s.dropInput()
		return
	}
	s.InputUsed = len(s.Input.B) - len(rest)
}

// store copies input that can't be used yet behind what is kept.
func (s *Session) store(b []byte) {
	have := 0
	if s.Input != nil {
		have = len(s.Input.B) - s.InputUsed
	}
	if have+len(b)+s.Parser.Held() > s.Door.Config.QueryBufferLimit {
		s.Close(stats.QueryBufferLimit)
		return
	}
	s.room(have, len(b))
	s.Input.B = append(s.Input.B, b...)
	if s.wait != nothing && have+len(b) >= pauseAt {
		if !s.Paused {
			s.Paused = true
			s.Door.Stats.ClientPauses++
		}
		s.Socket.Pause()
	}
}

// room makes s.in start at the unused input and fit n more bytes.
func (s *Session) room(have, n int) {
	if s.Input == nil {
		s.Input = s.Door.Pool.Buffers.Get()
	}
	if len(s.Input.B)+n <= cap(s.Input.B) {
		return
	}
	size := have + n
	if need := s.Parser.Need(); need > size {
		size = min(need, growth*size)
	} else {
		size += size / 2
	}
	grown := &bytebufferpool.ByteBuffer{B: make([]byte, have, size)}
	copy(grown.B, s.Input.B[s.InputUsed:])
	s.Door.Pool.Buffers.Put(s.Input)
	s.Input, s.InputUsed = grown, 0
}

func (s *Session) dropInput() {
	if s.Input != nil {
		s.Door.Pool.Buffers.Put(s.Input)
		s.Input = nil
	}
	s.InputUsed = 0
}

// run dispatches the requests at the start of b and gives what is left: an unfinished request, or
// all that follows a request that must be waited for.
func (s *Session) run(b []byte) []byte {
	env := s.Door
	req := &env.Req
	s.began = env.Pool.Now
	for len(b) > 0 && s.State == Open && s.wait == nothing && (s.version == env.Version && env.Pause.Until == 0 || s.mayGoOn()) {
		done, err := s.Parser.Next(b, &env.Config.Limits, req)
		if err != nil {
			s.breakOff(err)
			return nil
		}
		if !done {
			if b[0] == tlsHandshake[0] {
				s.foreignBytes(b)
			}
			return b
		}
		whole := b
		b = b[req.Size:]
		if len(req.Args) == 0 && s.ReplyMode == ReplySkip {
			s.ReplyMode = ReplyOn // to Redis this is the next command
		}
		if len(req.Args) > 0 {
			spent := env.Spent
			env.Dispatch(s, req)
			if s.wait == room {
				return whole
			}
			if req.Size >= pool.LargeRequest {
				env.letGo()
			}
			if env.Pool.Urgent() {
				env.Pool.Flush()
			}
			if s.Owed() >= s.window() || s.Slots.Bytes() >= env.Config.MaxInFlightBytes {
				s.throttle()
			}
			if env.Spent != spent && env.Spent >= turnWork {
				s.rest()
			}
		}
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

// ResumeLater lets the session go on at the end of the turn, outside of whatever calls.
func (s *Session) ResumeLater() {
	if !s.resuming && s.State == Open {
		s.resuming = true
		s.Door.resume = append(s.Door.resume, s)
	}
}

// GoOn ends the wait, or its first half, and looks at the input that waited.
func (s *Session) GoOn() {
	defer s.guard()
	if s.State != Open {
		return
	}
	if s.Passage != nil {
		s.Passage.Step(s)
		if s.wait != nothing || s.State != Open {
			return
		}
	}
	if s.wait == inFlight && !s.relieved() {
		return // a call that was meant for a wait before this one
	}
	if s.wait = nothing; s.window() == 0 {
		s.throttle() // what it has waited for was no matter of its reading
		return
	}
	if s.Input != nil {
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
		s.markDirty()
	}
}

// TakeInput gives the buffer that holds exactly the request being dispatched, when it is large enough
// to be worth handing on without a copy. Else nil.
func (s *Session) TakeInput(req *parser.Request) *bytebufferpool.ByteBuffer {
	if s.Input == nil || s.InputUsed != 0 || req.Size < pool.LargeRequest || len(s.Input.B) != req.Size ||
		&req.Raw[0] != &s.Input.B[0] {
		return nil
	}
	return s.Input
}
