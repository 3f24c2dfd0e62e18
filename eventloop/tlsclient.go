package eventloop

import (
	"errors"
	"io"
	"net"

	"github.com/panjf2000/gnet/v2"

	"ringmaster/eventloop/tlsconn"
	"ringmaster/session/blocking"
	"ringmaster/stats"
)

// tlsClient is a client that speaks TLS. It does what client does, with records in between. Its handshake is over
// when its loop gets it (handshake.go).
type tlsClient struct {
	client
	conn  tlsconn.Conn
	ended bool // the client has said that it sends no more
}

func (t *tlsClient) opened(c gnet.Conn) {
	t.begin(c, t)
	t.conn.Attach(&t.loop.box, t)
	t.traffic(nil) // the handshake has read on
}

func (t *tlsClient) traffic(b []byte) {
	if t.c == nil || t.marked || t.ended {
		return
	}
	l := t.loop
	l.enter()
	inFlight := l.conns.InFlight
	t.conn.Take(b)
	defer t.conn.Drop()
	for {
		plain, err := t.conn.Next()
		if t.c == nil { // an answer of the record layer could not be written
			return
		}
		if len(plain) > 0 {
			t.session.Feed(plain)
		}
		if err != nil && t.c != nil && !t.marked {
			t.broken(err)
		}
		if err != nil || len(plain) == 0 || t.c == nil || t.marked {
			break
		}
	}
	t.boundControls()
	l.afterClient(inFlight)
}

// broken ends a connection that can't be read from any more. After an orderly end the client gets what it is owed.
func (t *tlsClient) broken(err error) {
	if errors.Is(err, io.EOF) {
		t.ended = true
		t.loop.closing = append(t.loop.closing, t)
		return
	}
	t.session.Close(stats.TLSError)
}

// boundControls closes a client that has the record layer answer it again and again, and does not read.
func (t *tlsClient) boundControls() {
	if t.conn.Controls() && t.c != nil && !t.marked && t.c.OutboundBuffered() > t.door().Config.OutputLimit {
		t.session.Close(stats.OutputLimit)
	}
}

// closed is as client.closed.
func (t *tlsClient) closed(err error) {
	l, c := t.loop, t.c
	half := !t.marked && (t.ended && err == nil || hungUp(err)) && t.session.Owes() && !blocking.Blocked(t.session) && c.OutboundBuffered() == 0
	if err == nil && !half {
		t.conn.Bye()
	}
	t.gone()
	defer l.guard()
	l.enter()
	if half {
		l.halfClose(&t.client, c, &t.conn)
	} else {
		t.session.OnClose(stats.ClientClosed)
	}
	l.srv.clientGone()
	l.arm()
}

// Write is session.Socket.
func (t *tlsClient) Write(b []byte) (int, error) {
	if t.c == nil {
		return 0, net.ErrClosed
	}
	if err := t.conn.Seal(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Send is tlsconn.Sink.
func (t *tlsClient) Send(b []byte) error {
	if t.c == nil {
		return net.ErrClosed
	}
	assertOwner(t.c, t)
	_, err := t.loop.write(t.c, b)
	return err
}
