package proc

import (
	"os"
	"path/filepath"
	"testing"
)

func TestActivityCountsReadsAndWritesOfThisProcess(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	before, err := ActivityOf(os.Getpid())
	if os.IsNotExist(err) {
		t.Skip("this kernel counts no system calls: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	const times = 1000
	for range times {
		if _, err := f.WriteAt([]byte("x"), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := f.ReadAt(make([]byte, 1), 0); err != nil {
			t.Fatal(err)
		}
	}
	after, err := ActivityOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if reads := after.Reads - before.Reads; reads < times {
		t.Errorf("%d reads, want at least %d", reads, times)
	}
	if writes := after.Writes - before.Writes; writes < times {
		t.Errorf("%d writes, want at least %d", writes, times)
	}
}

func TestSwitchesAreThoseOfTheThreadsThatLive(t *testing.T) {
	before := Activity{switches: map[int]int64{1: 100, 2: 5000}}
	after := Activity{switches: map[int]int64{1: 130, 3: 7}} // 2 has ended, 3 is new
	if got := after.SwitchesSince(before); got != 37 {
		t.Errorf("got %d, want 37", got)
	}
}

func TestActivityOfThisProcessHasItsThreads(t *testing.T) {
	a, err := ActivityOf(os.Getpid())
	if os.IsNotExist(err) {
		t.Skip("this kernel counts no system calls: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, n := range a.switches {
		sum += n
	}
	if len(a.switches) < 2 || sum == 0 {
		t.Errorf("%d threads waited %d times: a Go program has several, and some have waited", len(a.switches), sum)
	}
}

func TestCountFieldReadsNumbers(t *testing.T) {
	text := "rchar: 12\nsyscr: 34\nvoluntary_ctxt_switches:\t56\nnonvoluntary_ctxt_switches:\t78\n"
	for name, want := range map[string]int64{"syscr": 34, "voluntary_ctxt_switches": 56} {
		if n, err := countField(text, name); err != nil || n != want {
			t.Errorf("%s: got %d, %v; want %d", name, n, err, want)
		}
	}
	for _, broken := range []string{"", "syscr:\n", "syscr: x\n"} {
		if _, err := countField(broken, "syscr"); err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
}
