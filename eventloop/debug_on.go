//go:build proxydebug

package eventloop

import "github.com/panjf2000/gnet/v2"

// assertOwner panics when c is not s's connection any more, so that a write would go to a stranger.
func assertOwner(c gnet.Conn, s socket) {
	if c.Context() != any(s) {
		panic("eventloop: a write to a connection that has another owner")
	}
}
