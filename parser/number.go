package parser

import "math"

// Int turns the decimal digits of b into a number as strictly as Redis's string2ll: an
// optional '-', no '+', no spaces, no leading zeros, nothing beyond int64.
func Int(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	if len(b) == 1 && b[0] == '0' {
		return 0, true
	}
	neg := b[0] == '-'
	if neg {
		b = b[1:]
	}
	if len(b) == 0 || b[0] < '1' || b[0] > '9' {
		return 0, false
	}
	var v uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || v > (math.MaxUint64-d)/10 {
			return 0, false
		}
		v = v*10 + d
	}
	if neg {
		if v > 1<<63 {
			return 0, false
		}
		return -int64(v), true
	}
	if v > math.MaxInt64 {
		return 0, false
	}
	return int64(v), true
}

// maxHeader is the largest length of the header of a bulk string or an aggregate, bytes.
const maxHeader = 1 + 20 + 2

// crlf ends every line. Two bytes are compared with it in one instruction.
const crlf = "\r\n"

// shortBulk reads the header of a bulk string of less than 100 bytes at the start of b. Most are that short. size is
// the header's length, 0: it is no such header, or not whole. It is small enough for the compiler to inline.
func shortBulk(b []byte) (n, size int) {
	if len(b) < len("$10\r\n") || b[0] != '$' || b[1]-'0' > 9 {
		return 0, 0
	}
	n = int(b[1] - '0')
	if string(b[2:4]) == crlf {
		return n, 4
	}
	if n == 0 || b[2]-'0' > 9 || string(b[3:5]) != crlf {
		return 0, 0
	}
	return n*10 + int(b[2]-'0'), 5
}

// shortCount reads the header of an array of less than ten elements at the start of b, which begins with '*'. size is the header's
// length, 0: it is no such header, or not whole.
func shortCount(b []byte) (n, size int) {
	if len(b) < len("*1\r\n") || b[1]-'0' > 9 || string(b[2:4]) != crlf {
		return 0, 0
	}
	return int(b[1] - '0'), 4
}
