package parser

import (
	"fmt"
	"slices"
	"testing"
)

// scanned is the result of a ReplyScanner for some input.
type scanned struct {
	frames []frame
	end    string // "", "more" or "broken"
}

type frame struct {
	size int
	kind byte
}

func (s scanned) String() string { return fmt.Sprintf("%v, end %q", s.frames, s.end) }

func (s scanned) equal(r scanned) bool { return s.end == r.end && slices.Equal(s.frames, r.frames) }

func scanWhole(input []byte) scanned { return scan(input) }

// scan gives input to a new scanner in the pieces that end at cuts. Like a connection, it does not give bytes again
// that were read. It panics if the scanner breaks its own promises.
func scan(input []byte, cuts ...int) scanned {
	var s ReplyScanner
	var out scanned
	var rest []byte
	at, size := 0, 0
	for _, cut := range append(slices.Clone(cuts), len(input)) {
		b := append(slices.Clone(rest), input[at:cut]...)
		at = cut
		for len(b) > 0 {
			n, st := s.Scan(b)
			size += n
			b = b[n:]
			if st == Broken {
				out.end = "broken"
				return out
			}
			if s.Started() != (st == More && size > 0) {
				panic(fmt.Sprintf("Started is %t with %d bytes read", s.Started(), size))
			}
			if st == More {
				break
			}
			out.frames = append(out.frames, frame{size, s.Kind()})
			size = 0
		}
		if rest = b; len(rest) > maxReplyLine {
			panic(fmt.Sprintf("%d bytes must be given again", len(rest)))
		}
	}
	if size > 0 || len(rest) > 0 {
		out.end = "more"
	}
	return out
}

// scanAllWays scans input whole, at every split and byte by byte, and wants one result.
func scanAllWays(t *testing.T, input string) scanned {
	t.Helper()
	b := []byte(input)
	whole := scanWhole(b)
	step := 1 + len(b)/300 // long inputs: not every split, because the test would be quadratic
	for cut := 1; cut < len(b); cut += step {
		if got := scan(b, cut); !got.equal(whole) {
			t.Fatalf("%s: cut at %d gives %v; whole %v", short(input), cut, got, whole)
		}
	}
	for cut := max(1, len(b)-3); cut < len(b); cut++ {
		if got := scan(b, cut); !got.equal(whole) {
			t.Fatalf("%s: cut at %d gives %v; whole %v", short(input), cut, got, whole)
		}
	}
	if len(b) > 40000 {
		return whole
	}
	if got := scan(b, everyByte(len(b))...); !got.equal(whole) {
		t.Fatalf("%s: byte by byte gives %v; whole %v", short(input), got, whole)
	}
	return whole
}
