package tlsconn

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

const (
	// plainSize is how much plaintext is handed over at once: four records of the largest size.
	plainSize = 64 << 10
	// cipherSize is how much ciphertext is handed over at once.
	cipherSize = 64 << 10
)

// The types of records with an alert, and with a message of the handshake.
const (
	alertRecord     = 21
	handshakeRecord = 22
)

// Box has the buffers that all connections of a loop share. The zero value is ready. Loop-only.
type Box struct {
	plain  []byte
	cipher []byte
	input  bytes.Buffer // lent to the connection that is being read
}

// Sink takes ciphertext for a connection's socket. Loop-only. Borrows b until return.
type Sink interface {
	Send(b []byte) error
}

// Waiter is told when the handshake waits for the peer, and when it goes on. Works may wait itself.
type Waiter interface {
	Waits()
	Works()
}

// Conn is one TLS connection.
type Conn struct {
	tls  *tls.Conn
	wire wire
	more bool // the tls.Conn may have plain bytes
}

// wire is the net.Conn below the tls.Conn. Either raw is set, or box and sink are.
type wire struct {
	raw    net.Conn
	waiter Waiter
	begun  bool // the handshake has sent more than an alert
	alert  bool // the peer has answered that with an alert

	in      []byte // ciphertext that was not looked at yet
	box     *Box
	sink    Sink
	sealing bool
	control bool // something other than application data was written
}

// Server begins to serve TLS on a socket. w, unless nil, is told what the handshake does.
func (c *Conn) Server(raw net.Conn, cfg *tls.Config, w Waiter) {
	c.wire = wire{raw: raw, waiter: w}
	c.tls = tls.Server(&c.wire, cfg)
}

// Handshake makes the handshake. It waits, for as long as the deadline of the socket lets it.
func (c *Conn) Handshake() error { return c.tls.Handshake() }

// Answered reports whether the peer has got an answer to the first thing that it sent.
func (c *Conn) Answered() bool { return c.wire.begun }

// Alerted reports whether the peer has sent an alert instead of the rest of its handshake. OpenSSL sends it without
// encryption, so that crypto/tls does not understand it.
func (c *Conn) Alerted() bool { return c.wire.alert }

// State describes the connection after the handshake.
func (c *Conn) State() tls.ConnectionState { return c.tls.ConnectionState() }

// Attach hands the connection over to a loop. The socket is the loop's from now on.
func (c *Conn) Attach(box *Box, sink Sink) {
	c.wire.raw, c.wire.waiter = nil, nil
	c.wire.box, c.wire.sink = box, sink
	c.shed()
}

// Take gives the connection what was read from the socket. Loop-only. Borrows b until Next has returned nothing.
func (c *Conn) Take(b []byte) { c.wire.in = b }

// Drop forgets the rest of what Take has given. Loop-only.
func (c *Conn) Drop() { c.wire.in = nil }

// Next returns the next plain bytes; none: there is no further whole record. The error comes with the last bytes
// before it. Loop-only.
func (c *Conn) Next() (plain []byte, err error) {
	box := c.wire.box
	if box.plain == nil {
		box.plain = make([]byte, plainSize)
	}
	c.lend()
	n := 0
	for n < len(box.plain) && err == nil {
		if !c.more && c.drained() {
			err = errDry
			break
		}
		var read int
		read, err = c.tls.Read(box.plain[n:])
		n += read
		c.more = n == len(box.plain)
	}
	if errors.Is(err, errDry) {
		c.takeBack()
		err = nil
	}
	if flushed := c.wire.flush(); err == nil {
		err = flushed
	}
	return box.plain[:n], err
}

// Seal encrypts b and hands it to the sink. After an error the connection is of no more use. Loop-only. Borrows b
// until return.
func (c *Conn) Seal(b []byte) error {
	c.wire.sealing = true
	_, err := c.tls.Write(b)
	c.wire.sealing = false
	if err != nil {
		c.wire.drop()
		return err
	}
	return c.wire.flush()
}

// Bye tells the peer that nothing more comes. Loop-only.
func (c *Conn) Bye() {
	if c.tls.CloseWrite() == nil {
		_ = c.wire.flush()
	}
	c.wire.drop()
}

// Controls reports whether something other than application data was written since the last call. Loop-only.
func (c *Conn) Controls() bool {
	was := c.wire.control
	c.wire.control = false
	return was
}

// Finish writes the last bytes to a socket, and that nothing more comes. It waits. The connection no longer belongs
// to a loop.
func (c *Conn) Finish(raw net.Conn, last []byte) error {
	c.wire = wire{raw: raw}
	if len(last) > 0 {
		if _, err := c.tls.Write(last); err != nil {
			return err
		}
	}
	return c.tls.CloseWrite()
}

// errDry says that a loop has no more bytes for a connection. crypto/tls takes temporary errors as they are meant:
// the connection stays good, and so does a part of a record that was read.
var errDry net.Error = dry{}

type dry struct{}

func (dry) Error() string   { return "no more bytes were read" }
func (dry) Timeout() bool   { return true }
func (dry) Temporary() bool { return true }

// Read is net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	if w.raw == nil {
		if len(w.in) == 0 {
			return 0, errDry
		}
		n := copy(p, w.in)
		w.in = w.in[n:]
		return n, nil
	}
	if w.waiter == nil {
		return w.raw.Read(p)
	}
	w.waiter.Waits()
	n, err := w.raw.Read(p)
	w.waiter.Works()
	w.alert = w.alert || w.begun && n > 0 && p[0] == alertRecord
	return n, err
}

// Write is net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	if w.raw == nil {
		return w.keep(p)
	}
	w.begun = w.begun || p[0] == handshakeRecord
	if w.waiter == nil {
		return w.raw.Write(p)
	}
	w.waiter.Waits()
	n, err := w.raw.Write(p)
	w.waiter.Works()
	return n, err
}

// keep adds ciphertext to the loop's buffer, and hands the buffer over when it is full.
func (w *wire) keep(p []byte) (int, error) {
	if !w.sealing {
		w.control = true
	}
	if len(w.box.cipher) > 0 && len(w.box.cipher)+len(p) > cipherSize {
		if err := w.flush(); err != nil {
			return 0, err
		}
	}
	if w.box.cipher == nil {
		w.box.cipher = make([]byte, 0, cipherSize)
	}
	w.box.cipher = append(w.box.cipher, p...)
	return len(p), nil
}

// flush hands the loop's buffer over.
func (w *wire) flush() error {
	if w.box == nil || len(w.box.cipher) == 0 {
		return nil
	}
	b := w.box.cipher
	w.box.cipher = b[:0]
	return w.sink.Send(b)
}

// drop forgets what is in the loop's buffer, which others use next.
func (w *wire) drop() {
	if w.box != nil {
		w.box.cipher = w.box.cipher[:0]
	}
}

// Close is net.Conn. crypto/tls calls it when a handshake is given up; the socket's owner closes the socket.
func (w *wire) Close() error { return nil }

// LocalAddr is net.Conn.
func (w *wire) LocalAddr() net.Addr { return addr{} }

// RemoteAddr is net.Conn.
func (w *wire) RemoteAddr() net.Addr { return addr{} }

// SetDeadline and its like are net.Conn. crypto/tls sets deadlines only for its farewell, which the owner bounds.
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// addr stands for addresses that nobody asks for.
type addr struct{}

func (addr) Network() string { return "tls" }
func (addr) String() string  { return "" }

var _ net.Conn = (*wire)(nil)
