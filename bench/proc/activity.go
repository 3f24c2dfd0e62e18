package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Activity is what the kernel has counted for a process and its living descendants.
type Activity struct {
	Reads, Writes int64         // system calls of read(2) and write(2) and their variants; recv(2) and send(2) are not counted
	switches      map[int]int64 // voluntary ones, by living thread: how often it gave up its processor to wait
}

// ActivityOf reads the counts of pid. It fails on a kernel that counts no system calls, too.
func ActivityOf(pid int) (Activity, error) {
	a := Activity{switches: map[int]int64{}}
	for _, id := range family(pid) {
		if err := a.add(id); err != nil && id == pid {
			return a, fmt.Errorf("activity of process %d: %w", pid, err)
		}
	}
	return a, nil
}

func (a *Activity) add(pid int) error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return err
	}
	reads, err := countField(string(text), "syscr")
	if err != nil {
		return err
	}
	writes, err := countField(string(text), "syscw")
	if err != nil {
		return err
	}
	a.Reads += reads
	a.Writes += writes
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		return err
	}
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that ended meanwhile
		}
		n, err := countField(string(text), "voluntary_ctxt_switches")
		if err != nil {
			return err
		}
		thread, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return err
		}
		a.switches[thread] = n
	}
	return nil
}

// SwitchesSince returns how often the threads gave up their processor to wait since earlier. Threads that have ended do not count.
func (a Activity) SwitchesSince(earlier Activity) int64 {
	var sum int64
	for thread, n := range a.switches {
		sum += n - earlier.switches[thread]
	}
	return sum
}

// countField finds "name: 123" in the text of a file under /proc.
func countField(text, name string) (int64, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			return strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		}
	}
	return 0, fmt.Errorf("no field %s", name)
}
