package pool

// EnqueuePiece puts n requests after those already sent, so that nothing of anybody else comes between
// them: MULTI, commands, EXEC. recv gets the replies under the tags 0 to n-1. None can have run before the
// first needs bytes are sent, and the failure of each says so. exec is the tag of EXEC, which may run scripts; below 0: it runs nothing.
// blocks is as for EnqueueBlocking, carrier for EnqueueFenced; 0: no fence. Borrows raw until return. Loop-only.
func (c *Conn) EnqueuePiece(raw []byte, needs, n int, recv Receiver, exec int, blocks bool, carrier Carrier) *Failure {
	if carrier != 0 {
		how := Here
		if blocks {
			how |= Blocks
		}
		return c.carry(&carried{raw: raw, needs: needs, n: n, recv: recv, exec: exec, carrier: carrier, how: how, at: c.pool.Now})
	}
	if f := c.admit(len(raw), n); f != nil {
		return f
	}
	c.out.write(raw)
	last := c.queued + uint64(needs) - 1
	for i := range n {
		c.oweFrom(last, recv, uint64(i))
		if i == exec {
			c.ring.at(c.ring.tail - 1).is |= scripting
		}
		if blocks {
			c.blocks()
		}
	}
	c.queued += uint64(len(raw))
	c.markDirty()
	return nil
}

// Prover learns whether a server takes MULTI on a connection. Where it does not (renamed, or not permitted), the
// commands of a transaction would run one by one, unprotected.
type Prover interface {
	// Proved is called once: TakesMulti is up to date. refusal is the server's error, or f says why it gave no
	// answer; both nil: it takes MULTI. Borrows refusal. It must not call back into the Conn.
	Proved(refusal []byte, f *Failure)
}

// TakesMulti reports whether the server is known to take MULTI on this connection. Loop-only.
func (c *Conn) TakesMulti() bool { return c.multi && !c.frozen }

// LoginProves reports whether a login is ahead that asks the server whether it takes MULTI. Loop-only.
func (c *Conn) LoginProves() bool {
	return c.pool.cfg.ProveMulti && (c.state == Dialing || c.state == Handshaking)
}

// ProveMulti asks the server with an empty transaction and calls p when it has answered, or when the
// connection is lost. Loop-only.
func (c *Conn) ProveMulti(p Prover) *Failure {
	return c.EnqueuePiece(emptyTransaction, len(emptyTransaction), 2, &proof{conn: c, prover: p}, -1, false, 0)
}

var emptyTransaction = appendCommand(appendCommand(nil, "MULTI"), "EXEC")

// proof receives the answers to an empty transaction.
type proof struct {
	conn    *Conn
	prover  Prover
	refusal []byte // the first error
	within  bool   // the reply under way is that error
}

// Reply is Receiver.
func (p *proof) Reply(tag uint64, b []byte, piece Piece) {
	if piece&First != 0 {
		p.within = b[0] == '-' && p.refusal == nil
	}
	if p.within && len(p.refusal) < maxHandshakeReply {
		p.refusal = append(p.refusal, b...)
	}
	if tag == 1 && piece&Last != 0 {
		p.conn.multi = p.refusal == nil
		p.prover.Proved(p.refusal, nil)
	}
}

// Fail is Receiver.
func (p *proof) Fail(tag uint64, f *Failure) {
	if tag == 1 {
		p.prover.Proved(nil, f)
	}
}

// swallowed is the Receiver of requests whose replies nobody wants.
type swallowed struct{}

func (swallowed) Reply(uint64, []byte, Piece) {}
func (swallowed) Fail(uint64, *Failure)       {}

// Tell sends a command of the proxy's own whose reply is not wanted, such as UNWATCH. Loop-only.
func (c *Conn) Tell(args ...string) *Failure {
	return c.EnqueueHere(appendCommand(nil, args...), swallowed{}, 0)
}
