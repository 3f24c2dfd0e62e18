package responder

import (
	"bytes"
	"slices"
	"strconv"
)

// The limits on replies.
const (
	MaxReply  = 64 << 20 // bytes of one reply
	fullWrite = 1 << 20  // bytes of replies after which they are written, even if requests are left
)

// responder makes replies.
type responder struct {
	value []byte // the reply to GET; "$-1\r\n" until a value was set
	size  int    // of the value, -1 for none
	out   []byte
}

func newResponder() *responder { return &responder{value: []byte("$-1\r\n"), size: -1} }

// answer returns the replies to the whole requests at the beginning of in, and the bytes of these requests. It stops
// after fullWrite; then another call has the next replies. ok is false after bytes that are no request: the connection
// ends after these replies. Borrows in. out is valid until the next call.
func (r *responder) answer(in []byte) (out []byte, used int, ok bool) {
	r.out = r.out[:0]
	var q request
	for used < len(in) && len(r.out) < fullWrite {
		switch scan(in[used:], &q) {
		case more:
			return r.out, used, len(in)-used <= MaxRequest
		case broken:
			return r.out, used, false
		}
		if used == 0 && q.end == len(in) && isGet(&q) {
			return r.value, q.end, true // the only request, so that its reply need not be copied
		}
		if !r.reply(&q) {
			return r.out, used, false
		}
		used += q.end
	}
	return r.out, used, true
}

// reply appends the reply to q. It returns false if that is too long.
func (r *responder) reply(q *request) bool {
	name := q.word[0]
	switch {
	case isGet(q):
		r.out = append(r.out, r.value...)
	case q.words >= 3 && is(name, "set"):
		r.set(len(q.word[2]))
		r.out = append(r.out, "+OK\r\n"...)
	case q.words >= 2 && is(name, "mget"):
		n := q.words - 1
		if n*len(r.value) > MaxReply {
			return false
		}
		r.out = append(r.out, '*')
		r.out = strconv.AppendInt(r.out, int64(n), 10)
		r.out = append(r.out, "\r\n"...)
		for range n {
			r.out = append(r.out, r.value...)
		}
	case q.words == 1 && is(name, "ping"):
		r.out = append(r.out, "+PONG\r\n"...)
	case q.words == 2 && is(name, "ping"):
		r.out = appendBulk(r.out, q.word[1])
	case q.words == 3 && is(name, "config") && is(q.word[1], "get"):
		// redis-benchmark asks for save and appendonly, and prints what it gets.
		r.out = append(r.out, "*2\r\n"...)
		r.out = appendBulk(r.out, q.word[2])
		r.out = append(r.out, "$0\r\n\r\n"...)
	default:
		r.out = append(r.out, "-ERR unknown command, or a wrong number of arguments\r\n"...)
	}
	return true
}

func isGet(q *request) bool { return q.words == 2 && is(q.word[0], "get") }

// set makes later replies to GET hold a value of this size.
func (r *responder) set(size int) {
	if size == r.size {
		return
	}
	r.size = size
	r.value = append(slices.Grow(r.value[:0], size+maxDigits), '$')
	r.value = strconv.AppendInt(r.value, int64(size), 10)
	r.value = append(r.value, "\r\n"...)
	for size > 0 {
		n := min(size, len(filling))
		r.value = append(r.value, filling[:n]...)
		size -= n
	}
	r.value = append(r.value, "\r\n"...)
}

// filling is what values are made of.
var filling = bytes.Repeat([]byte("x"), 4096)

func appendBulk(out, text []byte) []byte {
	out = append(out, '$')
	out = strconv.AppendInt(out, int64(len(text)), 10)
	out = append(out, "\r\n"...)
	out = append(out, text...)
	return append(out, "\r\n"...)
}

// is compares a word with a name of small letters.
func is(word []byte, name string) bool {
	if len(word) != len(name) {
		return false
	}
	for i, c := range word {
		if c|0x20 != name[i] {
			return false
		}
	}
	return true
}
