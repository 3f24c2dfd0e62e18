package transaction

import (
	"bytes"

	"github.com/valyala/bytebufferpool"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
)

// resend is what it takes to send a transaction again. That happens when the keys are elsewhere, or when the server can't run it now, as
// long as nothing of it has run.
type resend struct {
	pool.Resend
	buf        *bytebufferpool.ByteBuffer // of Raw
	watched    bool                       // the transaction had watched keys: it is never sent again
	refused    bool                       // a command was refused because its keys are elsewhere, or because the server could not run it
	nothingRan bool                       // all replies are to be dropped, and the transaction is to be sent again
}

// takes looks at an error that is the reply to request i of the batch. true: it is not for the client.
func (r *resend) takes(s *session.Session, tag, i uint64, b []byte) bool {
	execAt := uint64(r.Batch.Exec)
	refused := pool.Elsewhere(b)
	if i > 0 && i < execAt && refused {
		if !r.refused && !r.watched {
			s.Door.Pool.CountRedirect(r.Server, b)
		}
		r.refused = true
		if server, asking, ok := s.Door.Pool.Target(r.Server, b); ok && !asking {
			r.Server = server
		}
		s.Door.Pool.Hint()
		return true
	}
	// EXEC itself may find that a key has gone since it was queued.
	if i != execAt || s.State == session.Closed || !refused && !(r.refused && bytes.HasPrefix(b, []byte("-EXECABORT"))) {
		return false
	}
	if r.watched {
		// The watched keys are elsewhere, too. Clients begin again after a null.
		s.Reply(tag, parser.AppendNullArray(nil, s.Protocol), pool.Whole)
		return true
	}
	if !r.refused {
		s.Door.Pool.CountRedirect(r.Server, b)
	}
	r.nothingRan = true
	return true
}

// unsent reports whether the transaction can be sent again because f says that no server has received any of it.
func (r *resend) unsent(s *session.Session, f *pool.Failure) bool {
	r.nothingRan = !f.Sent && (f.Kind == pool.Down || f.Kind == pool.Lost) && !r.watched && s.State != session.Closed
	return r.nothingRan
}
