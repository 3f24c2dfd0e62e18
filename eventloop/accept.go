package eventloop

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"

	"ringmaster/session/texts"
)

// acceptPause is the wait after accept has failed for lack of descriptors or memory, and logEvery how often that is
// logged.
const (
	acceptPause = 5 * time.Millisecond
	logEvery    = 10 * time.Second
	refuseTime  = 100 * time.Millisecond
	// maxAdmitting bounds the clients between accept and their loop, so that a wave of new clients waits in the
	// kernel's queue instead of on a goroutine each. A loop takes at most twice as many between two polls.
	maxAdmitting = 16
	// probes is how many probes in a row a client may leave unanswered.
	probes = 3
)

// accept takes clients from a listener until that is closed. It runs on a goroutine of its own, because gnet's own
// listeners can neither pause nor survive a lack of descriptors.
func (s *Server) accept(a *acceptor) {
	var logged time.Time
	spare := newSpareDescriptor()
	defer spare.close()
	for {
		conn, err := a.Accept()
		switch {
		case err == nil:
			s.admit(a, conn)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			if time.Since(logged) > logEvery {
				logged = time.Now()
				s.log.Warn("can't accept a client; raise the limit on open files or lower --max-clients", slog.Any("cause", err))
			}
			if !errors.Is(err, syscall.EMFILE) {
				s.refused.Add(1)
			} else if spare.refuseOne(a) { // false: no client waits; the system checks for a descriptor first, then for a client
				s.refused.Add(1)
				continue
			}
			select {
			case <-time.After(acceptPause):
			case <-s.ctx.Done():
				return
			}
		}
	}
}

// admit lets a client in, or refuses it.
func (s *Server) admit(a *acceptor, conn net.Conn) {
	to := a.to.Load()
	select {
	case <-to.ready:
	case <-s.ctx.Done():
		_ = conn.Close()
		return
	}
	if limit := s.maxClients.Load(); s.clients.Add(1) > limit && limit > 0 || s.stopping.Load() {
		s.refuse(a, conn)
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if idle := time.Duration(a.keepAlive.Load()); !inherited(tcp, idle) {
			setOptions(tcp, idle)
		}
		a.slim(tcp)
	}
	if secure := a.tls.Load(); secure != nil {
		s.secure(a, a.arrival(to), conn, secure)
		return
	}
	cl := &client{came: a.arrival(to)}
	s.enroll(conn, cl, (*introduction)(cl))
}

// enroll gives a client to the loop with the fewest clients. as has the client as gnet's callbacks see it.
func (s *Server) enroll(conn net.Conn, cl *client, as context.Context) {
	l := s.loops[0]
	for _, other := range s.loops[1:] {
		if other.busy.Load() < l.busy.Load() {
			l = other
		}
	}
	l.busy.Add(1)
	select {
	case l.admitting <- struct{}{}:
	case <-s.ctx.Done():
		_ = conn.Close()
		l.busy.Add(-1)
		s.clientGone()
		return
	}
	cl.loop = l
	enrolled, err := l.el.Enroll(as, conn)
	if err != nil {
		<-l.admitting
		_ = conn.Close()
		s.neverOpened(l)
		return
	}
	select {
	case l.enrolling <- enrolment{cl, enrolled}:
	case <-s.ctx.Done():
	}
}

// setOptions sets up a client's socket.
func setOptions(conn *net.TCPConn, idle time.Duration) {
	_ = conn.SetReadBuffer(receiveBuffer)
	if idle > 0 {
		_ = conn.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: idle, Interval: idle / probes, Count: probes})
	} else {
		_ = conn.SetKeepAlive(false)
	}
}

// enrolment is a client that gnet takes to a loop, and where gnet tells what has become of that.
type enrolment struct {
	cl   *client
	done <-chan gnet.RegisteredResult
}

// follow looks what becomes of a loop's new clients. It runs on a goroutine of its own.
func (s *Server) follow(l *loop) {
	for {
		var e enrolment
		select {
		case e = <-l.enrolling:
		case <-s.ctx.Done():
			return
		}
		select {
		case r := <-e.done:
			// gnet does not report when epoll refuses a connection, but then it was never opened.
			if r.Err != nil || e.cl.session == nil {
				<-l.admitting
				s.neverOpened(l)
			}
		case <-s.ctx.Done():
			return
		}
	}
}

// admitted lets the next client come, after one has. A loop that has taken many since it last polled puts that off
// until the next poll. Otherwise gnet, which runs its queue until it is empty, would take clients as long as more come,
// and would read no socket meanwhile. Loop-only; it never waits, because it takes tokens that are there.
func (l *loop) admitted() {
	if l.taken++; l.taken < maxAdmitting {
		<-l.admitting
		return
	}
	l.putOff++
	l.wake()
}

// admitMore is called after a poll.
func (l *loop) admitMore() {
	for ; l.putOff > 0; l.putOff-- {
		<-l.admitting
	}
	l.taken = 0
}

// introduction is the context with which gnet gets a client. gnet asks it for one value, and that is the client. A
// context of the library's would be one more allocation.
type introduction client

func (i *introduction) Value(any) any                  { return (*client)(i) }
func (*introduction) Deadline() (t time.Time, ok bool) { return }
func (*introduction) Done() <-chan struct{}            { return nil }
func (*introduction) Err() error                       { return nil }

// slim has the addresses of a new connection take less memory, which gnet keeps as long as the connection. The net
// package cuts each IP out of a larger structure, and so keeps 32 bytes for 4. Nobody else has the addresses yet, and
// their values stay as they are. For the acceptor's goroutine.
func (a *acceptor) slim(conn *net.TCPConn) {
	if remote, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		remote.IP = slices.Clone(remote.IP)
	}
	if local, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		if !slices.Equal(a.local, local.IP) {
			a.local = slices.Clone(local.IP) // most come to the same one
		}
		local.IP = a.local
	}
}

// neverOpened corrects the counts for a client that did not reach its loop.
func (s *Server) neverOpened(l *loop) {
	l.busy.Add(-1)
	s.refused.Add(1)
	s.clientGone()
}

func (s *Server) refuse(a *acceptor, conn net.Conn) {
	s.refused.Add(1)
	a.turnAway(conn)
	s.clientGone()
}

// turnAway closes a client that is one too many. Like Redis it tells only clients without TLS why, because the
// others would need a handshake first.
func (a *acceptor) turnAway(conn net.Conn) {
	if a.tls.Load() == nil {
		_ = conn.SetWriteDeadline(time.Now().Add(refuseTime))
		_, _ = conn.Write([]byte(texts.MaxClients))
	}
	_ = conn.Close()
}

// spareDescriptor is held in reserve, so that clients can be refused even when no other descriptor is left. Otherwise
// they would wait in the listener's queue, and accept would fail again and again.
type spareDescriptor struct{ f *os.File }

func newSpareDescriptor() *spareDescriptor {
	d := &spareDescriptor{}
	d.f, _ = os.Open(os.DevNull)
	return d
}

// refuseOne accepts one client on the spare descriptor, refuses it and closes it; false: there was no spare
// descriptor, or no client waited.
func (d *spareDescriptor) refuseOne(a *acceptor) bool {
	if d.f == nil {
		d.f, _ = os.Open(os.DevNull)
		return false
	}
	_ = d.f.Close()
	d.f = nil
	if dl, ok := a.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		_ = dl.SetDeadline(time.Now().Add(acceptPause))
		defer func() { _ = dl.SetDeadline(time.Time{}) }()
	}
	conn, err := a.Accept()
	if err == nil {
		a.turnAway(conn)
	}
	d.f, _ = os.Open(os.DevNull)
	return err == nil
}

func (d *spareDescriptor) close() {
	if d.f != nil {
		_ = d.f.Close()
	}
}
