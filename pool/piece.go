package pool

// EnqueuePiece puts n requests behind those already sent, so that nothing of anybody else comes between
// them: MULTI, commands, EXEC. recv gets the replies under the tags 0 to n-1. None can have run before the
// last byte is sent, and the failure of each says so. cmd counts for the request with tag counted. Borrows raw until
// return. Loop-only.
func (c *Conn) EnqueuePiece(raw []byte, n int, recv Receiver, counted int, cmd uint16) *Failure {
	if f := c.admit(len(raw)); f != nil {
		return f
	}
	c.out.write(raw)
	last := c.queued + uint64(len(raw)) - 1
	for i := range n {
		id := uint16(Part)
		if i == counted {
			id = cmd
		}
		c.oweFrom(last, recv, uint64(i), id)
	}
	c.queued += uint64(len(raw))
	c.markDirty()
	return nil
}

// multi says whether the server takes MULTI on a connection. Where it does not (renamed, or not
// permitted), the commands of a transaction would run one by one, unprotected.
type multi uint8

const (
	multiUnknown multi = iota
	multiTaken
	multiRefused
)

// Prover learns whether a server takes MULTI.
type Prover interface {
	// Proved is called once, when TakesMulti is up to date. It must not call back into the Conn.
	Proved()
}

// TakesMulti reports whether the server is known to take MULTI on this connection. Loop-only.
func (c *Conn) TakesMulti() bool { return c.multi == multiTaken }

// ProveMulti asks the server with an empty transaction and calls p when it has answered, or when the
// connection is lost. Loop-only.
func (c *Conn) ProveMulti(p Prover) *Failure {
	return c.EnqueuePiece(emptyTransaction, 2, &proof{conn: c, prover: p}, -1, Part)
}

var emptyTransaction = appendCommand(appendCommand(nil, "MULTI"), "EXEC")

// proof receives the answers to an empty transaction.
type proof struct {
	conn    *Conn
	prover  Prover
	refused bool
}

// Reply is Receiver.
func (p *proof) Reply(tag uint64, b []byte, piece Piece) {
	if piece&First != 0 && b[0] == '-' {
		p.refused = true
	}
	if tag == 1 && piece&Last != 0 {
		p.conn.multi = multiTaken
		if p.refused {
			p.conn.multi = multiRefused
		}
		p.prover.Proved()
	}
}

// Fail is Receiver.
func (p *proof) Fail(tag uint64, _ *Failure) {
	if tag == 1 {
		p.prover.Proved()
	}
}

// swallowed is the Receiver of requests whose replies nobody wants.
type swallowed struct{}

func (swallowed) Reply(uint64, []byte, Piece) {}
func (swallowed) Fail(uint64, *Failure)       {}

// Tell sends a command of the proxy's own whose reply is not wanted, such as UNWATCH. A connection that
// can't take it is lost or about to be. Loop-only.
func (c *Conn) Tell(args ...string) {
	_ = c.Enqueue(appendCommand(nil, args...), swallowed{}, 0, Part)
}
