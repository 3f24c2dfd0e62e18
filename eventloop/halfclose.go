package eventloop

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/panjf2000/gnet/v2"

	"ringmaster/eventloop/tlsconn"
	"ringmaster/stats"
)

// A client may shut down its write half and still read, as "printf ... | nc -N" does. gnet closes on the end of
// input, so a duplicate of the socket is kept. Its session finishes the requests that it has, and a goroutine writes
// the replies.
const (
	maxHalves    = 1024
	halfDeadline = 10 * time.Second
)

// half is the Socket of a session whose client has stopped sending.
type half struct {
	loop          *loop
	file          *os.File
	remote, local string
	out           []byte
	limit         int           // of out, bytes
	tls           *tlsconn.Conn // nil: the client does not speak TLS
}

// halfClose keeps cl's session for the replies it owes. c is still open within this call. The half takes tls, which is
// nil if the client does not speak TLS.
func (l *loop) halfClose(cl *client, c gnet.Conn, tls *tlsconn.Conn) {
	if l.srv.halves.Add(1) > maxHalves {
		l.halfGone()
		cl.session.OnClose(stats.ClientClosed)
		return
	}
	fd, err := c.Dup()
	if err != nil {
		l.halfGone()
		cl.session.OnClose(stats.ClientClosed)
		return
	}
	h := &half{loop: l, tls: tls, limit: cl.door().Config.OutputLimit, file: os.NewFile(uintptr(fd), "half-closed client")}
	h.remote, h.local = cl.addr(c)
	cl.session.OnEOF(h)
}

func (l *loop) halfGone() {
	if l.srv.halves.Add(-1) == 0 && l.srv.stopping.Load() {
		l.srv.signalEmpty()
	}
}

var errTooMuch = errors.New("the replies of a half-closed client are over the output limit")

// Write is session.Socket. The bytes are kept until the replies are complete.
func (h *half) Write(b []byte) (int, error) {
	if len(h.out)+len(b) > h.limit {
		return 0, errTooMuch
	}
	h.out = append(h.out, b...)
	return len(b), nil
}

// Close is session.Socket. The session owes nothing more.
func (h *half) Close(reason stats.CloseReason) {
	h.loop.srv.tasks.Go(func() {
		defer h.loop.halfGone()
		conn, err := net.FileConn(h.file)
		_ = h.file.Close()
		if err != nil {
			return
		}
		defer conn.Close()
		if reason == stats.OutputLimit || reason == stats.WriteFailed || reason == stats.NotReading || reason == stats.ClientMemory {
			return // a truncated reply must not look complete
		}
		_ = conn.SetWriteDeadline(time.Now().Add(halfDeadline))
		stop := context.AfterFunc(h.loop.srv.ctx, func() { _ = conn.SetWriteDeadline(time.Now()) })
		defer stop()
		if h.tls != nil {
			_ = h.tls.Finish(conn, h.out)
			return
		}
		_, _ = conn.Write(h.out)
	})
}

func (h *half) Buffered() int                { return 0 }
func (h *half) Linger()                      {}
func (h *half) Pause()                       {}
func (h *half) Unpause()                     {}
func (h *half) Addr() (remote, local string) { return h.remote, h.local }
