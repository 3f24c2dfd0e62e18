package memory

import (
	"runtime"
	"testing"
)

func TestGarbageOfAHugeValueIsReturned(t *testing.T) {
	runtime.GC()
	tr := newTrimmer()
	tr.look()
	before := tr.baseline
	huge := make([]byte, 64<<20)
	for i := 0; i < len(huge); i += 4096 {
		huge[i] = 1
	}
	runtime.KeepAlive(huge)
	huge = nil
	tr.look() // the first look may see the collection that newTrimmer caused
	tr.look()
	if tr.read() > before+worthwhile {
		t.Errorf("footprint %d MiB, %d MiB before the value", tr.read()>>20, before>>20)
	}
}

func TestMemoryInUseIsCollectedOnce(t *testing.T) {
	tr := newTrimmer()
	freed := 0
	tr.free = func() { freed++ }
	used := make([]byte, 64<<20)
	for i := 0; i < len(used); i += 4096 {
		used[i] = 1
	}
	for range 5 {
		tr.look()
	}
	runtime.KeepAlive(used)
	if freed != 2 {
		t.Errorf("%d collections for memory that stays in use, want the 2 of one look", freed)
	}
}
