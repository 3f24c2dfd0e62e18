package logqueue

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MaxLines and MaxBytes bound what waits to be written.
	MaxLines = 1024
	MaxBytes = 1 << 20
	// reportEvery is the least time between two lines about lost ones while more are being lost.
	reportEvery = 10 * time.Second
)

// Queue is an io.Writer that never waits. It drops new lines when it is full: the first lines of trouble say most.
type Queue struct {
	out     io.Writer
	lines   chan []byte
	size    atomic.Int64  // bytes of lines, and of the one being written
	dropped atomic.Uint64 // lines, ever
	lost    atomic.Pointer[func(n uint64) []byte]

	reported   uint64    // of dropped; only the writing goroutine
	reportedAt time.Time // or the start

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

// OnLost says how to write the line that n lines were lost; without it nothing is written about them.
func (q *Queue) OnLost(line func(n uint64) []byte) { q.lost.Store(&line) }

// Dropped is how many lines were lost so far.
func (q *Queue) Dropped() uint64 { return q.dropped.Load() }

// Write queues one line, or drops it. It never fails, for nobody could do anything about it. Borrows b until return.
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

// Close writes what is queued, for up to limit, and stops. Lines that come later are lost.
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

// write writes one line, and how many were lost once those before them are read, or now and then if the reader is slow.
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
