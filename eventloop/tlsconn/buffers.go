package tlsconn

import (
	"bytes"
	"crypto/tls"
	"reflect"
	"unsafe"
)

// crypto/tls keeps its buffers for input for as long as the connection lives: of the client's hello, and of the
// largest record, up to 34 KB. On a loop all connections but the one that is being read have nothing in them. So the
// loop lends its own buffer to a connection for the time of a call, and takes it back if nothing is left in it.
//
// crypto/tls has no function for that, so the fields are found by their names and types. A version of Go that has
// other ones keeps its buffers.
var rawInput, hand = offsetOf("rawInput"), offsetOf("hand")

// offsetOf returns where a buffer is in a tls.Conn; 0: not where this package believes it to be.
func offsetOf(name string) uintptr {
	f, ok := reflect.TypeFor[tls.Conn]().FieldByName(name)
	if !ok || f.Type != reflect.TypeFor[bytes.Buffer]() {
		return 0
	}
	return f.Offset
}

// buffer returns a buffer of the connection; nil: it is not known where that is.
func (c *Conn) buffer(offset uintptr) *bytes.Buffer {
	if offset == 0 {
		return nil
	}
	return (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(c.tls), offset))
}

// lend gives the loop's buffer to a connection that has none.
func (c *Conn) lend() {
	if b := c.buffer(rawInput); b != nil && b.Cap() == 0 {
		*b, c.wire.box.input = c.wire.box.input, bytes.Buffer{}
	}
}

// drained reports whether the connection has no ciphertext. To find that out by reading would cost an allocation.
func (c *Conn) drained() bool {
	b := c.buffer(rawInput)
	return b != nil && b.Len() == 0 && len(c.wire.in) == 0
}

// takeBack takes the buffer of a connection that has nothing left in it: all records were read, and so were their
// plain bytes, which are in the same memory. A connection with a part of a record keeps it.
func (c *Conn) takeBack() {
	b := c.buffer(rawInput)
	if b == nil || b.Len() > 0 {
		return
	}
	b.Reset()
	if box := c.wire.box; b.Cap() > box.input.Cap() {
		box.input = *b
	}
	*b = bytes.Buffer{}
}

// shed frees the buffer for messages of the handshake.
func (c *Conn) shed() {
	if b := c.buffer(hand); b != nil && b.Len() == 0 {
		*b = bytes.Buffer{}
	}
}
