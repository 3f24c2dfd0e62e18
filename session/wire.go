package session

import (
	"bytes"
	"strconv"

	"ringmaster/parser"
)

// AppendRequest appends a request as clients send it.
func AppendRequest(b []byte, args ...string) []byte {
	b = parser.AppendArray(b, len(args))
	for _, a := range args {
		b = parser.AppendBulkString(b, a)
	}
	return b
}

// CloneWords copies the words of a request, which are borrowed.
func CloneWords(words [][]byte) [][]byte {
	c := make([][]byte, len(words))
	for i, w := range words {
		c[i] = bytes.Clone(w)
	}
	return c
}

// AppendNullArray appends a null in place of an array, as for a client of proto. It is EXEC's answer when a watched key has changed.
func AppendNullArray(b []byte, proto uint8) []byte {
	if proto == 3 {
		return append(b, "_\r\n"...)
	}
	return append(b, "*-1\r\n"...)
}

func Itoa(n int) string { return strconv.Itoa(n) }
