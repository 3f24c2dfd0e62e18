package conn

import "ringmaster/pool/ask"

// Where a server does not take MULTI (renamed, or not permitted), the commands of a transaction would run one by one, unprotected. So it
// is asked before one is sent.

// LoginProves reports whether a login is ahead that asks the server whether it takes MULTI. Loop-only.
func (c *Conn) LoginProves() bool {
	return c.Up.Config.ProveMulti && (c.state == Dialing || c.state == Handshaking)
}

// ProveMulti asks the server with an empty transaction and calls proved once, when it has answered or the connection is lost. Then
// TakesMulti is up to date. refusal is the server's error, or f says why it gave no answer; both nil: it takes MULTI. proved borrows
// refusal, and must not call back into the Conn. With a Failure it is not called. Loop-only.
func (c *Conn) ProveMulti(proved func(refusal []byte, f *ask.Failure)) *ask.Failure {
	batch := ask.Batch{Requests: 2, Needs: len(emptyTransaction), Exec: -1}
	return c.Enqueue(&ask.Request{Raw: emptyTransaction, Recv: &proof{conn: c, proved: proved}, Batch: batch})
}

var emptyTransaction = AppendCommand(AppendCommand(nil, "MULTI"), "EXEC")

// proof receives the answers to an empty transaction.
type proof struct {
	ask.Nobody
	conn    *Conn
	proved  func(refusal []byte, f *ask.Failure)
	refusal []byte // the first error
	within  bool   // the reply under way is that error
}

// Reply is Receiver.
func (p *proof) Reply(tag uint64, b []byte, piece ask.Piece) {
	if piece&ask.First != 0 {
		p.within = b[0] == '-' && p.refusal == nil
	}
	if p.within && len(p.refusal) < MaxHandshakeReply {
		p.refusal = append(p.refusal, b...)
	}
	if tag == 1 && piece&ask.Last != 0 {
		p.conn.multi = p.refusal == nil
		p.proved(p.refusal, nil)
	}
}

// Fail is Receiver.
func (p *proof) Fail(tag uint64, f *ask.Failure) {
	if tag == 1 {
		p.proved(nil, f)
	}
}

// ProveOnce is ProveMulti for whoever looks at TakesMulti himself later, unless it is asked already.
func (c *Conn) ProveOnce() {
	if !c.proving {
		c.proving = c.ProveMulti(func([]byte, *ask.Failure) { c.proving = false }) == nil
	}
}
