package dispatch

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
)

// Witness appends to dst a request that a server refuses with the same words as raw, to which it has answered reply: EXISTS of the same
// keys, or what a server without that role refuses. It is pool.Config.Witness. Borrows raw and reply until return. Any goroutine.
func Witness(dst, raw, reply []byte) []byte {
	if bytes.HasPrefix(reply, []byte("-READONLY ")) {
		return append(dst, parser.AppendRequest(nil, "ROLE")...)
	}
	keys := keysOfRaw(raw)
	if len(keys) == 0 {
		return append(dst, parser.AppendRequest(nil, "DBSIZE")...)
	}
	dst = parser.AppendArray(dst, 1+len(keys))
	dst = parser.AppendBulkString(dst, "EXISTS")
	for _, key := range keys {
		dst = parser.AppendBulk(dst, key)
	}
	return dst
}

// keysOfRaw are the keys of a request. A command that the table lacks is taken to begin with its key.
func keysOfRaw(raw []byte) (keys [][]byte) {
	req, ok := parser.Reparse(raw)
	if !ok {
		return nil
	}
	spec := command.Lookup(req.Args[0])
	if spec == nil {
		return req.Args[1:min(2, len(req.Args))]
	}
	if spec.HasSubs() && len(req.Args) > 1 && spec.Sub(req.Args[1]) != nil {
		spec = spec.Sub(req.Args[1])
	}
	at, err := spec.AppendKeys(nil, req.Args)
	if err != nil {
		return nil
	}
	for _, i := range at {
		keys = append(keys, req.Args[i])
	}
	return keys
}
