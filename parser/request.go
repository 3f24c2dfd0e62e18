package parser

import (
	"bytes"
	"math"
	"slices"
)

// Request is one whole request. One Request serves all connections of a loop in turn, so its contents are valid until
// the next Next that fills it.
type Request struct {
	// Args are the arguments, the command's name first.
	Args [][]byte
	// Raw is the request as an array of bulk strings, which can be sent to a server unchanged. Args point into it.
	Raw []byte
	// Size is how many bytes of input the request took.
	Size int

	scratch []byte
}

// Bulks returns the part of Raw with the arguments from i up to j, as bulk strings. 0 < i < j <= len(Args).
func (r *Request) Bulks(i, j int) []byte { return r.Raw[r.end(i-1):r.end(j-1)] }

// Clone returns a copy that outlives the input. It takes the list Args and changes its elements.
func (r *Request) Clone() Request {
	raw := append(make([]byte, 0, len(r.Raw)), r.Raw...)
	for i, a := range r.Args {
		start := cap(r.Raw) - cap(a)
		r.Args[i] = raw[start : start+len(a)]
	}
	return Request{Args: r.Args, Raw: raw, Size: r.Size}
}

// end returns where the bulk string of argument i ends in Raw.
func (r *Request) end(i int) int {
	a := r.Args[i]
	return cap(r.Raw) - cap(a) + len(a) + 2
}

// maxKeptArgs bounds the argument list that a Request keeps for the next one.
const maxKeptArgs = 1 << 16

// RequestParser keeps the place in the request that one client is sending.
// The zero value is ready. Loop-only.
//
// Between calls with an unfinished request the caller keeps its bytes. The next input starts with the same bytes and
// has more after them.
//
// Invariant: pos, look <= len(input); bulk > 0 only while an argument's body is awaited; found.spans is not empty.
type RequestParser struct {
	// Unauthenticated limits what is accepted to what Redis accepts before AUTH.
	Unauthenticated bool

	// Each client has a parser, so what few need at a time is kept apart, and numbers are no larger than they must be.
	started bool   // the array header has been read
	odd     bool   // a terminator was not CRLF: Redis accepts that, other servers may not
	look    int32  // where the search for the end of an unfinished line continues; it may be too small
	left    int32  // arguments still to come
	pos     int    // bytes of the request that need not be read again
	bulk    int    // length of the awaited body plus 1; 0: its header is awaited
	found   *found // arguments found in earlier input; nil: none
}

// found are the arguments of an unfinished request.
type found struct {
	spans []span
	first [4]span // where the list begins, so that most lists take one allocation
}

type span struct{ start, end int }

// Next finds the request at the start of b.
//
//	done, nil:   req is filled; the next request starts at b[req.Size].
//	!done, nil:  more bytes are needed; Need says how many are known to be.
//	err:         the peer broke the protocol.
//
// An empty request (a bare newline, "*0") is done with no Args. Borrows b; req points into it.
func (p *RequestParser) Next(b []byte, lim *Limits, req *Request) (done bool, err *ProtocolError) {
	if len(b) == 0 {
		return false, nil
	}
	if req.Args = req.Args[:0]; cap(req.Args) > maxKeptArgs {
		req.Args = nil
	}
	if !p.started {
		if b[0] != '*' {
			return p.inline(b, lim, req)
		}
		left, pos, err := p.header(b, lim)
		if err != nil || pos == 0 {
			return false, err
		}
		if left <= 0 {
			p.reset()
			req.Size, req.Raw = pos, b[:0]
			return true, nil
		}
		if left, pos = req.takeShort(b, left, pos, lim.MaxBulk); left == 0 && !p.odd {
			p.look = 0
			req.Size, req.Raw = pos, b[:pos]
			return true, nil
		}
		p.started, p.pos, p.left = true, pos, int32(left)
	}
	return p.arguments(b, lim, req)
}

// takeShort reads the short arguments at b[pos:], up to left of them, as long as they are whole and r.Args has room for them. Most
// requests have no others, and for those the parser keeps nothing. It returns how many arguments are left, and where they start.
func (r *Request) takeShort(b []byte, left, pos, maxBulk int) (_, next int) {
	args, rest := r.Args[:min(left, cap(r.Args))], b[pos:]
	for i := range args {
		n, start := shortBulk(rest)
		end := start + n
		if start == 0 || n > maxBulk || len(rest) < end+2 || string(rest[end:end+2]) != crlf {
			args = args[:i]
			break
		}
		args[i] = rest[start:end]
		rest = rest[end+2:]
	}
	r.Args = args
	return left - len(args), len(b) - len(rest)
}

// Need returns the least length of the unfinished request, bytes, as far as is known.
func (p *RequestParser) Need() int {
	if p.bulk > 0 {
		return p.pos + p.bulk - 1 + 2
	}
	return p.pos
}

// Held returns the memory in bytes of the unfinished request's bookkeeping.
func (p *RequestParser) Held() int {
	if p.found == nil {
		return 0
	}
	return cap(p.found.spans) * 16
}

func (p *RequestParser) reset() {
	p.started, p.pos, p.look, p.left, p.bulk, p.odd, p.found = false, 0, 0, 0, 0, false, nil
}

// header reads "*n\r\n". next is 0 when more bytes are needed.
func (p *RequestParser) header(b []byte, lim *Limits) (n, next int, err *ProtocolError) {
	if n, next = shortCount(b); next > 0 && n <= lim.MaxArgs {
		return n, next, nil
	}
	end, next, err := p.line(b, 0, lim, "too big mbulk count string")
	if err != nil || next == 0 {
		return 0, 0, err
	}
	v, ok := Int(b[1:end])
	if !ok || v > int64(lim.MaxArgs) {
		return 0, 0, &ProtocolError{Text: "invalid multibulk length", Offset: 1}
	}
	if v > unauthenticatedArgs && p.Unauthenticated {
		return 0, 0, &ProtocolError{Text: "unauthenticated multibulk length", Offset: 1}
	}
	return int(v), next, nil
}

// line finds the '\r' that ends the line at b[at:], and where the next line starts; 0: not there yet.
func (p *RequestParser) line(b []byte, at int, lim *Limits, tooBig string) (end, next int, err *ProtocolError) {
	from := max(at, int(p.look))
	// Lengths are short, so a loop is faster than the set-up of bytes.IndexByte.
	for end = from; end < len(b) && end < from+8 && b[end] != '\r'; end++ {
	}
	if end == from+8 {
		if i := bytes.IndexByte(b[end:], '\r'); i >= 0 {
			end += i
		} else {
			end = len(b)
		}
	}
	if end-at > lim.MaxInline {
		return 0, 0, &ProtocolError{Text: tooBig, Offset: at}
	}
	if end+2 > len(b) {
		p.look = int32(min(end, math.MaxInt32))
		return 0, 0, nil
	}
	if b[end+1] != '\n' {
		p.odd = true
	}
	return end, end + 2, nil
}

// arguments reads bulk strings until none is left.
func (p *RequestParser) arguments(b []byte, lim *Limits, req *Request) (bool, *ProtocolError) {
	resumed := p.found != nil
	args, pos := req.Args, p.pos
	for p.left > 0 {
		if p.bulk == 0 {
			if n, size := shortBulk(b[pos:]); size > 0 && n <= lim.MaxBulk {
				p.bulk, pos = n+1, pos+size
			} else if n, next, err := p.bulkHeader(b, pos, lim); err != nil {
				return false, err
			} else if next > 0 {
				p.bulk, pos = n+1, next
			} else {
				break
			}
		}
		end := pos + p.bulk - 1
		if end+2 > len(b) {
			break
		}
		if b[end] != '\r' || b[end+1] != '\n' {
			p.odd = true
		}
		if resumed {
			p.found.spans = append(p.found.spans, span{pos, end})
		} else {
			args = append(args, b[pos:end])
		}
		pos = end + 2
		p.bulk = 0
		p.left--
	}
	p.pos = pos
	if p.left > 0 {
		if !resumed {
			p.remember(b, args)
		}
		return false, nil
	}
	if resumed {
		args = slices.Grow(args, len(p.found.spans))
		for _, s := range p.found.spans {
			args = append(args, b[s.start:s.end])
		}
	}
	req.Args, req.Size, req.Raw = args, pos, b[:pos]
	if p.odd {
		req.encode()
	}
	p.reset()
	return true, nil
}

// remember turns the arguments found so far into offsets, which outlive b.
func (p *RequestParser) remember(b []byte, args [][]byte) {
	if len(args) == 0 {
		return
	}
	f := &found{}
	f.spans = f.first[:0]
	for _, a := range args {
		start := cap(b) - cap(a)
		f.spans = append(f.spans, span{start, start + len(a)})
	}
	p.found = f
}

func (p *RequestParser) bulkHeader(b []byte, at int, lim *Limits) (n, next int, err *ProtocolError) {
	if at >= len(b) {
		return 0, 0, nil
	}
	end, next, err := p.line(b, at, lim, "too big bulk count string")
	if err != nil || next == 0 {
		return 0, 0, err
	}
	if b[at] != '$' {
		return 0, 0, &ProtocolError{Text: "expected '$', got '" + string(b[at:at+1]) + "'", Offset: at}
	}
	v, ok := Int(b[at+1 : end])
	if !ok || v < 0 || v > int64(lim.MaxBulk) {
		return 0, 0, &ProtocolError{Text: "invalid bulk length", Offset: at + 1}
	}
	if v > unauthenticatedBulk && p.Unauthenticated {
		return 0, 0, &ProtocolError{Text: "unauthenticated bulk length", Offset: at + 1}
	}
	return int(v), next, nil
}

// Rename gives the request another command's name. It makes a new Raw, and Args point into it. Borrows name until
// return.
func (r *Request) Rename(name []byte) {
	r.Args[0] = name
	r.encode()
}

// encode makes a new Raw from Args, as a plain array of bulk strings, and points Args into it.
func (r *Request) encode() {
	size := maxHeader
	for _, a := range r.Args {
		size += maxHeader + len(a) + 2
	}
	raw := AppendArray(make([]byte, 0, size), len(r.Args))
	for i, a := range r.Args {
		raw = AppendBulk(raw, a)
		r.Args[i] = raw[len(raw)-2-len(a) : len(raw)-2]
	}
	r.Raw = raw
}
