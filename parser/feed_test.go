package parser

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// parsed is the result of a RequestParser for some input.
type parsed struct {
	reqs []parsedRequest
	err  string // "" while more could come
	rest int    // bytes of an unfinished request
	need int    // the result of Need for it
}

type parsedRequest struct {
	args []string
	raw  string
	size int
}

func (p parsed) String() string {
	return fmt.Sprintf("%v, error %q, %d bytes left, %d needed", p.reqs, p.err, p.rest, p.need)
}

func (r parsedRequest) String() string {
	return short(fmt.Sprintf("%q", r.args)) + fmt.Sprint(" in ", r.size)
}

func (p parsed) equal(q parsed) bool {
	return p.err == q.err && p.rest == q.rest && p.need == q.need && slices.EqualFunc(p.reqs, q.reqs,
		func(a, b parsedRequest) bool {
			return a.raw == b.raw && a.size == b.size && slices.Equal(a.args, b.args)
		})
}

// parse gives input to a new parser in the pieces that end at cuts. Like a session, it keeps an unfinished request's
// bytes. They move to new memory each time and the old memory is overwritten, so the parser may keep only offsets.
func parse(input []byte, lim Limits, unauthenticated bool, cuts ...int) parsed {
	p := RequestParser{Unauthenticated: unauthenticated}
	var req Request
	var out parsed
	var buf []byte
	at := 0
	for _, cut := range append(slices.Clone(cuts), len(input)) {
		moved := append(slices.Clone(buf), input[at:cut]...)
		for i := range buf {
			buf[i] = '#'
		}
		buf, at = moved, cut
		for len(buf) > 0 {
			done, err := p.Next(buf, &lim, &req)
			if err != nil {
				out.err = err.Text
				return out
			}
			if !done {
				break
			}
			r := parsedRequest{raw: string(req.Raw), size: req.Size}
			for i, a := range req.Args {
				r.args = append(r.args, string(a))
				if i > 0 && string(req.Bulks(i, i+1)) != bulks(string(a))[len("*1\r\n"):] {
					out.err = fmt.Sprintf("argument %d stands in Raw as %q", i, req.Bulks(i, i+1))
					return out
				}
			}
			out.reqs = append(out.reqs, r)
			buf = buf[req.Size:]
		}
	}
	if out.rest = len(buf); out.rest > 0 {
		out.need = p.Need()
	}
	return out
}

// everyByte are the cuts that give n bytes one by one.
func everyByte(n int) []int {
	cuts := make([]int, max(0, n-1))
	for i := range cuts {
		cuts[i] = i + 1
	}
	return cuts
}

// randomCuts are the ends of pieces of random sizes, some of them empty.
func randomCuts(n int, seed uint64) []int {
	r := rand.New(rand.NewPCG(seed, 1))
	var cuts []int
	for at := r.IntN(n + 1); at < n; at += r.IntN(1 + r.IntN(40)) {
		if cuts = append(cuts, at); len(cuts) > 4*n {
			break
		}
	}
	return cuts
}

// parseAllWays parses input whole, at every split and byte by byte, and wants one result.
func parseAllWays(t *testing.T, input string, lim Limits, unauthenticated bool) parsed {
	t.Helper()
	b := []byte(input)
	whole := parse(b, lim, unauthenticated)
	step := 1 + len(b)/500 // long inputs: not every split, because the test would be quadratic
	for cut := 1; cut < len(b); cut += step {
		if got := parse(b, lim, unauthenticated, cut); !got.equal(whole) {
			t.Fatalf("%s: cut at %d gives %v; whole %v", short(input), cut, got, whole)
		}
	}
	if len(b) > 4000 {
		return whole
	}
	if got := parse(b, lim, unauthenticated, everyByte(len(b))...); !got.equal(whole) {
		t.Fatalf("%s: byte by byte gives %v; whole %v", short(input), got, whole)
	}
	return whole
}

func short(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%q… (%d bytes)", s[:200], len(s))
	}
	return fmt.Sprintf("%q", s)
}

// bulks makes a request in the form of clients.
func bulks(args ...string) string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&sb, "$%d\r\n%s\r\n", len(a), a)
	}
	return sb.String()
}
