package e2e

import (
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// shrinkFor bounds the search for a short stream.
const shrinkFor = 20 * time.Second

// shrink drops parts of a failing stream, halves first, while it still fails from empty
// servers. It returns nil when the whole stream does not fail again.
func (p *pair) shrink(t *testing.T, stream []unit) ([]unit, *mismatch) {
	t.Helper()
	best, found := p.replay(t, stream)
	if found == nil {
		return nil, nil
	}
	deadline := time.Now().Add(shrinkFor)
	for size := len(best) / 2; size > 0; size /= 2 {
		for at := 0; at+size < len(best) && time.Now().Before(deadline); {
			without := append(append([]unit{}, best[:at]...), best[at+size:]...)
			if shorter, m := p.replay(t, without); m != nil {
				best, found = shorter, m
			} else {
				at += size
			}
		}
	}
	return best, found
}

// replay sends stream to emptied servers over new connections, and returns it up to its
// first mismatch.
func (p *pair) replay(t *testing.T, stream []unit) ([]unit, *mismatch) {
	t.Helper()
	p.clear(t)
	l := p.connect(t)
	defer l.direct.Close()
	defer l.proxy.Close()
	l.proxy.Patience = 3 * time.Second
	const step = 64
	for at := 0; at < len(stream); at += step {
		part := stream[at:min(at+step, len(stream))]
		if i, m := l.compare(t, part); m != nil {
			return stream[:at+i+1], m
		}
	}
	return nil, nil
}

// compare sends part both ways and returns the first unit whose replies differ.
func (l *links) compare(t *testing.T, part []unit) (int, *mismatch) {
	t.Helper()
	var wire []byte
	for _, u := range part {
		wire = append(wire, u.wire...)
	}
	for _, c := range []*testkit.Conn{l.direct, l.proxy} {
		if err := c.SendBytes(wire); err != nil {
			return len(part) - 1, &mismatch{unit: part[len(part)-1], err: err}
		}
	}
	for i, u := range part {
		if u.quiet {
			continue
		}
		a, err := l.direct.Next()
		if err != nil {
			t.Fatalf("reply of the direct server to %s: %v", show(u), err)
		}
		if b, err := l.proxy.Next(); err != nil || !u.judge.agree(a, b) {
			return i, &mismatch{unit: u, direct: a, proxy: b, err: err}
		}
	}
	return 0, nil
}
