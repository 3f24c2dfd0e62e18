package eventloop

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
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
	// kernel's queue instead of on a goroutine each.
	maxAdmitting = 16
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
		_ = tcp.SetReadBuffer(receiveBuffer)
		if idle := time.Duration(a.keepAlive.Load()); idle > 0 {
			_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: idle, Interval: idle / 3, Count: 3})
		} else {
			_ = tcp.SetKeepAlive(false)
		}
	}
	if secure := a.tls.Load(); secure != nil {
		s.secure(a, to, conn, secure)
		return
	}
	cl := &client{at: a, from: to}
	s.enroll(conn, cl, cl)
}

// enroll gives a client to the loop with the fewest clients. as is the client as gnet's callbacks see it.
func (s *Server) enroll(conn net.Conn, cl *client, as socket) {
	l := s.loops[0]
	for _, other := range s.loops[1:] {
		if other.busy.Load() < l.busy.Load() {
			l = other
		}
	}
	l.busy.Add(1)
	l.admitting <- struct{}{}
	cl.loop = l
	enrolled, err := l.el.Enroll(gnet.NewContext(context.Background(), as), conn)
	if err != nil {
		<-l.admitting
		_ = conn.Close()
		s.neverOpened(l)
		return
	}
	s.tasks.Go(func() {
		defer func() { <-l.admitting }()
		select {
		case r := <-enrolled:
			// gnet does not report when epoll refuses a connection, but then it was never opened.
			if r.Err != nil || cl.session == nil {
				s.neverOpened(l)
			}
		case <-s.ctx.Done():
		}
	})
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
