package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the user and system time that the kernel accounts to pid, its ended threads
// and its living descendants. It reads each process's CPU clock, which counts in
// nanoseconds, where the utime and stime of /proc/PID/stat count in ticks of 10 ms.
func CPU(pid int) (time.Duration, error) {
	var sum time.Duration
	for _, id := range family(pid) {
		d, err := cpuClock(id)
		if err != nil {
			if id == pid {
				return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
			}
			continue // a descendant that ended meanwhile
		}
		sum += d
	}
	return sum, nil
}

// cpuClock reads the clock that clock_getcpuclockid(3) names for a process: the
// complement of its id, shifted by three, and CPUCLOCK_SCHED in the low bits.
func cpuClock(pid int) (time.Duration, error) {
	const schedClock = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(^int32(pid)<<3|schedClock, &ts); err != nil {
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}

// RSS is the resident memory of pid and its living descendants, in bytes.
func RSS(pid int) (int64, error) { return sumStatus(pid, "VmRSS") }

// PeakRSS is the sum of the highest resident memory of pid and of its living
// descendants since each began or since ResetPeak, in bytes.
func PeakRSS(pid int) (int64, error) { return sumStatus(pid, "VmHWM") }

// ResetPeak sets the peak of pid and its descendants to what is resident now.
func ResetPeak(pid int) error {
	for _, id := range family(pid) {
		// 5 resets VmHWM: proc(5), /proc/pid/clear_refs.
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", id), []byte("5"), 0); err != nil && id == pid {
			return err
		}
	}
	return nil
}

// OpenFiles is how many descriptors pid has open.
func OpenFiles(pid int) (int, error) {
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(names), err
}

func sumStatus(pid int, field string) (int64, error) {
	var sum int64
	for _, id := range family(pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
		if err == nil {
			var n int64
			n, err = statusField(string(text), field)
			sum += n
		}
		if err != nil && id == pid {
			return 0, fmt.Errorf("%s of process %d: %w", field, pid, err)
		}
	}
	return sum, nil
}

// statusField finds "Field:   123 kB" in the text of /proc/PID/status and returns bytes.
func statusField(text, field string) (int64, error) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, field+":")
		if !ok {
			continue
		}
		words := strings.Fields(rest)
		if len(words) != 2 || words[1] != "kB" {
			return 0, fmt.Errorf("unexpected line %q", strings.TrimSpace(line))
		}
		kb, err := strconv.ParseInt(words[0], 10, 64)
		return kb * 1024, err
	}
	return 0, fmt.Errorf("no field %s", field)
}

// family is pid and its living descendants.
func family(pid int) []int {
	ids := []int{pid}
	for i := 0; i < len(ids); i++ {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", ids[i]))
		for _, f := range files {
			text, _ := os.ReadFile(f) // a thread that ended has no children
			for _, w := range strings.Fields(string(text)) {
				if id, err := strconv.Atoi(w); err == nil {
					ids = append(ids, id)
				}
			}
		}
	}
	return ids
}
