package session

import (
	"bytes"

	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
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
	s.env.Stats.ClientBytesIn += uint64(len(b))
	if s.env.Pool.Now-s.active > rest && s.head == s.tail {
		s.grown = min(s.grown, 0)
	}
	s.active = s.env.Pool.Now
	s.env.countAnew()
	if s.in != nil && s.wait == nothing {
		b = s.complete(b)
	}
	if s.state != open || len(b) == 0 {
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
	for s.in != nil && len(b) > 0 && s.state == open && s.wait == nothing {
		n := bytes.IndexByte(b, '\n') + 1
		if need := s.parser.Need() - (len(s.in.B) - s.off); need > 0 {
			n = min(need, len(b))
		} else if n == 0 {
			n = len(b)
		}
		s.store(b[:n])
		b = b[n:]
		if s.state == open {
			s.reread()
		}
	}
	return b
}

// reread looks for requests in s.in.
func (s *Session) reread() {
	rest := s.run(s.in.B[s.off:])
	if s.in == nil {
		return // closed, or the buffer went with its request
	}
	if len(rest) == 0 {
		s.dropInput()
		return
	}
	s.off = len(s.in.B) - len(rest)
}

// store copies input that can't be used yet behind what is kept.
func (s *Session) store(b []byte) {
	have := 0
	if s.in != nil {
		have = len(s.in.B) - s.off
	}
	if have+len(b)+s.parser.Held() > s.env.Config.QueryBufferLimit {
		s.close(stats.QueryBufferLimit)
		return
	}
	s.room(have, len(b))
	s.in.B = append(s.in.B, b...)
	if s.wait != nothing && have+len(b) >= pauseAt {
		if !s.paused {
			s.paused = true
			s.env.Stats.ClientPauses++
		}
		s.sock.Pause()
	}
}

// room makes s.in start at the unused input and fit n more bytes.
func (s *Session) room(have, n int) {
	if s.in == nil {
		s.in = s.env.Pool.Buffers.Get()
	}
	if len(s.in.B)+n <= cap(s.in.B) {
		return
	}
	size := have + n
	if need := s.parser.Need(); need > size {
		size = min(need, growth*size)
	} else {
		size += size / 2
	}
	grown := &bytebufferpool.ByteBuffer{B: make([]byte, have, size)}
	copy(grown.B, s.in.B[s.off:])
	s.env.Pool.Buffers.Put(s.in)
	s.in, s.off = grown, 0
}

func (s *Session) dropInput() {
	if s.in != nil {
		s.env.Pool.Buffers.Put(s.in)
		s.in = nil
	}
	s.off = 0
}

// run dispatches the requests at the start of b and gives what is left: an unfinished request, or
// all that follows a request that must be waited for.
func (s *Session) run(b []byte) []byte {
	env := s.env
	req := &env.req
	s.began = env.Pool.Now
	for len(b) > 0 && s.state == open && s.wait == nothing && (s.version == env.version && env.pause.until == 0 || s.mayGoOn()) {
		done, err := s.parser.Next(b, &env.Config.Limits, req)
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
		if len(req.Args) == 0 && s.replyMode == replySkip {
			s.replyMode = replyOn // to Redis this is the next command
		}
		if len(req.Args) > 0 {
			spent := env.spent
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
			if s.Owed() >= s.window() || s.inBytes >= env.Config.MaxInFlightBytes {
				s.throttle()
			}
			if env.spent != spent && env.spent >= turnWork {
				s.rest()
			}
		}
	}
	if s.state != open {
		return nil
	}
	return b
}

// breakOff answers a client that broke the protocol: what it is owed, then Redis's words, then the end.
func (s *Session) breakOff(err *parser.ProtocolError) {
	s.env.scratch = parser.AppendError(s.env.scratch[:0], protocolError(err))
	s.answerAs(command.NoID, s.env.scratch)
	s.closeAs(stats.ProtocolError)
}

// resumeLater lets the session go on at the end of the turn, outside of whatever calls.
func (s *Session) resumeLater() {
	if !s.resuming && s.state == open {
		s.resuming = true
		s.env.resume = append(s.env.resume, s)
	}
}

// goOn ends the wait, or its first half, and looks at the input that waited.
func (s *Session) goOn() {
	defer s.guard()
	if s.state != open {
		return
	}
	if s.passage != nil {
		s.passage.step(s)
		if s.wait != nothing || s.state != open {
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
	if s.in != nil {
		s.reread()
	}
	if s.wait != nothing || s.state != open {
		return
	}
	if s.paused {
		s.paused = false
		s.sock.Unpause()
	}
	if s.eof {
		s.markDirty()
	}
}

// takeInput gives the buffer that holds exactly the request being dispatched, when it is large enough
// to be worth handing on without a copy. Else nil.
func (s *Session) takeInput(req *parser.Request) *bytebufferpool.ByteBuffer {
	if s.in == nil || s.off != 0 || req.Size < pool.LargeRequest || len(s.in.B) != req.Size ||
		&req.Raw[0] != &s.in.B[0] {
		return nil
	}
	return s.in
}
