package transaction

import (
	"bytes"

	"github.com/valyala/bytebufferpool"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
)

// A transaction whose keys are elsewhere, or that a server can't run now, is sent again as one piece while nothing of it has run.

// piece is what a transaction is sent again from.
type piece struct {
	pool.Resend
	buf     *bytebufferpool.ByteBuffer // of Raw
	watched bool
	moved   bool // a command was refused since its keys are elsewhere, or since the server could not run it then
	again   bool // nothing has run
}

// elsewhere looks at an error among the replies to a transaction; true: it is not for the client.
func (o *outcome) elsewhere(i uint64, b []byte) bool {
	p, s := o.piece, o.s
	refused := pool.Elsewhere(b)
	if i > 0 && i < o.last && refused {
		if !p.moved && !p.watched {
			s.Door.Pool.CountRedirect(p.Server, b)
		}
		p.moved = true
		if server, asking, ok := s.Door.Pool.Target(p.Server, b); ok && !asking {
			p.Server = server
		}
		s.Door.Pool.Hint()
		return true
	}
	// EXEC itself may find that a key has gone since it was queued.
	if i != o.last || s.State == session.Closed || !refused && !(p.moved && bytes.HasPrefix(b, []byte("-EXECABORT"))) {
		return false
	}
	if p.watched {
		// The keys that were watched are elsewhere, too: clients begin again after a null.
		s.Reply(o.tag, parser.AppendNullArray(nil, s.Protocol), pool.Whole)
		return true
	}
	if !p.moved {
		s.Door.Pool.CountRedirect(p.Server, b)
	}
	p.again = true
	return true
}

// unsent reports whether a transaction can be sent again since none of it can have reached a server.
func (o *outcome) unsent(f *pool.Failure) bool {
	o.piece.again = !f.Sent && (f.Kind == pool.Down || f.Kind == pool.Lost) && !o.piece.watched && o.s.State != session.Closed
	return o.piece.again
}

// resend sends a transaction again of which nothing has run.
func (o *outcome) resend() {
	p := o.piece
	o.left = p.Batch.Requests
	p.moved, p.again, o.why = false, false, nil
	o.s.Door.Pool.Resend(&p.Resend)
}
