package logqueue

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reader is a standard error whose reader is the test.
type reader struct {
	mu     sync.Mutex
	read   strings.Builder
	gone   bool          // writes fail
	reads  chan struct{} // a token for each write that may go on; nil: all may
	writes chan struct{} // gets a token when a write has begun
}

func (r *reader) Write(b []byte) (int, error) {
	if r.writes != nil {
		r.writes <- struct{}{}
	}
	if r.reads != nil {
		<-r.reads
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return 0, errors.New("broken pipe")
	}
	return r.read.Write(b)
}

func (r *reader) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read.String()
}

func (r *reader) setGone(gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = gone
}

func lostLine(n uint64) []byte { return fmt.Appendf(nil, "%d lost\n", n) }

// until polls a condition until it holds.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %s", what)
		}
	}
}

func TestLinesAreWrittenInOrderAndCloseWaitsForThem(t *testing.T) {
	r := &reader{}
	q := New(r)
	q.OnLost(lostLine)
	var want strings.Builder
	for i := range MaxLines / 2 {
		line := fmt.Sprintf("line %d\n", i)
		want.WriteString(line)
		if n, err := q.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	q.Close(10 * time.Second)
	if r.String() != want.String() || q.Dropped() != 0 {
		t.Errorf("%d lost; written %.200q", q.Dropped(), r)
	}
	q.Close(10 * time.Second) // again
}

// TestAReaderThatStopsCostsLinesOnly: Write returns although nothing is read, the waiting lines are bounded, and the
// lost ones are reported when the reader is back.
func TestAReaderThatStopsCostsLinesOnly(t *testing.T) {
	for _, c := range []struct {
		size, want int // bytes of a line; lines that are kept
	}{{10, MaxLines + 1}, {10000, MaxBytes / 10000}} {
		r := &reader{reads: make(chan struct{}), writes: make(chan struct{}, 1)}
		q := New(r)
		q.OnLost(lostLine)
		line := []byte(strings.Repeat("x", c.size-1) + "\n")
		_, _ = q.Write(line)
		<-r.writes // one is being written
		r.writes = nil
		for range 3 * MaxLines {
			_, _ = q.Write(line)
		}
		lost := 3*MaxLines + 1 - c.want
		if got := q.Dropped(); got != uint64(lost) {
			t.Errorf("lines of %d bytes: %d are lost, want %d", c.size, got, lost)
		}
		close(r.reads)
		q.Close(10 * time.Second)
		if want := strings.Repeat(string(line), c.want) + string(lostLine(uint64(lost))); r.String() != want {
			got := r.String()
			t.Errorf("lines of %d bytes: read %d lines, which end with %q", c.size, strings.Count(got, "\n"), got[max(0, len(got)-50):])
		}
	}
}

func TestAReaderThatIsGoneCostsLinesOnly(t *testing.T) {
	r := &reader{gone: true}
	q := New(r)
	q.OnLost(lostLine)
	for i := range 5 {
		_, _ = q.Write([]byte("x\n"))
		until(t, "the line to be lost", func() bool { return q.Dropped() == uint64(i+1) })
	}
	r.setGone(false) // a named pipe has a reader again
	_, _ = q.Write([]byte("back\n"))
	q.Close(10 * time.Second)
	if got := r.String(); got != "back\n5 lost\n" {
		t.Errorf("%q", got)
	}
}

func TestCloseDoesNotWaitForAReaderThatStopped(t *testing.T) {
	r := &reader{reads: make(chan struct{}), writes: make(chan struct{}, 1)}
	q := New(r)
	_, _ = q.Write([]byte("x\n"))
	<-r.writes
	q.Close(time.Millisecond) // returns
	close(r.reads)
	q.Close(10 * time.Second)
}
