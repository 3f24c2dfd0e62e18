package eventloop

import (
	"net"

	"github.com/panjf2000/gnet/v2"

	"ringmaster/pool"
)

// serverConn is one socket to a server; it is the pool.Conn's Socket for as long as it lives.
type serverConn struct {
	loop   *loop
	conn   *pool.Conn
	c      gnet.Conn // nil after it is closed
	marked bool      // on the loop's list to be closed
}

func (u *serverConn) opened(c gnet.Conn) {
	defer u.loop.guard()
	u.c = c
	u.loop.enter()
	u.conn.OnOpen(u)
	u.loop.arm()
}

func (u *serverConn) traffic(b []byte) {
	if u.c == nil || u.marked {
		return
	}
	u.loop.enter()
	u.conn.OnBytes(b)
	u.loop.afterServer()
}

func (u *serverConn) closed(err error) {
	defer u.loop.guard()
	unsent := u.c.OutboundBuffered()
	u.c = nil
	u.loop.enter()
	u.conn.OnClose(u, unsent, err)
	u.loop.arm()
}

func (u *serverConn) handle() gnet.Conn { return u.c }

// Write is pool.Socket.
func (u *serverConn) Write(b []byte) (int, error) {
	if u.c == nil {
		return 0, net.ErrClosed
	}
	assertOwner(u.c, u)
	return u.loop.write(u.c, b)
}

// Writev is pool.Socket.
func (u *serverConn) Writev(bs [][]byte) (int, error) {
	if u.c == nil {
		return 0, net.ErrClosed
	}
	assertOwner(u.c, u)
	return u.c.Writev(bs)
}

// Buffered is pool.Socket.
func (u *serverConn) Buffered() int {
	if u.c == nil {
		return 0
	}
	return u.c.OutboundBuffered()
}

// Unacknowledged is pool.Socket.
func (u *serverConn) Unacknowledged() bool { return u.c != nil && unacknowledged(u.c.Fd()) }

// Close is pool.Socket. For a peer that can't be reached it drops the unsent bytes. Otherwise the system would go on
// sending them, and they could arrive after later requests that went over another connection.
func (u *serverConn) Close() {
	if u.c == nil || u.marked {
		return
	}
	if u.Unacknowledged() {
		_ = u.c.SetLinger(0)
	}
	u.marked = true
	u.loop.closing = append(u.loop.closing, u)
}
