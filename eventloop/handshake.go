package eventloop

import (
	"container/list"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"ringmaster/session/texts"
	"ringmaster/stats"
)

const (
	// MaxHandshakes and HandshakeTimeout are the defaults of the settings.
	MaxHandshakes    = 1000
	HandshakeTimeout = 10 * time.Second
	// patience is how long a client may be silent in its handshake while others need its place.
	patience = time.Second
	// lookAgain is how often a client without a place looks whether another one has been silent for too long.
	lookAgain = 50 * time.Millisecond
)

// handshakes bounds the TLS handshakes under way. Each has a goroutine, and all together have a share of the
// processors, so that a wave of new clients does not keep the loops from serving the others.
//
// Clients that are silent take places from others. When all are taken, the client that has been silent longest loses
// its own, after a second. So sockets that say nothing hold up honest clients for a second at most.
type handshakes struct {
	limit   atomic.Int64
	timeout atomic.Int64  // ns
	work    chan struct{} // a token for each handshake that computes
	freed   chan struct{} // gets a token when a place may be free

	mu      sync.Mutex
	under   map[*handshake]struct{}
	silent  list.List // of *handshake, those that wait for their client, the longest first
	stopped bool
}

// handshake is one of them. It is a tlsconn.Waiter.
type handshake struct {
	of    *handshakes
	raw   net.Conn
	works bool // has a token
	// These are under handshakes.mu.
	place   *list.Element // in silent
	since   time.Time     // when it began to wait
	crowded bool
}

func newHandshakes() *handshakes {
	return &handshakes{
		work: make(chan struct{}, max(runtime.NumCPU()/2, 1)), freed: make(chan struct{}, 1), under: map[*handshake]struct{}{},
	}
}

// configure changes the limits; 0: the defaults.
func (s *handshakes) configure(most int, timeout time.Duration) {
	if most <= 0 {
		most = MaxHandshakes
	}
	if timeout <= 0 {
		timeout = HandshakeTimeout
	}
	s.limit.Store(int64(most))
	s.timeout.Store(int64(timeout))
}

// begin waits for a place; nil: the proxy stops.
func (s *handshakes) begin(raw net.Conn) *handshake {
	h := &handshake{of: s, raw: raw}
	for {
		if ok, stopped := s.enter(h); ok {
			return h
		} else if stopped {
			return nil
		}
		select {
		case <-s.freed:
		case <-time.After(lookAgain):
		}
	}
}

// enter takes a place, if need be that of a silent client.
func (s *handshakes) enter(h *handshake) (ok, stopped bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false, true
	}
	if int64(len(s.under)) >= s.limit.Load() {
		front := s.silent.Front()
		if front == nil {
			return false, false
		}
		longest := front.Value.(*handshake)
		if time.Since(longest.since) < patience {
			return false, false
		}
		longest.crowded = true
		s.forget(longest)
		_ = longest.raw.SetDeadline(time.Now()) // its goroutine closes it
	}
	s.under[h] = struct{}{}
	_ = h.raw.SetDeadline(time.Now().Add(time.Duration(s.timeout.Load())))
	return true, false
}

// forget gives a place back. Under mu.
func (s *handshakes) forget(h *handshake) {
	delete(s.under, h)
	if h.place != nil {
		s.silent.Remove(h.place)
		h.place = nil
	}
}

// end gives a place back, and says whether the client was closed for others, or because the proxy stops.
func (s *handshakes) end(h *handshake) (crowded, stopped bool) {
	if h.works {
		<-s.work
		h.works = false
	}
	s.mu.Lock()
	s.forget(h)
	crowded, stopped = h.crowded, s.stopped
	s.mu.Unlock()
	select {
	case s.freed <- struct{}{}:
	default:
	}
	return crowded, stopped
}

// stop ends all handshakes. Nobody is owed anything yet.
func (s *handshakes) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for h := range s.under {
		_ = h.raw.SetDeadline(time.Now())
	}
}

// Waits is tlsconn.Waiter.
func (h *handshake) Waits() {
	if h.works {
		<-h.of.work
		h.works = false
	}
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	if _, under := h.of.under[h]; under {
		h.since, h.place = time.Now(), h.of.silent.PushBack(h)
	}
}

// Works is tlsconn.Waiter.
func (h *handshake) Works() {
	h.of.mu.Lock()
	if h.place != nil {
		h.of.silent.Remove(h.place)
		h.place = nil
	}
	h.of.mu.Unlock()
	h.of.work <- struct{}{}
	h.works = true
}

// secure makes the handshake of a client on a goroutine, and gives the client to a loop. It waits for a place among
// the handshakes.
func (s *Server) secure(a *acceptor, came *arrival, raw net.Conn, cfg *tls.Config) {
	h := s.handshakes.begin(raw)
	if h == nil {
		_ = raw.Close()
		s.clientGone()
		return
	}
	s.tasks.Go(func() {
		cl := &tlsClient{client: client{came: came}}
		err := s.shake(cl, raw, cfg, h)
		crowded, stopped := s.handshakes.end(h)
		result := resultOf(err, cl.conn.Answered())
		switch {
		case err == nil:
		case cl.conn.Alerted():
			result = stats.TLSRefused
		case crowded:
			result = stats.TLSCrowded
		case stopped:
			result = stats.TLSStopped
		}
		a.shakes[result].Add(1)
		if err != nil {
			s.log.Debug("TLS handshake failed", slog.String("client", raw.RemoteAddr().String()), slog.String("result", result.String()), slog.Any("cause", err))
			if result == stats.TLSPlain {
				tellPlain(raw)
			}
			_ = raw.Close()
			s.clientGone()
			return
		}
		_ = raw.SetDeadline(time.Time{})
		s.enroll(raw, &cl.client, gnet.NewContext(context.Background(), cl))
	})
}

// errPanic is the error of a handshake with a bug.
var errPanic = errors.New("a panic in the handshake")

// tellPlain tells a client without TLS what the port wants. It reads what the client has sent, because otherwise the
// system would reset the connection and the client might not see the text.
func tellPlain(raw net.Conn) {
	_ = raw.SetDeadline(time.Now().Add(refuseTime))
	_, _ = raw.Write([]byte("-" + texts.WantTLS + "\r\n"))
	if half, ok := raw.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, raw, receiveBuffer)
	}
}

// shake makes a handshake.
func (s *Server) shake(cl *tlsClient, raw net.Conn, cfg *tls.Config, h *handshake) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Error("panic in a TLS handshake; please report it", slog.Any("cause", cause))
			err = errPanic
		}
	}()
	cl.conn.Server(raw, cfg, h)
	return cl.conn.Handshake()
}

// recordHandshake is the type of the first record of a TLS client.
const recordHandshake = 22

// resultOf says why a handshake ended. answered: the server's part of it was sent.
func resultOf(err error, answered bool) stats.TLSResult {
	var header tls.RecordHeaderError
	var invalid *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var op *net.OpError
	switch {
	case err == nil:
		return stats.TLSOK
	case errors.Is(err, errPanic):
		return stats.TLSPanic
	case errors.Is(err, os.ErrDeadlineExceeded):
		return stats.TLSTimeout
	case errors.As(err, &header) && header.Conn != nil && header.RecordHeader[0] != recordHandshake:
		return stats.TLSPlain
	case errors.As(err, &invalid), errors.As(err, &unknown):
		return stats.TLSCertificate
	case errors.As(err, &op) && op.Op == "remote error":
		return stats.TLSRefused
	case errors.As(err, &op) && op.Op == "local error": // a record that was no good
		return stats.TLSProtocol
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), op != nil:
		return stats.TLSClosed
	case answered:
		return stats.TLSCertificate // what remains after our answer is the client's certificate
	}
	return stats.TLSProtocol
}
