package conn

import "ringmaster/pool/ask"

// What tests look at. These are functions and no methods: the linker leaves out a function that nothing calls.

// Lists are the lengths of the lists of a loop: connections with something to write, with full sockets, dials and delayed dials. For
// tests. Loop-only.
func Lists(l *Loop) (dirty, backlog, dials, delayed int) {
	return len(l.dirty), len(l.backlog), len(l.dials), len(l.delayed)
}

// NonceOf is what the login asks the server to repeat. For tests. Loop-only.
func NonceOf(c *Conn) [nonceSize]byte { return c.handshake.nonce }

// RetryAt is when c is dialled again, ns. For tests. Loop-only.
func RetryAt(c *Conn) int64 { return c.retryAt }

// IsFrozen reports whether requests wait until c was made again. For tests. Loop-only.
func IsFrozen(c *Conn) bool { return c.frozen }

// IsProving reports whether the server of c is asked whether it takes MULTI; taken: it does. For tests. Loop-only.
func IsProving(c *Conn) (proving, taken bool) { return c.proving, c.multi }

// TakeMulti says that the server of c takes MULTI. For tests. Loop-only.
func TakeMulti(c *Conn) { c.multi = true }

// HalfDone are the ways in which a panic may leave a connection half done, by name. For tests. Loop-only.
func HalfDone(recv ask.Receiver) map[string]func(*Conn) {
	return map[string]func(*Conn){
		"written and not owed":                func(c *Conn) { c.out.Write([]byte("*1\r\n$4\r\nPING\r\n")) },
		"owed and not written":                func(c *Conn) { c.oweFrom(c.queued, 0, recv, 9) },
		"owed twice":                          func(c *Conn) { c.owe(14, recv, 9) },
		"remembered and not owed":             func(c *Conn) { c.sent.Add([]byte("GET")) },
		"owed with a size and not remembered": func(c *Conn) { c.Ring.Latest().Size = 5 },
	}
}
