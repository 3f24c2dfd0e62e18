package logqueue

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MaxLines and MaxBytes bound the waiting lines.
	MaxLines = 1024
	MaxBytes = 1 << 20
	// reportEvery is the least time between two reports of lost lines while more are being lost.
	reportEvery = 10 * time.Second
)

// Queue is an io.Writer that never waits. When it is full it drops new lines, because the first lines of a problem
// say the most.
type Queue struct {
	out     io.Writer
	lines   chan []byte
	size    atomic.Int64  // bytes of lines, and of the one being written
	dropped atomic.Uint64 // lines, ever
	lost    atomic.Pointer[func(n uint64) []byte]

	reported   uint64    // of dropped; only the writing goroutine
	reportedAt time.Time // at first the start

	closing sync.Once
	end     chan struct{} // closed: write what is queued, then stop
	done    chan struct{} // closed: stopped
}

// New starts the goroutine that writes to out.
func New(out io.Writer) *Queue {
	q := &Queue{out: out, lines: make(chan []byte, MaxLines), end: make(chan struct{}), done: make(chan struct{}), reportedAt: time.Now()}
	go q.run()
	return q
}

// OnLost sets the function that writes the report of n lost lines. Without it there is no report.
func (q *Queue) OnLost(line func(n uint64) []byte) { q.lost.Store(&line) }

// Dropped returns how many lines were lost so far.
func (q *Queue) Dropped() uint64 { return q.dropped.Load() }

// Write queues one line, or drops it. It never fails, because no caller could handle the error. Borrows b until
// return.
func (q *Queue) Write(b []byte) (int, error) {
	n := int64(len(b))
	if q.size.Add(n) > MaxBytes {
		q.drop(n)
		return len(b), nil
	}
	select {
	case q.lines <- bytes.Clone(b):
	default:
		q.drop(n)
	}
	return len(b), nil
}

func (q *Queue) drop(size int64) {
	q.size.Add(-size)
	q.dropped.Add(1)
}

// Close writes the queued lines, for up to limit, and stops. Later lines are lost.
func (q *Queue) Close(limit time.Duration) {
	q.closing.Do(func() { close(q.end) })
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-q.done:
	case <-late.C:
	}
}

func (q *Queue) run() {
	defer close(q.done)
	for {
		select {
		case line := <-q.lines:
			q.write(line)
		case <-q.end:
			for len(q.lines) > 0 {
				q.write(<-q.lines)
			}
			return
		}
	}
}

// write writes one line. It reports the lost lines when all lines before them are written, or from time to time if
// the reader is slow.
func (q *Queue) write(line []byte) {
	_, err := q.out.Write(line)
	q.size.Add(-int64(len(line)))
	if err != nil {
		q.dropped.Add(1)
		return
	}
	dropped, lost := q.dropped.Load(), q.lost.Load()
	if dropped == q.reported || lost == nil || len(q.lines) > 0 && time.Since(q.reportedAt) < reportEvery {
		return
	}
	if _, err := q.out.Write((*lost)(dropped - q.reported)); err == nil {
		q.reported, q.reportedAt = dropped, time.Now()
	}
}
