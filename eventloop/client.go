package eventloop

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/panjf2000/gnet/v2"

	"ringmaster/session"
	"ringmaster/session/blocking"
	"ringmaster/stats"
)

// client is one client's connection; it is the session's Socket.
// There are many, so it is kept at 48 bytes; one more word would cost 16.
type client struct {
	loop    *loop
	c       gnet.Conn // nil after it is closed
	session *session.Session
	came    *arrival
	place   int32 // in loop.clients
	marked  bool  // on the loop's list to be closed
}

// arrival is where a client came in. The clients of an acceptor share one until somebody asks for their addresses.
type arrival struct {
	at            *acceptor
	by            *entrance
	remote, local string // "": nobody has asked for them
}

func (cl *client) opened(c gnet.Conn) { cl.begin(c, cl) }

// begin makes the session. as is the session's socket.
func (cl *client) begin(c gnet.Conn, as session.Socket) {
	cl.c = c
	l := cl.loop
	defer l.guard()
	l.enter()
	door := cl.door()
	cl.session = session.New(door, as)
	l.add(cl)
	l.admitted()
	if l.draining || door.IsShut() {
		cl.session.Drain()
	}
	l.arm()
}

// door returns the door by which the client came in.
func (cl *client) door() *session.Door { return cl.came.by.on[cl.loop.index] }

func (cl *client) traffic(b []byte) {
	if cl.c == nil || cl.marked {
		return
	}
	l := cl.loop
	l.enter()
	inFlight := l.conns.InFlight
	cl.session.Feed(b)
	l.afterClient(inFlight)
}

// closed is gnet's last call for the connection. A client that has shut only its write half gets its replies in
// another way.
func (cl *client) closed(err error) {
	l := cl.loop
	c := cl.c
	cl.gone()
	defer l.guard()
	l.enter()
	if !cl.marked && hungUp(err) && cl.session.Owes() && !blocking.Blocked(cl.session) && c.OutboundBuffered() == 0 {
		l.halfClose(cl, c, nil)
	} else {
		cl.session.OnClose(stats.ClientClosed)
	}
	l.srv.clientGone()
	l.arm()
}

// gone has the loop forget the connection.
func (cl *client) gone() {
	l := cl.loop
	cl.c = nil
	l.remove(cl)
	delete(l.lingers, cl)
	l.busy.Add(-1)
}

func (cl *client) handle() gnet.Conn { return cl.c }

// Write is session.Socket.
func (cl *client) Write(b []byte) (int, error) {
	if cl.c == nil {
		return 0, net.ErrClosed
	}
	assertOwner(cl.c, cl)
	return cl.loop.write(cl.c, b)
}

// Buffered is session.Socket.
func (cl *client) Buffered() int {
	if cl.c == nil {
		return 0
	}
	return cl.c.OutboundBuffered()
}

// Close is session.Socket.
func (cl *client) Close(reason stats.CloseReason) {
	if cl.c == nil || cl.marked {
		return
	}
	cl.logClose(reason)
	cl.marked = true
	cl.loop.closing = append(cl.loop.closing, cl)
}

// logClose logs why the proxy closes the client. Clients that do not read are logged as warnings, at most one a
// second for each loop.
func (cl *client) logClose(reason stats.CloseReason) {
	l := cl.loop
	level := slog.LevelDebug
	switch reason {
	case stats.OutputLimit, stats.NotReading, stats.ClientMemory:
		if l.warnedAt == 0 || l.conns.Now-l.warnedAt >= int64(time.Second) {
			level, l.warnedAt = slog.LevelWarn, l.conns.Now
		}
	}
	if log := l.srv.log; log.Enabled(context.Background(), level) {
		remote, _ := cl.Addr()
		log.Log(context.Background(), level, "client closed by ringmaster", slog.String("client", remote), slog.String("reason", reason.String()),
			slog.Int("unread bytes", cl.Buffered()))
	}
}

// Linger is session.Socket.
func (cl *client) Linger() {
	if _, ok := cl.loop.lingers[cl]; !ok {
		cl.loop.lingers[cl] = cl.loop.conns.Now
	}
}

// Pause is session.Socket.
func (cl *client) Pause() {
	if cl.c != nil {
		cl.loop.stopReading(cl.c)
	}
}

// Unpause is session.Socket.
func (cl *client) Unpause() {
	if cl.c != nil {
		cl.loop.startReading(cl.c)
	}
}

// Addr is session.Socket.
func (cl *client) Addr() (remote, local string) {
	if cl.came.remote == "" {
		remote, local = cl.addr(cl.c)
		if cl.c == nil {
			return remote, local
		}
		cl.came = &arrival{cl.came.at, cl.came.by, remote, local}
	}
	return cl.came.remote, cl.came.local
}

func (cl *client) addr(c gnet.Conn) (remote, local string) {
	at := cl.came.at.Addr()
	local = at.String()
	if _, unix := at.(*net.UnixAddr); unix {
		return local + ":0", local + ":0"
	}
	if c == nil {
		return "", local
	}
	return c.RemoteAddr().String(), c.LocalAddr().String()
}
