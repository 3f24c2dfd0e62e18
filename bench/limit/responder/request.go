package responder

// The limits on one request.
const (
	MaxRequest = 16 << 20 // bytes
	maxWords   = 1 << 20  // Redis's own limit
)

// request is what must be known of a request to answer it.
type request struct {
	words int
	word  [3][]byte // the first ones; point into the scanned bytes
	end   int       // bytes of the request
}

// verdict says what stands at the beginning of some bytes.
type verdict int

const (
	more   verdict = iota // the beginning of a request
	whole                 // a request
	broken                // neither
)

// scan reads one request, which is an array of bulk strings. r is valid only with whole. Borrows in.
func scan(in []byte, r *request) verdict {
	at, words, v := number(in, 0, '*', maxWords)
	if v != whole {
		return v
	}
	if words == 0 {
		return broken
	}
	r.words = words
	for i := range words {
		begin, size, v := number(in, at, '$', MaxRequest)
		if v != whole {
			return v
		}
		at = begin + size + 2
		if at > MaxRequest {
			return broken
		}
		if at > len(in) {
			return more
		}
		if in[at-2] != '\r' || in[at-1] != '\n' {
			return broken
		}
		if i < len(r.word) {
			r.word[i] = in[begin : at-2]
		}
	}
	r.end = at
	return whole
}

// number reads a line such as "$64" at the given place. It returns where the line ends, and its number.
func number(in []byte, at int, mark byte, most int) (end, n int, v verdict) {
	if at >= len(in) {
		return 0, 0, more
	}
	if in[at] != mark {
		return 0, 0, broken
	}
	for i := at + 1; i < len(in); i++ {
		c := in[i] - '0'
		if c <= 9 {
			if n = n*10 + int(c); n > most {
				return 0, 0, broken
			}
			continue
		}
		if in[i] != '\r' || i == at+1 {
			return 0, 0, broken
		}
		if i+1 == len(in) {
			return 0, 0, more
		}
		if in[i+1] != '\n' {
			return 0, 0, broken
		}
		return i + 2, n, whole
	}
	if len(in)-at > maxDigits {
		return 0, 0, broken // zeros without end
	}
	return 0, 0, more
}

// maxDigits is the longest line with a number that is waited for. With its end it is no longer in a reply.
const maxDigits = 20
