package eventloop

import (
	"net"
	"os"
	"time"

	"github.com/panjf2000/gnet/v2"

	"ringmaster/stats"
)

// A client may shut down its write half and still read, as "printf ... | nc -N" does. gnet closes on the
// end of input, so the socket is kept by a duplicate; its session works off what it has, and a
// goroutine writes the replies.
const (
	maxHalves    = 1024
	halfDeadline = 10 * time.Second
)

// half is the Socket of a session whose client sends no more.
type half struct {
	loop *loop
	file *os.File
	out  []byte
}

// halfClose keeps cl's session for the replies it owes. c is still open within this call.
func (l *loop) halfClose(cl *client, c gnet.Conn) {
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
	cl.session.OnEOF(&half{loop: l, file: os.NewFile(uintptr(fd), "half-closed client")})
}

func (l *loop) halfGone() {
	if l.srv.halves.Add(-1) == 0 && l.srv.stopping.Load() {
		l.srv.signalEmpty()
	}
}

// Write is session.Socket: the bytes are kept until all are there.
func (h *half) Write(b []byte) (int, error) {
	h.out = append(h.out, b...)
	return len(b), nil
}

// Close is session.Socket: the session owes nothing more.
func (h *half) Close(reason stats.CloseReason) {
	h.loop.srv.tasks.Go(func() {
		defer h.loop.halfGone()
		conn, err := net.FileConn(h.file)
		_ = h.file.Close()
		if err != nil {
			return
		}
		defer conn.Close()
		if reason == stats.OutputLimit || reason == stats.UpstreamLost {
			return // what is there must not look like all
		}
		_ = conn.SetWriteDeadline(time.Now().Add(halfDeadline))
		_, _ = conn.Write(h.out)
	})
}

func (h *half) Buffered() int                { return 0 }
func (h *half) Linger()                      {}
func (h *half) Pause()                       {}
func (h *half) Unpause()                     {}
func (h *half) Addr() (remote, local string) { return "", "" }
