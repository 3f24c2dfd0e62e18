package load

import (
	"bytes"
	"errors"
	"fmt"
)

// maxLine is the longest first line of a reply that is accepted.
const maxLine = 1024

// replies counts whole replies in a stream of bytes: simple strings, integers, nil and
// bulk strings, which is what GET and SET answer.
type replies struct {
	skip int    // bytes of a bulk string's body, with its CRLF, still to come
	line []byte // the part of a first line that has come so far
}

// feed returns how many replies end in p. Borrows p until return.
func (r *replies) feed(p []byte) (int, error) {
	ended := 0
	for len(p) > 0 {
		if r.skip > 0 {
			n := min(r.skip, len(p))
			r.skip -= n
			p = p[n:]
			if r.skip == 0 {
				ended++
			}
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			r.line = append(r.line, p...)
			if len(r.line) > maxLine {
				return ended, errors.New("a reply's first line is too long")
			}
			return ended, nil
		}
		line := p[:end+1]
		if len(r.line) > 0 {
			r.line = append(r.line, line...)
			line = r.line
		}
		p = p[end+1:]
		whole, err := r.first(line)
		if err != nil {
			return ended, err
		}
		if whole {
			ended++
		}
		r.line = r.line[:0]
	}
	return ended, nil
}

// first reads a reply's first line and reports whether the reply ends with it.
func (r *replies) first(line []byte) (bool, error) {
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return false, fmt.Errorf("broken reply line %q", line)
	}
	text := line[1 : len(line)-2]
	switch line[0] {
	case '+', ':', '_':
		return true, nil
	case '-':
		return false, fmt.Errorf("error reply: %s", text)
	case '$':
		n, err := bulkLength(text)
		r.skip = n + 2
		if n < 0 {
			r.skip = 0
		}
		return n < 0, err
	}
	return false, fmt.Errorf("unexpected reply line %q", line)
}

// bulkLength reads a length, -1 for nil. 512 MB is Redis's own limit on a string.
func bulkLength(text []byte) (int, error) {
	if string(text) == "-1" {
		return -1, nil
	}
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' || n > 512<<20 {
			return 0, fmt.Errorf("bad length %q", text)
		}
		n = n*10 + int(c-'0')
	}
	return n, nil
}
