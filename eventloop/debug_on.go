//go:build proxydebug

package eventloop

import "github.com/panjf2000/gnet/v2"

// assertOwner panics if c is no longer s's connection, because a write would go to another client.
func assertOwner(c gnet.Conn, s socket) {
	if c.Context() != any(s) {
		panic("eventloop: a write to a connection that has another owner")
	}
}
