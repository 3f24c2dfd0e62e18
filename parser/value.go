package parser

import "strconv"

// The functions of this file read replies whose ends are known, such as those that a ReplyScanner has found. They
// allocate nothing. In bytes that are cut short, or are no RESP, they find no element, no number and no text.

// ElementEnd returns the length in bytes of the whole element at the start of b, with the contents of an aggregate
// and with an attribute before it; 0: there is none. Borrows b until return. Any goroutine.
//
// A bulk string, most often a value, has a fast path without a scanner and without a second call.
func ElementEnd(b []byte) int {
	if len(b) < len(nullBulk) || b[0] != '$' {
		return otherEnd(b)
	}
	n := int(b[1] - '0')
	if n > 9 {
		if string(b[:len(nullBulk)]) == nullBulk {
			return len(nullBulk)
		}
		return 0
	}
	i := 2
	for ; i < len(b); i++ {
		d := b[i] - '0'
		if d > 9 {
			break
		}
		n = n*10 + int(d)
	}
	end := i + 2 + n + 2
	if i > 1+maxBulkDigits || i > 2 && b[1] == '0' || end > len(b) {
		return 0
	}
	if line := b[i:end]; line[0] != '\r' || line[1] != '\n' || b[end-2] != '\r' || b[end-1] != '\n' {
		return 0
	}
	return end
}

// maxBulkDigits bounds the digits of a bulk string's length, so that it fits an int: 9 if that has 32 bits, otherwise
// 18.
const maxBulkDigits = 9 << (^uint(0) >> 63)

// otherEnd is ElementEnd for bytes that are no bulk string, or too short for one.
func otherEnd(b []byte) int {
	if len(b) > 0 && b[0] == '$' {
		return 0
	}
	var s ReplyScanner
	n, st := s.Scan(b)
	if st != Done {
		return 0
	}
	return n
}

// IsError reports whether the reply is an error of either kind. Borrows b until return. Any goroutine.
func IsError(b []byte) bool { return len(b) > 0 && (b[0] == '-' || b[0] == '!') }

// IsNull reports whether the reply is a null: "$-1", "*-1" or "_". Borrows b until return. Any goroutine.
func IsNull(b []byte) bool {
	return len(b) > 0 && (b[0] == '_' || len(b) > 2 && (b[0] == '$' || b[0] == '*') && b[1] == '-')
}

// Integer reads ":n\r\n", which must be all of b. Borrows b until return. Any goroutine.
func Integer(b []byte) (n int64, ok bool) {
	end := len(b) - 2
	if end < 2 || b[0] != ':' || b[end] != '\r' || b[end+1] != '\n' {
		return 0, false
	}
	return Int(b[1:end])
}

// Decimal reads a number that may have a fraction: a double or an integer, or the string that stands for it in
// RESP2. b is one whole element. Borrows b until return. Any goroutine.
func Decimal(b []byte) (n float64, ok bool) {
	var text []byte
	if len(b) > 3 && (b[0] == ',' || b[0] == ':') {
		text = b[1 : len(b)-2]
	} else if text, ok = Text(b); !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(text), 64)
	return n, err == nil
}

// Text returns the text of a string of any kind, without the format of a verbatim string; false: b is no string, or
// is null. b is one whole element, into which the text points. Any goroutine.
func Text(b []byte) (text []byte, ok bool) {
	end := LineEnd(b)
	if end < 3 {
		return nil, false
	}
	switch b[0] {
	case '+':
		return b[1 : end-2], true
	case '$', '=':
		n, ok := Int(b[1 : end-2])
		if !ok || n < 0 || n != int64(len(b)-end-2) {
			return nil, false
		}
		text = b[end : len(b)-2]
		if b[0] == '=' {
			text = text[min(len(verbatimFormat), len(text)):]
		}
		return text, true
	}
	return nil, false
}

// BulkAt returns the bulk string that starts at b[at:], at > 0, and where the next element starts; nil and 0: there
// is none, or it is null. The text points into b. Any goroutine.
func BulkAt(b []byte, at int) (text []byte, next int) {
	if at <= 0 || at >= len(b) || b[at] != '$' {
		return nil, 0
	}
	n := ElementEnd(b[at:])
	start := at + LineEnd(b[at:])
	if n == 0 || start > at+n-2 {
		return nil, 0
	}
	return b[start : at+n-2], at + n
}

// ArrayHeader reads the header of an array or a set at the start of b. It returns the length, which may be more than
// the elements that follow, and where the first element starts. A null is no array. Borrows b until return. Any
// goroutine.
func ArrayHeader(b []byte) (n, start int, ok bool) {
	start = LineEnd(b)
	if start < 4 || (b[0] != '*' && b[0] != '~') {
		return 0, 0, false
	}
	v, ok := Int(b[1 : start-2])
	return int(v), start, ok && v >= 0
}

// Elements walks an aggregate of a whole reply. The elements of a map are its keys and values in turn. It builds
// nothing, so a reply of very many elements needs no more than its bytes. One goroutine at a time.
//
// Invariant: 0 <= left.
type Elements struct {
	rest []byte
	left int
}

// ElementsOf opens b, an aggregate; false: b is none. A null has no elements. The Elements point into b. Any
// goroutine.
func ElementsOf(b []byte) (e Elements, ok bool) {
	end := LineEnd(b)
	if end < 3 {
		return e, false
	}
	switch b[0] {
	case '_':
		return e, true
	case '*', '~', '%', '>':
	default:
		return e, false
	}
	n, ok := Int(b[1 : end-2])
	if !ok || n < -1 || n > int64(len(b)) {
		return e, false
	}
	if b[0] == '%' {
		n *= 2
	}
	if n > int64(len(b)) {
		return e, false
	}
	return Elements{b[end:], int(max(n, 0))}, true
}

// Left returns how many elements are still to come, as the aggregate announced.
func (e *Elements) Left() int { return e.left }

// Rest returns the bytes after the element that was read last, unchanged.
func (e *Elements) Rest() []byte { return e.rest }

// Next returns the next element unchanged; nil: there is none, or the next bytes are no RESP, and Left is 0.
func (e *Elements) Next() []byte {
	if e.left == 0 {
		return nil
	}
	n := ElementEnd(e.rest)
	if n == 0 {
		e.left = 0
		return nil
	}
	b := e.rest[:n]
	e.rest, e.left = e.rest[n:], e.left-1
	return b
}

// Integer returns the next element, which must be an integer.
func (e *Elements) Integer() (int64, bool) { return Integer(e.Next()) }

// Text returns the next element, which must be a string.
func (e *Elements) Text() ([]byte, bool) { return Text(e.Next()) }
