package session

import (
	"bytes"
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
)

// A joined reply that is large is not made whole: its parts are there, and the client gets them in pieces as fast as it reads. Made at
// once it would stand in memory four times: its parts, the reply, and what of it the socket holds back, each in a buffer that grows.

const (
	// streamFrom is the size from which a joined reply is made in pieces, bytes.
	streamFrom = 1 << 20
	// streamPiece is the size of a piece, and streamRoom the unread output from which the client gets none, bytes.
	streamPiece = 512 << 10
	streamRoom  = 1 << 20
)

// streams reports whether the joined reply, a large one, can be given to the client in pieces.
func (g *gather) streams() bool {
	if g.within != nil || g.s.slot(g.tag).muted {
		return false
	}
	switch g.merge {
	case command.MergeInKeyOrder:
		return true
	case command.MergeConcat:
		if g.firstError() != nil {
			return false
		}
		_, ok := g.concatHeader(nil)
		return ok
	}
	return false
}

// streamAtTurn begins to give the client the reply, now or at its turn.
func (s *Session) streamAtTurn(g *gather) {
	if g.tag != s.head {
		s.slot(g.tag).done = true // without a buffer
		s.streams = append(s.streams, g)
		return
	}
	s.beginStream(g)
}

// streamHead begins with a reply whose turn has come.
func (s *Session) streamHead() {
	i := slices.IndexFunc(s.streams, func(g *gather) bool { return g.tag == s.head })
	g := s.streams[i]
	if s.streams = slices.Delete(s.streams, i, i+1); len(s.streams) == 0 {
		s.streams = nil
	}
	s.beginStream(g)
}

func (s *Session) beginStream(g *gather) {
	s.stream, s.partial = g, true
	out := s.output()
	if g.merge == command.MergeInKeyOrder {
		out.B = g.keyHeader(out.B)
	} else {
		out.B, _ = g.concatHeader(out.B)
	}
}

// pump gives the client the next piece of its stream.
func (s *Session) pump() {
	g, out := s.stream, s.output()
	for n := streamPiece; n > 0; {
		if len(g.run) == 0 {
			var more bool
			if g.run, more = g.next(); !more {
				s.endStream()
				return
			}
		}
		k := min(n, len(g.run))
		out.B = append(out.B, g.run[:k]...)
		g.run = g.run[k:]
		n -= k
		s.coming += k
		k = min(k, g.held) // a failed part is not counted
		g.held -= k
		s.countHeld(-k)
	}
}

func (s *Session) endStream() {
	g := s.stream
	s.stream = nil
	s.countHeld(-g.held) // the parts' headers
	g.recycle()
	s.advance()
}

// pumpLater has the session pumped after the other clients have had their turn.
func (s *Session) pumpLater() {
	if !s.resuming {
		s.resuming = true
		s.env.resume = append(s.env.resume, s)
	}
}

// dropStreams forgets the streams of a client that is gone.
func (s *Session) dropStreams() {
	if s.stream != nil {
		s.stream.recycle()
		s.stream = nil
	}
	for _, g := range s.streams {
		g.recycle()
	}
	s.streams = nil
}

// next is the next run of bytes of a joined reply behind its header; !more: there is none.
func (g *gather) next() (run []byte, more bool) {
	if g.merge != command.MergeInKeyOrder {
		if g.made == len(g.parts) {
			return nil, false
		}
		p := &g.parts[g.made]
		g.made++
		return p.buf.B[p.off:], true
	}
	if g.made == len(g.order) {
		return nil, false
	}
	p := &g.parts[g.order[g.made]]
	g.made++
	return p.element(), true
}

// element is the part's next element, or the error that stands in place of all.
func (p *part) element() []byte {
	if p.buf.B[0] != '*' {
		return p.buf.B
	}
	n := element(p.buf.B[p.off:])
	if n == 0 {
		return shortReply
	}
	p.off += n
	return p.buf.B[p.off-n : p.off]
}

var shortReply = parser.AppendError(nil, errShortReply)

// keyHeader begins a reply with an element for each key, and the parts before their first.
func (g *gather) keyHeader(dst []byte) []byte {
	for i := range g.parts {
		if p := &g.parts[i]; p.buf.B[0] == '*' {
			p.off = bytes.IndexByte(p.buf.B, '\n') + 1
		}
	}
	return parser.AppendArray(dst, len(g.order))
}
