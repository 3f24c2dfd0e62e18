package parser

import "strconv"

// The Append functions write one element, or the header of an aggregate, to dst.

// AppendArray writes the header of an array of n elements.
func AppendArray(dst []byte, n int) []byte { return appendNumber(dst, '*', int64(n)) }

// AppendMap writes the header of a RESP3 map of n pairs.
func AppendMap(dst []byte, n int) []byte { return appendNumber(dst, '%', int64(n)) }

// AppendInt writes an integer.
func AppendInt(dst []byte, n int64) []byte { return appendNumber(dst, ':', n) }

// AppendBulk writes a bulk string.
func AppendBulk(dst, s []byte) []byte {
	dst = appendNumber(dst, '$', int64(len(s)))
	dst = append(dst, s...)
	return append(dst, '\r', '\n')
}

// AppendBulkString is AppendBulk of a string.
func AppendBulkString(dst []byte, s string) []byte {
	dst = appendNumber(dst, '$', int64(len(s)))
	dst = append(dst, s...)
	return append(dst, '\r', '\n')
}

// AppendRequest writes a request as clients send it: an array of bulk strings.
func AppendRequest(dst []byte, words ...string) []byte {
	dst = AppendArray(dst, len(words))
	for _, w := range words {
		dst = AppendBulkString(dst, w)
	}
	return dst
}

// AppendNullArray writes a null in place of an array, as for a client of protocol proto, 2 or 3. It is EXEC's reply when a watched key
// has changed.
func AppendNullArray(dst []byte, proto uint8) []byte {
	if proto == 3 {
		return append(dst, "_\r\n"...)
	}
	return append(dst, "*-1\r\n"...)
}

// AppendSimple writes a simple string. s must hold no line break.
func AppendSimple(dst []byte, s string) []byte {
	dst = append(dst, '+')
	dst = append(dst, s...)
	return append(dst, '\r', '\n')
}

// AppendError writes an error that begins with its code, such as "ERR syntax error". Line breaks become spaces, as in
// Redis.
func AppendError(dst []byte, text string) []byte {
	dst = append(dst, '-')
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\r' || c == '\n' {
			c = ' '
		}
		dst = append(dst, c)
	}
	return append(dst, '\r', '\n')
}

// AppendNull writes the null bulk string of RESP2 or the null of RESP3.
func AppendNull(dst []byte, proto int) []byte {
	if proto == 3 {
		return append(dst, "_\r\n"...)
	}
	return append(dst, "$-1\r\n"...)
}

// AppendPairs writes the header of n pairs: of a map if like, a type byte, is '%', otherwise of the array that RESP2
// has in its place.
func AppendPairs(dst []byte, like byte, n int) []byte {
	if like == '%' {
		return AppendMap(dst, n)
	}
	return AppendArray(dst, 2*n)
}

// verbatimFormat comes before the text of a verbatim string, and counts as a part of it.
const verbatimFormat = "txt:"

// AppendVerbatim writes a text for people: in RESP3 a verbatim string, in RESP2 a bulk string.
func AppendVerbatim(dst []byte, proto int, text []byte) []byte {
	dst = append(AppendVerbatimHead(dst, proto, len(text)), text...)
	return append(dst, '\r', '\n')
}

// AppendVerbatimHead writes the part before the n bytes of such a text. CRLF must follow the text.
func AppendVerbatimHead(dst []byte, proto, n int) []byte {
	if proto != 3 {
		return appendNumber(dst, '$', int64(n))
	}
	return append(appendNumber(dst, '=', int64(n+len(verbatimFormat))), verbatimFormat...)
}

func appendNumber(dst []byte, kind byte, n int64) []byte {
	dst = append(dst, kind)
	if uint64(n) < 10 {
		return append(dst, byte('0'+n), '\r', '\n')
	}
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, '\r', '\n')
}
