// Package respclient talks RESP to one server, blocking, for the control plane.
//
// # Purpose
//
// Discovery asks servers a few questions at a time and reads the answers as trees of values. That
// needs no pool and no reconnecting, but a server that answers nonsense, too much or never must cost
// bounded memory and time.
//
// # Picture
//
//	Dial ── AUTH, CLIENT SETNAME ──▶ Conn
//	Do(commands) ── one write ─────▶ server ──▶ parser.ReplyScanner finds each end ──▶ Parse ──▶ Value
//
// # Who may call
//
// The control plane: everything here blocks. A Conn belongs to one goroutine at a time.
//
// # Ownership of bytes
//
// A [Value] is the caller's. Its texts share the memory of their reply, so keep a copy (strings.Clone) of a text that
// must last.
//
// # Limits and errors
//
// A call takes at most [Options.Timeout], however slowly bytes come. A reply has at most [Options.MaxReply] bytes,
// [MaxValues] values and a nesting of [MaxDepth]. Errors that a server answers are values, which [Refused] turns into
// a [*Refusal]; anything else ends the connection.
package respclient
