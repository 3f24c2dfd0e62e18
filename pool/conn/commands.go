package conn

import "ringmaster/parser"

// AppendCommand appends a request to b.
func AppendCommand(b []byte, args ...string) []byte {
	b = parser.AppendArray(b, len(args))
	for _, a := range args {
		b = parser.AppendBulkString(b, a)
	}
	return b
}

// clientName is the name that operators see in the servers' CLIENT LIST.
const clientName = "ringmaster"

// MaxHandshakeReply bounds what a server may answer to one command of the handshake.
const MaxHandshakeReply = 16 << 10
