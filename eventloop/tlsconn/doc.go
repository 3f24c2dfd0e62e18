// Package tlsconn carries TLS records between a socket and plain bytes, first on a goroutine and then on a loop.
//
// # Purpose
//
// crypto/tls wants a net.Conn whose calls wait. A loop must never wait. So the handshake runs on a goroutine, with the
// socket below the [tls.Conn]. After that a loop owns the connection: it gives the [Conn] what it has read, and takes
// what is to be written.
//
// # Picture
//
//	goroutine:  socket <─> wire <─> tls.Conn              Handshake
//	loop:       bytes ─ Take ─> wire ─> tls.Conn ─ Next ─> plain bytes
//	            bytes <─ sink ─ wire <─ tls.Conn <─ Seal ─ plain bytes
//	goroutine:  socket <─> wire <─> tls.Conn              Finish: last replies of a half-closed client
//
// On a loop the wire has no more bytes at some point, and no way to wait for them. It answers then with an error that
// is temporary. crypto/tls keeps a part of a record that it has, and goes on at the next call.
//
// # Who may call
//
// One goroutine at a time: the one of the handshake, then the loop from Attach on, then the one of Finish.
//
// # Ownership of bytes
//
// Take borrows the ciphertext until Next has returned nothing. What Next returns is the loop's [Box], and valid until
// the next call of Next for any connection of the loop. A sink borrows its bytes until return.
//
// # Limits and errors
//
// Next returns at most 64 KiB at once. A sink gets at most 64 KiB at once, except for one record. Errors of Next are
// final: io.EOF means that the peer has ended its side in an orderly way, and anything else that the connection is of
// no more use. Then the peer has got an alert, if there is one for the error.
package tlsconn
