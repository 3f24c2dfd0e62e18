package eventloop

import (
	"slices"
	"testing"
	"time"
)

func TestCrowdTurnsAtOnceAndCalmsLate(t *testing.T) {
	var told []bool
	a, b := &loop{}, &loop{}
	c := crowd{now: true, tell: func(v bool) { told = append(told, v) }}
	look := func(at time.Duration, crowdA, crowdB int64) {
		a.crowd.Store(crowdA)
		b.crowd.Store(crowdB)
		c.look([]*loop{a, b}, at)
	}
	expect := func(want ...bool) {
		t.Helper()
		if !slices.Equal(told, want) {
			t.Fatalf("told %v, want %v", told, want)
		}
	}
	look(1*time.Second, 0, 0)
	look(2*time.Second, 256, 256)
	expect() // not calm for long enough
	look(2500*time.Millisecond, 256, crowded)
	look(3*time.Second, 0, 0)
	look(4*time.Second, 0, 0)
	expect() // the crowd in between counts
	look(5*time.Second, 0, 0)
	look(6*time.Second, 0, 0)
	expect(false)
	look(6010*time.Millisecond, crowded, 0)
	look(6020*time.Millisecond, crowded, 0)
	expect(false, true)
}

func TestCrowdOfNobodyInterested(t *testing.T) {
	l := &loop{}
	l.crowd.Store(crowded)
	(&crowd{}).look([]*loop{l}, time.Second)
}
