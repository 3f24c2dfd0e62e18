package session

import (
	"ringmaster/parser"
)

// elements walks an aggregate of a whole reply; a map's are its keys and values in turn. It builds nothing, so that a
// reply of very many elements costs no more than its bytes.
type elements struct {
	b    []byte
	left int
}

// elementsOf opens an aggregate. A null has no elements.
func elementsOf(b []byte) (e elements, ok bool) {
	end := parser.LineEnd(b)
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
	n, ok := parser.Int(b[1 : end-2])
	if b[0] == '%' {
		n *= 2
	}
	if !ok || n > int64(len(b)) {
		return e, false
	}
	return elements{b[end:], int(max(n, 0))}, true
}

// next is the next element as it came; nil: there is none.
func (e *elements) next() []byte {
	if e.left == 0 {
		return nil
	}
	n := element(e.b)
	if n == 0 {
		e.left = 0
		return nil
	}
	b := e.b[:n]
	e.b, e.left = e.b[n:], e.left-1
	return b
}

// integer is the next element, which must be one.
func (e *elements) integer() (int64, bool) { return integer(e.next()) }

// text is the next element, which must be a string.
func (e *elements) text() ([]byte, bool) { return stringOf(e.next()) }

// stringOf is the text of a string of any kind.
func stringOf(b []byte) ([]byte, bool) {
	end := parser.LineEnd(b)
	if end < 3 {
		return nil, false
	}
	switch b[0] {
	case '+':
		return b[1 : end-2], true
	case '$', '=':
		if len(b) < end+2 {
			return nil, false // nil
		}
		text := b[end : len(b)-2]
		if b[0] == '=' {
			text = text[min(len("txt:"), len(text)):]
		}
		return text, true
	}
	return nil, false
}

// appendPairs writes the header of n pairs, a map where like is one.
func appendPairs(dst []byte, like byte, n int) []byte {
	if like == '%' {
		return parser.AppendMap(dst, n)
	}
	return parser.AppendArray(dst, 2*n)
}

// appendText writes a text, verbatim where like is.
func appendText(dst []byte, like byte, text []byte) []byte {
	if like == '=' {
		return appendVerbatim(dst, 3, text)
	}
	return parser.AppendBulk(dst, text)
}
