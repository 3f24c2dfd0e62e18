//go:build !proxydebug

package eventloop

import "github.com/panjf2000/gnet/v2"

// assertOwner is for debug builds: see debug_on.go.
func assertOwner(gnet.Conn, socket) {}
