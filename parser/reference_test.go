package parser

import (
	"bytes"
	"strconv"
	"strings"
)

// reference reads replies in the simple way, one recursive function per level, as a check of the scanner.
type reference struct{ b []byte }

type refEnd string

const (
	refWhole  refEnd = ""
	refMore   refEnd = "more"
	refBroken refEnd = "broken"
)

// referenceScan returns all frames of b.
func referenceScan(b []byte) scanned {
	var out scanned
	for len(b) > 0 {
		r := reference{b}
		kind, end := r.reply()
		if end != refWhole {
			out.end = string(end)
			return out
		}
		out.frames = append(out.frames, frame{len(b) - len(r.b), kind})
		b = r.b
	}
	return out
}

// reply reads attributes and the reply they belong to.
func (r *reference) reply() (kind byte, end refEnd) {
	for {
		t, n, end := r.line()
		if end != refWhole {
			return 0, end
		}
		if t != '|' {
			return t, r.content(t, n, 0)
		}
		if end := r.elements(n, 1); end != refWhole {
			return 0, end
		}
	}
}

// element reads one element inside an aggregate, with the attributes and pushes before it; outer elements in all
// follow it.
func (r *reference) element(outer int64) refEnd {
	for {
		t, n, end := r.line()
		if end != refWhole {
			return end
		}
		if t != '|' && t != '>' {
			return r.content(t, n, outer)
		}
		if end := r.elements(n, outer+1); end != refWhole {
			return end
		}
	}
}

func (r *reference) elements(n, outer int64) refEnd {
	if n+outer > maxOwed {
		return refBroken
	}
	for ; n > 0; n-- {
		if end := r.element(outer + n - 1); end != refWhole {
			return end
		}
	}
	return refWhole
}

// content reads what follows the line of an element of type t: n bytes or n elements.
func (r *reference) content(t byte, n, outer int64) refEnd {
	switch t {
	case '*', '~', '%', '>':
		return r.elements(max(n, 0), outer)
	case '$', '=', '!':
		if n < 0 {
			return refWhole
		}
		if int64(len(r.b)) < n {
			return refMore
		}
		tail := r.b[n:]
		if !bytes.HasPrefix([]byte("\r\n"), tail[:min(2, len(tail))]) {
			return refBroken
		}
		if len(tail) < 2 {
			return refMore
		}
		r.b = tail[2:]
	}
	return refWhole
}

// line reads the line of an element: its type and, where it has one, its number of bytes or elements.
func (r *reference) line() (t byte, n int64, end refEnd) {
	line, rest, whole := bytes.Cut(r.b, []byte("\r\n"))
	if !whole {
		if len(r.b) == 0 || bytes.IndexByte([]byte("+-:_#,("), r.b[0]) >= 0 ||
			len(r.b) <= maxLengthLine && bytes.IndexByte([]byte("$=!*~%|>"), r.b[0]) >= 0 {
			return 0, 0, refMore
		}
		return 0, 0, refBroken
	}
	if len(line) == 0 {
		return 0, 0, refBroken
	}
	r.b = rest
	ok := false
	switch t = line[0]; t {
	case '+', '-', ':', '_', '#', ',', '(':
		return t, 0, refWhole
	case '$', '=', '!', '*', '~', '%', '|', '>':
		n, ok = strictInt(string(line[1:]))
		null := n == -1 && t != '|' && t != '>'
		aggregate := bytes.IndexByte([]byte("*~%|>"), t) >= 0
		if !ok || (n < 0 && !null) || (aggregate && n > maxOwed) {
			return 0, 0, refBroken
		}
		if (t == '%' || t == '|') && n > 0 {
			n *= 2
		}
		return t, n, refWhole
	}
	return 0, 0, refBroken
}

// referenceSplit cuts a line into words with a state per byte.
func referenceSplit(line string) (words []string, ok bool) {
	const blanks = " \t\n\v\f\r"
	at := func(i int) byte {
		if i < len(line) {
			return line[i]
		}
		return 0
	}
	for i := 0; ; {
		for i < len(line) && strings.IndexByte(blanks, line[i]) >= 0 {
			i++
		}
		if i == len(line) {
			return words, true
		}
		var word []byte
		var quote byte
		for done := false; !done; i++ {
			c := at(i)
			code, err := strconv.ParseUint(line[min(i+2, len(line)):min(i+4, len(line))], 16, 8)
			isCode := err == nil && at(i+3) != 0
			switch {
			case quote != 0 && i >= len(line):
				return nil, false
			case quote == '"' && c == '\\' && at(i+1) == 'x' && isCode:
				word = append(word, byte(code))
				i += 3
			case quote == '"' && c == '\\' && i+1 < len(line):
				i++
				if j := strings.IndexByte("nrtba", line[i]); j >= 0 {
					word = append(word, "\n\r\t\b\a"[j])
				} else {
					word = append(word, line[i])
				}
			case quote == '\'' && c == '\\' && at(i+1) == '\'':
				i++
				word = append(word, '\'')
			case quote != 0 && c == quote:
				if i+1 < len(line) && strings.IndexByte(blanks, line[i+1]) < 0 {
					return nil, false
				}
				done = true
			case quote == 0 && (i >= len(line) || strings.IndexByte(" \n\r\t", c) >= 0):
				done = true
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
			default:
				word = append(word, c)
			}
		}
		words = append(words, string(word))
		i = min(i, len(line))
	}
}
