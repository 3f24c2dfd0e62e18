package stats

import (
	"math"
	"testing"
)

func TestBucketHoldsTheDurationsBetweenItsBounds(t *testing.T) {
	for _, ns := range []uint64{0, 1, 1023, 1024, 1279, 1280, 2047, 2048, 1e6, 1e9, 5e9, 1<<36 - 1, 1 << 36, math.MaxInt64} {
		i := bucket(ns)
		if ns >= UpperBound(i) {
			t.Errorf("%d ns is in bucket %d, which ends at %d", ns, i, UpperBound(i))
		}
		if i > 0 && ns < UpperBound(i-1) {
			t.Errorf("%d ns is in bucket %d, which starts at %d", ns, i, UpperBound(i-1))
		}
	}
}

func TestBoundsRiseByAtMostAQuarter(t *testing.T) {
	for i := 1; i < Buckets-1; i++ {
		lo, hi := UpperBound(i-1), UpperBound(i)
		if hi <= lo || float64(hi) > 1.25*float64(lo) {
			t.Errorf("bucket %d: [%d, %d)", i, lo, hi)
		}
	}
	if UpperBound(Buckets-2) != 1<<maxExp {
		t.Errorf("last finite bound is %d", UpperBound(Buckets-2))
	}
}

func TestNegativeDurationCountsAsZero(t *testing.T) {
	var h Histogram
	h.Observe(-5)
	if h.Counts[0] != 1 || h.Sum != 0 {
		t.Errorf("got %d in the first bucket, sum %d", h.Counts[0], h.Sum)
	}
}

func TestBelowCountsWholePowers(t *testing.T) {
	var h Histogram
	for _, ns := range []int64{1, 1023, 1024, 2047, 2048, 1 << 35, 1 << 40} {
		h.Observe(ns)
	}
	for exp, want := range map[int]uint64{10: 2, 11: 4, 12: 5, 35: 5, 36: 6} {
		if got := h.Below(exp); got != want {
			t.Errorf("Below(%d) = %d, want %d", exp, got, want)
		}
	}
	if h.Count() != 7 {
		t.Errorf("Count() = %d", h.Count())
	}
}

func BenchmarkCall(b *testing.B) {
	l := NewLoop(400)
	l.AddUpstream("", 3)
	b.ReportAllocs()
	for i := range b.N {
		l.Call(uint16(i&7), int64(i&0xfffff))
	}
}

func BenchmarkError(b *testing.B) {
	l := NewLoop(400)
	l.AddUpstream("", 3)
	reply := []byte("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n")
	b.ReportAllocs()
	for i := range b.N {
		l.Error(uint16(i&7), reply)
	}
}

func BenchmarkCopyTo(b *testing.B) {
	l, dst := NewLoop(400), new(Loop)
	l.AddUpstream("", 3)
	for id := range uint16(20) {
		l.Call(id, 100)
	}
	b.ReportAllocs()
	for range b.N {
		l.CopyTo(dst)
	}
}
