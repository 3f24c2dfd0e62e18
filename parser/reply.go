package parser

import "bytes"

// Status is the result of a scan.
type Status uint8

const (
	// More: the reply continues after the input.
	More Status = iota
	// Done: the reply's last byte was found.
	Done
	// Broken: this is not RESP, and nothing after it can be read.
	Broken
)

// maxReplyLine is how long in bytes an unfinished line may be before it is passed on in pieces, because a script may
// answer with a simple string or an error of any length.
const maxReplyLine = 16 << 10

// maxLengthLine bounds the line of a length in bytes.
const maxLengthLine = 32

// maxOwed bounds the elements that the headers of one reply may announce in sum.
const maxOwed = 1 << 40

// ReplyScanner finds the end of a server's reply without building anything.
// The zero value is ready. Loop-only.
//
// Nesting needs no stack: an aggregate of n elements owes n more, and the reply ends when nothing is owed. Attributes
// and pushes inside a reply owe their contents and do not count as elements. The types of RESP3 whose length is not
// announced ("$?", "*?") are sent by no Redis and are Broken.
//
// Invariant: owed == elements announced - elements read; body, tail > 0 only inside a bulk, inLine
// only inside a line without a length; at most one of them.
type ReplyScanner struct {
	kind    byte  // type byte of the reply, 0 before it is known
	started bool  // inside a reply
	inLine  bool  // inside a line that is passed on in pieces
	cr      bool  // the last byte of that line was '\r'
	owed    int64 // elements to come
	body    int64 // bytes of the current bulk to come
	tail    int   // bytes of its CRLF to come
}

// Kind is the type byte of the reply being read, or of the one last finished: '+', '-', '*', '>' and so on; 0 while
// not known. An attribute before the reply does not count.
func (s *ReplyScanner) Kind() byte { return s.kind }

// Started reports whether part of a reply has been read.
func (s *ReplyScanner) Started() bool { return s.started }

// Scan continues with b. n bytes belong to the reply being read and need not be given again. With More, the bytes
// after them are an unfinished line of at most maxReplyLine bytes, which must be given again with more bytes after
// it. Borrows b until return.
func (s *ReplyScanner) Scan(b []byte) (n int, st Status) {
	if !s.started {
		s.kind, s.owed = 0, 1
		if n = wholeBulk(b); n > 0 {
			s.kind, s.owed = '$', 0
			return n, Done
		}
	}
	for {
		if s.body > 0 {
			k := min(s.body, int64(len(b)-n))
			s.body -= k
			n += int(k)
			if s.body > 0 {
				return s.more(n)
			}
		}
		for s.tail > 0 {
			if n == len(b) {
				return s.more(n)
			}
			if b[n] != "\n\r"[s.tail-1] {
				return n, Broken
			}
			n++
			s.tail--
		}
		if s.owed == 0 {
			s.started = false
			return n, Done
		}
		if s.inLine {
			if n += s.lineGoesOn(b[n:]); s.inLine {
				return s.more(n)
			}
			s.owed--
			continue
		}
		if s.kind != 0 {
			if n += s.shortBulks(b[n:]); s.owed == 0 {
				continue
			}
		}
		line, next := replyLine(b[n:])
		if next == 0 {
			return s.unfinished(b, n)
		}
		if next < 0 || !s.element(line) {
			return n, Broken
		}
		n += next
	}
}

// wholeBulk returns the length of a whole short bulk string, or a null one, at the start of b; 0: there is none. Most
// replies are one.
func wholeBulk(b []byte) int {
	if len(b) < len(nullBulk) || b[0] != '$' {
		return 0
	}
	if b[1] == '-' {
		if string(b[:len(nullBulk)]) == nullBulk {
			return len(nullBulk)
		}
		return 0
	}
	length, size := shortBulk(b)
	end := size + length
	if size == 0 || len(b) < end+2 || string(b[end:end+2]) != crlf {
		return 0
	}
	return end + 2
}

const nullBulk = "$-1\r\n"

// shortBulks reads the whole short bulk strings at the start of b. They are the elements of most arrays.
func (s *ReplyScanner) shortBulks(b []byte) (n int) {
	for s.owed > 0 {
		length, size := shortBulk(b[n:])
		end := n + size + length
		if size == 0 || len(b) < end+2 || string(b[end:end+2]) != crlf {
			break
		}
		n = end + 2
		s.owed--
	}
	return n
}

// more ends a scan inside a reply, or before a reply if nothing of it was read yet.
func (s *ReplyScanner) more(n int) (int, Status) {
	s.started = s.started || n > 0
	return n, More
}

// unfinished ends a scan at b[n:], the start of a line.
func (s *ReplyScanner) unfinished(b []byte, n int) (int, Status) {
	line := b[n:]
	if len(line) == 0 {
		return s.more(n)
	}
	switch t := line[0]; t {
	case '+', '-', ':', '_', '#', ',', '(':
		if len(line) <= maxReplyLine {
			return s.more(n)
		}
		s.top(t)
		s.inLine, s.cr = true, line[len(line)-1] == '\r'
		return s.more(len(b))
	case '$', '=', '!', '*', '~', '%', '|', '>':
		if len(line) <= maxLengthLine {
			return s.more(n)
		}
	}
	return n, Broken
}

// lineGoesOn continues a line that is passed on in pieces. n bytes of b belong to it.
func (s *ReplyScanner) lineGoesOn(b []byte) (n int) {
	if len(b) == 0 {
		return 0
	}
	if s.cr && b[0] == '\n' {
		s.inLine = false
		return 1
	}
	if n = LineEnd(b); n > 0 {
		s.inLine = false
		return n
	}
	s.cr = b[len(b)-1] == '\r'
	return len(b)
}

// top records the type of the reply itself, if t is not in an attribute or aggregate.
func (s *ReplyScanner) top(t byte) bool {
	if s.kind != 0 || s.owed != 1 {
		return false
	}
	if t != '|' {
		s.kind = t
	}
	return true
}

// replyLine returns the line at the start of b without its CRLF. next is where the next line starts, 0: not whole
// yet, -1: not a line of RESP.
func replyLine(b []byte) (line []byte, next int) {
	end := 1
	for ; end < len(b) && end < shortLine; end++ {
		if b[end] == '\n' && b[end-1] == '\r' {
			break
		}
	}
	if end < len(b) && end < shortLine {
		next = end + 1
	} else if next = LineEnd(b); next == 0 {
		return nil, 0
	}
	if next < 3 {
		return nil, -1
	}
	return b[:next-2], next
}

// LineEnd returns the length of the line at the start of b with its CRLF; 0: it is not whole. A lone CR or LF is part
// of the line, because the text of an error may have one, and clients look for CRLF. Any goroutine.
func LineEnd(b []byte) int {
	end := 1
	for ; end < len(b) && end < shortLine; end++ {
		if b[end] == '\n' && b[end-1] == '\r' {
			return end + 1
		}
	}
	for end < len(b) {
		i := bytes.IndexByte(b[end:], '\n')
		if i < 0 {
			return 0
		}
		if end += i; b[end-1] == '\r' {
			return end + 1
		}
		end++
	}
	return 0
}

// shortLine is the length up to which a loop finds the end of a line faster than bytes.IndexByte, bytes.
const shortLine = 16

// element counts one element by its first line; false: it is not RESP.
func (s *ReplyScanner) element(line []byte) bool {
	t := line[0]
	first := s.top(t)
	s.owed--
	switch t {
	case '+', '-', ':', '_', '#', ',', '(':
	case '$', '=', '!':
		n, ok := replyLength(line[1:])
		if !ok {
			return false
		}
		if n >= 0 {
			s.body, s.tail = n, 2
		}
	case '*', '~', '%', '|', '>':
		n, ok := replyLength(line[1:])
		if !ok || n > maxOwed {
			return false
		}
		if n < 0 {
			if t == '|' || t == '>' {
				return false
			}
			n = 0
		}
		if t == '%' || t == '|' {
			n *= 2
		}
		if t == '|' || (t == '>' && !first) {
			n++
		}
		if s.owed += n; s.owed > maxOwed {
			return false
		}
	default:
		return false
	}
	return true
}

// replyLength reads the length of a bulk or an aggregate: -1 (null) or more.
func replyLength(b []byte) (int64, bool) {
	if len(b) == 2 && b[0] == '-' && b[1] == '1' {
		return -1, true
	}
	n, ok := Int(b)
	return n, ok && n >= 0
}
