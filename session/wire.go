package session

import (
	"bytes"
	"strconv"

	"ringmaster/parser"
)

// appendRequest appends a request as clients send it.
func appendRequest(b []byte, args ...string) []byte {
	b = parser.AppendArray(b, len(args))
	for _, a := range args {
		b = parser.AppendBulkString(b, a)
	}
	return b
}

// cloneWords copies the words of a request, which are borrowed.
func cloneWords(words [][]byte) [][]byte {
	c := make([][]byte, len(words))
	for i, w := range words {
		c[i] = bytes.Clone(w)
	}
	return c
}

// appendNullArray appends a null in place of an array, as for a client of proto. It is EXEC's answer when a watched key has changed.
func appendNullArray(b []byte, proto uint8) []byte {
	if proto == 3 {
		return append(b, "_\r\n"...)
	}
	return append(b, "*-1\r\n"...)
}

func itoa(n int) string { return strconv.Itoa(n) }
