package parser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

var requestLoads = []struct {
	name, input string
	requests    int
}{
	{"GET", bulks("GET", "key:000000000001"), 1},
	{"SET_64B", bulks("SET", "key:000000000001", strings.Repeat("v", 64)), 1},
	{"pipeline_16_GET", strings.Repeat(bulks("GET", "key:000000000001"), 16), 16},
	{"MGET_100", bulks(append([]string{"MGET"}, slices.Repeat([]string{"key:000000000001"}, 100)...)...), 1},
	{"SET_16KB", bulks("SET", "key:000000000001", strings.Repeat("v", 16<<10)), 1},
}

var replyLoads = []struct{ name, input string }{
	{"OK", "+OK\r\n"},
	{"bulk_64B", "$64\r\n" + strings.Repeat("v", 64) + "\r\n"},
	{"array_100", "*100\r\n" + strings.Repeat("$16\r\nvvvvvvvvvvvvvvvv\r\n", 100)},
	{"bulk_16KB", "$16384\r\n" + strings.Repeat("v", 16<<10) + "\r\n"},
	{"error", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"},
}

// parseLoad reads all requests in input and returns their number.
func parseLoad(p *RequestParser, input []byte, lim *Limits, req *Request) (n int) {
	for len(input) > 0 {
		if done, err := p.Next(input, lim, req); !done || err != nil {
			return -1
		}
		input = input[req.Size:]
		n++
	}
	return n
}

func TestRequestAllocatesNothing(t *testing.T) {
	lim := DefaultLimits()
	for _, c := range requestLoads {
		var p RequestParser
		var req Request
		input := []byte(c.input)
		if allocs := testing.AllocsPerRun(100, func() {
			if n := parseLoad(&p, input, &lim, &req); n != c.requests {
				t.Fatalf("%s: %d requests", c.name, n)
			}
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", c.name, allocs)
		}
	}
}

func TestReplyAllocatesNothing(t *testing.T) {
	for _, c := range replyLoads {
		var s ReplyScanner
		input := []byte(c.input)
		if allocs := testing.AllocsPerRun(100, func() {
			if n, st := s.Scan(input); n != len(input) || st != Done {
				t.Fatalf("%s: %d bytes, status %d", c.name, n, st)
			}
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", c.name, allocs)
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	lim := DefaultLimits()
	for _, c := range requestLoads {
		b.Run(c.name, func(b *testing.B) {
			var p RequestParser
			var req Request
			input := []byte(c.input)
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			for b.Loop() {
				if parseLoad(&p, input, &lim, &req) != c.requests {
					b.Fatal("not parsed")
				}
			}
		})
	}
}

func BenchmarkReply(b *testing.B) {
	for _, c := range replyLoads {
		b.Run(c.name, func(b *testing.B) {
			var s ReplyScanner
			input := []byte(c.input)
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			for b.Loop() {
				if _, st := s.Scan(input); st != Done {
					b.Fatal("not scanned")
				}
			}
		})
	}
}

// BenchmarkRequestInPieces: the time per byte of a large request does not grow with its pieces.
func BenchmarkRequestInPieces(b *testing.B) {
	lim := DefaultLimits()
	input := []byte(bulks("SET", "k", strings.Repeat("v", 4<<20)))
	for _, pieces := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(pieces), func(b *testing.B) {
			var p RequestParser
			var req Request
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			for b.Loop() {
				for i := 1; i <= pieces; i++ {
					if _, err := p.Next(input[:i*len(input)/pieces], &lim, &req); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
