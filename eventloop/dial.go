package eventloop

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/panjf2000/gnet/v2"

	"ringmaster/internal/dialer"
	"ringmaster/pool"
)

// dial connects to conn's server on a goroutine of its own and hands the socket to the loop.
func (l *loop) dial(conn *pool.Conn) {
	network, addr := "tcp", conn.Server().Addr
	if path, ok := strings.CutPrefix(addr, "unix://"); ok {
		network, addr = "unix", path
	}
	timeout := conn.DialTimeout()
	l.srv.tasks.Go(func() {
		err := l.connect(network, addr, timeout, conn)
		if err != nil {
			_ = l.post(func() { conn.OnDialFailed(err) })
		}
	})
}

// connect runs on the goroutine of a dial.
func (l *loop) connect(network, addr string, timeout time.Duration, conn *pool.Conn) error {
	nc, err := dialer.Dial(l.srv.ctx, network, addr, timeout)
	if err != nil {
		return err
	}
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(receiveBuffer)
	}
	ctx := gnet.NewContext(context.Background(), &serverConn{loop: l, conn: conn})
	enrolled, err := l.el.Enroll(ctx, nc)
	if err != nil {
		_ = nc.Close()
		return err
	}
	select {
	case r := <-enrolled:
		return r.Err
	case <-l.srv.ctx.Done():
		return l.srv.ctx.Err()
	}
}
