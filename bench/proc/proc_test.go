package proc

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func TestCPUGrowsWithWorkOfThisProcess(t *testing.T) {
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	x := uint64(1)
	for i := range uint64(50_000_000) {
		x = x*6364136223846793005 + i
	}
	after, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after <= before {
		t.Fatalf("CPU time went from %v to %v over 50 million multiplications (%d)", before, after, x)
	}
}

func TestPeakCountsMemoryThatWasFreedAndCanBeReset(t *testing.T) {
	dir := t.TempDir()
	// The child holds 64 MB once, then lives on without it.
	p, err := Start(dir, "holder", "", "python3", "-c",
		"import sys,time\nb=bytearray(64<<20)\nb[::4096]=b'x'*len(b[::4096])\ndel b\nprint('ready',flush=True)\ntime.sleep(60)")
	if err != nil {
		t.Skip("no python3: ", err)
	}
	defer p.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err = p.WaitReady(ctx, func() error {
		if text, _ := os.ReadFile(dir + "/holder.log"); !strings.Contains(string(text), "ready") {
			return errors.New("nothing printed yet")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	peak, err := PeakRSS(p.PID())
	if err != nil || peak < 64<<20 {
		t.Fatalf("peak %d, %v, want at least 64 MB", peak, err)
	}
	if err := ResetPeak(p.PID()); err != nil {
		t.Fatal(err)
	}
	if peak, _ = PeakRSS(p.PID()); peak >= 64<<20 {
		t.Fatalf("peak %d after the reset, want what is resident now", peak)
	}
}

func TestProgramThatEndsEarlyIsAnErrorWithItsOutput(t *testing.T) {
	p, err := Start(t.TempDir(), "early", "", "sh", "-c", "echo port in use; exit 1")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	err = p.WaitReady(context.Background(), func() error { return errors.New("no answer") })
	if err == nil || !strings.Contains(err.Error(), "port in use") || !strings.Contains(err.Error(), "early") {
		t.Fatalf("got %v, want the name and the output", err)
	}
}

func TestStopEndsAProgram(t *testing.T) {
	p, err := Start(t.TempDir(), "sleeper", "", "sleep", "600")
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if !p.Ended() {
		t.Fatal("it still runs after Stop")
	}
	if _, err := RSS(p.PID()); err == nil {
		t.Fatal("memory of an ended process was read without an error")
	}
}

func TestStatusFieldReadsKilobytes(t *testing.T) {
	text := "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n"
	if n, err := statusField(text, "VmRSS"); err != nil || n != 1<<20 {
		t.Fatalf("got %d, %v", n, err)
	}
	for _, broken := range []string{"", "VmRSS:\n", "VmRSS: 12\n", "VmRSS: x kB\n"} {
		if _, err := statusField(broken, "VmRSS"); err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
}

func TestPinnedKeepsTheCommandWhenThereIsNoList(t *testing.T) {
	if got := strings.Join(Pinned("", []string{"a", "b"}), " "); got != "a b" {
		t.Errorf("got %q", got)
	}
	if got := strings.Join(Pinned("0-1", []string{"a", "b"}), " "); got != "taskset -c 0-1 a b" {
		t.Errorf("got %q", got)
	}
}
