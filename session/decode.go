package session

import (
	"bytes"

	"ringmaster/parser"
)

// decode makes a tree of a reply: strings, integers, nil, and lists, into which maps and sets are flattened.
func decode(b []byte, depth int) (v any, rest []byte, ok bool) {
	end := bytes.IndexByte(b, '\n')
	if depth == 0 || end < 2 {
		return nil, nil, false
	}
	line, rest := b[1:end-1], b[end+1:]
	switch b[0] {
	case '+':
		return string(line), rest, true
	case '_':
		return nil, rest, true
	}
	n, ok := parser.Int(line)
	if !ok {
		return nil, nil, false
	}
	switch b[0] {
	case ':':
		return n, rest, true
	case '$':
		if n < 0 {
			return nil, rest, true
		}
		if n > int64(len(rest))-2 {
			return nil, nil, false
		}
		return string(rest[:n]), rest[n+2:], true
	case '*', '~', '%':
		if n < 0 {
			return nil, rest, true
		}
		if b[0] == '%' {
			n *= 2
		}
		if n > int64(len(rest)) {
			return nil, nil, false
		}
		list := make([]any, 0, n)
		for range n {
			var e any
			if e, rest, ok = decode(rest, depth-1); !ok {
				return nil, nil, false
			}
			list = append(list, e)
		}
		return list, rest, true
	}
	return nil, nil, false
}
