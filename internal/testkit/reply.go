package testkit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// ErrNotRESP is in every error about bytes that are no RESP reply.
var ErrNotRESP = errors.New("not RESP")

// maxDepth bounds the nesting this reader follows; real servers stay far below.
const maxDepth = 1000

// ReadReplyInto appends one whole reply from r to dst, byte for byte, RESP2 or RESP3
// (specification: redis-specifications/protocol/RESP3.md). An attribute is returned
// together with the reply that it belongs to; a push is a reply of its own.
// Any goroutine. Takes nothing: the result is dst, grown.
func ReadReplyInto(dst []byte, r *bufio.Reader) ([]byte, error) {
	return readValue(dst, r, 0)
}

func readValue(dst []byte, r *bufio.Reader, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, fmt.Errorf("%w: nested deeper than %d", ErrNotRESP, maxDepth)
	}
	at := len(dst)
	dst, err := readLine(dst, r)
	if err != nil {
		return dst, err
	}
	line := dst[at : len(dst)-2]
	switch line[0] {
	case '+', '-', ':', '_', '#', ',', '(':
		return dst, nil
	case '$', '=', '!':
		return readBlob(dst, r, line)
	case '*', '~', '>':
		return readMany(dst, r, line, 1, 0, depth)
	case '%':
		return readMany(dst, r, line, 2, 0, depth)
	case '|':
		return readMany(dst, r, line, 2, 1, depth)
	}
	return dst, fmt.Errorf("%w: line %q", ErrNotRESP, line)
}

// readLine appends a line with its CRLF; it has at least a type byte. A lone CR or LF is part of the text.
func readLine(dst []byte, r *bufio.Reader) ([]byte, error) {
	at := len(dst)
	for {
		part, err := r.ReadSlice('\n')
		dst = append(dst, part...)
		switch ended := bytes.HasSuffix(dst[at:], []byte("\r\n")); {
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(dst) > at:
			return dst, io.ErrUnexpectedEOF
		case err != nil:
			return dst, err
		case ended && len(dst)-at < 3:
			return dst, fmt.Errorf("%w: line %q", ErrNotRESP, dst[at:])
		case ended:
			return dst, nil
		}
	}
}

func readBlob(dst []byte, r *bufio.Reader, line []byte) ([]byte, error) {
	n, err := length(line)
	if err != nil || n < 0 {
		return dst, err
	}
	at := len(dst)
	dst = append(dst, make([]byte, n+2)...)
	if _, err := io.ReadFull(r, dst[at:]); err != nil {
		return dst[:at], io.ErrUnexpectedEOF
	}
	if !bytes.HasSuffix(dst, []byte("\r\n")) {
		return dst, fmt.Errorf("%w: a blob of %d bytes does not end in CRLF", ErrNotRESP, n)
	}
	return dst, nil
}

// readMany appends per*n+extra values, n being the count in line.
func readMany(dst []byte, r *bufio.Reader, line []byte, per, extra, depth int) ([]byte, error) {
	n, err := length(line)
	if err != nil || n < 0 {
		return dst, err
	}
	for range per*n + extra {
		if dst, err = readValue(dst, r, depth+1); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return dst, err
		}
	}
	return dst, nil
}

// length is the number after the type byte; -1 is a null.
func length(line []byte) (int, error) {
	n, err := strconv.Atoi(string(line[1:]))
	if err != nil || n < -1 || n > 1<<30 {
		return 0, fmt.Errorf("%w: length in %q", ErrNotRESP, line)
	}
	return n, nil
}
