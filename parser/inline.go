package parser

import "bytes"

// inline reads a request that is a line of words, as typed into telnet. A line with a NUL in it
// never ends, as in Redis, which looks for its end with strchr.
func (p *RequestParser) inline(b []byte, lim *Limits, req *Request) (bool, *ProtocolError) {
	end, whole := lineEnd(b, int(p.look))
	long := end
	if !whole {
		long = len(b)
	}
	if long > lim.MaxInline {
		return false, &ProtocolError{Text: "too big inline request"}
	}
	if !whole {
		p.look = int32(end) // at most MaxInline
		return false, nil
	}
	line := b[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	p.reset()
	req.Size, req.Raw = end+1, b[:0]
	if !req.split(line) {
		return false, &ProtocolError{Text: "unbalanced quotes in request"}
	}
	if len(req.Args) > 0 {
		req.encode()
	}
	return true, nil
}

// lineEnd finds the newline in b[from:]. Without one, end is how much of b need not be searched again.
func lineEnd(b []byte, from int) (end int, whole bool) {
	end = len(b)
	if i := bytes.IndexByte(b[from:], '\n'); i >= 0 {
		end, whole = from+i, true
	}
	if i := bytes.IndexByte(b[from:end], 0); i >= 0 {
		return from + i, false
	}
	return end, whole
}

// split cuts line into words as sdssplitargs does; false: the quotes are unbalanced.
func (r *Request) split(line []byte) bool {
	// A word never grows by unquoting, so this memory never moves while slices point into it.
	if cap(r.scratch) < len(line) {
		r.scratch = make([]byte, 0, len(line))
	}
	out := r.scratch[:0]
	for {
		for len(line) > 0 && isSpace(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 {
			return true
		}
		start := len(out)
		var ok bool
		if out, line, ok = word(out, line); !ok {
			return false
		}
		r.Args = append(r.Args, out[start:len(out):len(out)])
	}
}

// word moves the first word of line to out without its quotes.
func word(out, line []byte) (_, rest []byte, ok bool) {
	for i := 0; i < len(line); {
		switch c := line[i]; c {
		case ' ', '\n', '\r', '\t':
			return out, line[i:], true
		case '"', '\'':
			n := 0
			if c == '"' {
				out, n = doubleQuoted(out, line[i+1:])
			} else {
				out, n = singleQuoted(out, line[i+1:])
			}
			// A space or the end must follow the closing quote.
			if i += 1 + n; n == 0 || (i < len(line) && !isSpace(line[i])) {
				return out, nil, false
			}
			return out, line[i:], true
		default:
			out = append(out, c)
			i++
		}
	}
	return out, nil, true
}

// doubleQuoted reads up to and including the closing quote; n is the number of bytes, 0: there is no closing quote.
func doubleQuoted(out, s []byte) (_ []byte, n int) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return out, i + 1
		case s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x' && isHex(s[i+2]) && isHex(s[i+3]):
			out = append(out, hex(s[i+2])<<4|hex(s[i+3]))
			i += 3
		case s[i] == '\\' && i+1 < len(s):
			i++
			out = append(out, unescape(s[i]))
		default:
			out = append(out, s[i])
		}
	}
	return out, 0
}

func singleQuoted(out, s []byte) (_ []byte, n int) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\'':
			return out, i + 1
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '\'':
			i++
			out = append(out, '\'')
		default:
			out = append(out, s[i])
		}
	}
	return out, 0
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}

func isSpace(c byte) bool { return c == ' ' || (c >= '\t' && c <= '\r') }

func isHex(c byte) bool {
	return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func hex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
