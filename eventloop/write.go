package eventloop

import "github.com/panjf2000/gnet/v2"

// maxWriteNow is the size up to which bytes are written by ourselves. The garbage collector waits for such a call.
const maxWriteNow = 64 << 10

// write writes b to a socket. gnet keeps what the socket does not take, and reports errors.
func (l *loop) write(c gnet.Conn, b []byte) (int, error) {
	l.stats.Writes++
	n := 0
	if len(b) <= maxWriteNow && c.OutboundBuffered() == 0 {
		if n = writeNow(c.Fd(), b); n == len(b) {
			return n, nil
		}
	}
	rest, err := c.Write(b[n:])
	return n + rest, err
}
