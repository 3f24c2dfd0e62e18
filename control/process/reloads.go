package process

import (
	"context"
	"errors"
	"sync"

	"ringmaster/control/admin"
	"ringmaster/stats"
)

// reloads reads the settings again, one reading at a time. All requests during a reading share one more reading after
// it. That begins after the last of these requests, so the last file counts.
type reloads struct {
	mu      sync.Mutex
	next    *reading // requested and not begun; nil: none
	stopped bool
	asked   chan struct{} // gets a token with each new next
	ended   chan error    // closed when the last reading has ended
	cancel  context.CancelFunc

	done, refused uint64
	failed        bool // the latest one was refused
}

// reading is one reading of the settings, for all that wait for it.
type reading struct {
	over   chan struct{} // closed after the other fields are set
	result *admin.Reloaded
	err    error
}

func newReloads() *reloads { return &reloads{asked: make(chan struct{}, 1), ended: make(chan error)} }

// run calls read for each request until stop. It needs a goroutine of its own. ctx must not end before stop.
func (r *reloads) run(ctx context.Context, read func(ctx context.Context) (*admin.Reloaded, error)) {
	defer close(r.ended)
	for {
		select {
		case <-r.asked:
		case <-ctx.Done():
			r.end(r.take(), nil, admin.ErrStopping)
			return
		}
		if now := r.take(); now != nil {
			result, err := read(ctx)
			r.end(now, result, err)
		}
	}
}

// start starts run's goroutine.
func (r *reloads) start(read func(ctx context.Context) (*admin.Reloaded, error)) {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go r.run(ctx, read)
}

// ask asks for a reading; nil: the process is stopping. Any goroutine.
func (r *reloads) ask() *reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return nil
	}
	if r.next == nil {
		r.next = &reading{over: make(chan struct{})}
		select {
		case r.asked <- struct{}{}:
		default: // run has not taken an earlier token yet, and will find this reading
		}
	}
	return r.next
}

// wait asks for a reading and waits for its result, or for the end of ctx. Any goroutine.
func (r *reloads) wait(ctx context.Context) (*admin.Reloaded, error) {
	asked := r.ask()
	if asked == nil {
		return nil, admin.ErrStopping
	}
	select {
	case <-asked.over:
		return asked.result, asked.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take returns the reading to begin now; nil: there is no request.
func (r *reloads) take() *reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.next
	r.next = nil
	return now
}

// end hands the result of a reading to all that wait for it.
func (r *reloads) end(now *reading, result *admin.Reloaded, err error) {
	if now == nil {
		return
	}
	r.mu.Lock()
	switch {
	case errors.Is(err, errNoFile): // not counted, because only a restart could reset the gauge
	case err != nil:
		r.refused, r.failed = r.refused+1, true
	default:
		r.done, r.failed = r.done+1, false
	}
	r.mu.Unlock()
	now.result, now.err = result, err
	close(now.over)
}

// stop ends the current reading unless it is about to be applied, and refuses further requests. ended is closed when
// no reading is under way.
func (r *reloads) stop() (ended <-chan error) {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.cancel()
	return r.ended
}

// count copies the counts of readings. Any goroutine.
func (r *reloads) count(to *stats.Settings) {
	r.mu.Lock()
	defer r.mu.Unlock()
	to.Reloads, to.Refused, to.Failed = r.done, r.refused, r.failed
}
