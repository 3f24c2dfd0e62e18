package pace

import (
	"math"
	"testing"
)

func TestWindowShrinksWithRepliesButNeverExceedsTheSetting(t *testing.T) {
	for _, c := range []struct {
		name               string
		limit, grown, mean int
		want               int
	}{
		{"nothing known yet", 1000, 0, 0, First},
		{"nothing known yet, a smaller setting", 1, 0, 0, 1},
		{"some replies", 1000, 10, 100, First + 10},
		{"small replies", 1000, 5000, 100, 1000},
		{"replies of 4 KiB", 1000, 5000, 4 << 10, 1000},
		{"replies of 128 KiB", 1000, 5000, 128 << 10, 8},
		{"huge replies", 1000, 5000, 100 << 20, 1},
		{"no bound set, and large replies", math.MaxInt, 5000, 1 << 20, 1},
		{"no bound set", math.MaxInt, 5000, 3, First + 5000},
	} {
		p := Pace{mean: int32(c.mean), grown: int32(c.grown)}
		if got := p.ByBytes(p.ByNumber(c.limit, First)); got != c.want {
			t.Errorf("%s: window of %d, want %d", c.name, got, c.want)
		}
	}
}

func TestAClientThatDoesNotReadGetsLess(t *testing.T) {
	for _, c := range []struct {
		name                 string
		mean, coming, unread int
		stuck                bool
		want                 int
	}{
		{"small replies", 100, 0, 100 << 20, false, Least},
		{"large replies", 1 << 20, 0, Enough, false, 1},
		{"the first reply is large and has not ended", 0, 1 << 20, Enough, false, 1},
		{"large replies, and much is unread", 1 << 20, 0, Enough + 1, false, 0},
		{"large replies, much is unread, and it may be stuck in writing", 1 << 20, 0, Enough + 1, true, 1},
	} {
		p := Pace{mean: int32(c.mean)}
		if got := p.NotReading(c.unread, c.coming, c.stuck); got != c.want {
			t.Errorf("%s: window of %d, want %d", c.name, got, c.want)
		}
	}
}

func TestMeanFollowsTheRepliesBothWays(t *testing.T) {
	var p Pace
	for range 50 {
		p.Learn(10000, 0)
	}
	if p.mean < 9000 || p.mean > 10000 {
		t.Errorf("after replies of 10000 bytes the mean is %d", p.mean)
	}
	for range 50 {
		p.Learn(5, 0)
	}
	if p.mean < 0 || p.mean > 100 {
		t.Errorf("after replies of 5 bytes the mean is %d", p.mean)
	}
	p.Learn(10<<20, 7)
	if p.mean != 10<<20 || p.grown != 0 || p.Replied() != 7 {
		t.Errorf("after a reply of 10 MiB the mean is %d, %d replies were small, and the latest ended at %d", p.mean, p.grown, p.Replied())
	}
}

func TestALateReplyCostsAllButOne(t *testing.T) {
	var p Pace
	for range 100 {
		p.Learn(5, 0)
	}
	p.BackOff(10)
	if got := p.ByNumber(1000, 10); got != 1 {
		t.Errorf("window of %d after a reply that did not come in time", got)
	}
	p.Rested(rest + 1)
	if got := p.ByNumber(1000, 10); got != 1 {
		t.Errorf("window of %d after a rest, which does not make up for it", got)
	}
}

func TestARestBeginsAgain(t *testing.T) {
	var p Pace
	for range 100 {
		p.Learn(5, 0)
	}
	if p.Rested(rest); p.ByNumber(1000, First) != First+100 {
		t.Error("a short rest counts")
	}
	if p.Rested(rest + 1); p.ByNumber(1000, First) != First {
		t.Error("a long rest does not count")
	}
}
