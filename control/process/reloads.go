package process

import (
	"context"
	"errors"
	"sync"

	"ringmaster/control/admin"
	"ringmaster/stats"
)

// reloads has the settings read again, one time after the other. What is asked for while they are read is one more reading after that,
// however many ask: it begins after the last of them has asked, so that the last file counts.
type reloads struct {
	mu      sync.Mutex
	next    *reading // what has been asked for and has not begun; nil: nothing
	stopped bool
	asked   chan struct{} // gets a token with each new next
	ended   chan error    // closed when the last reading has ended
	cancel  context.CancelFunc

	done, refused uint64
	failed        bool // the latest
}

// reading is one time that the settings are read, for all who wait for it.
type reading struct {
	over   chan struct{} // closed once the rest is known
	result *admin.Reloaded
	err    error
}

func newReloads() *reloads { return &reloads{asked: make(chan struct{}, 1), ended: make(chan error)} }

// run has read called until stop. It needs a goroutine of its own; ctx must not end before.
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

// start makes run's goroutine.
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
		default: // run has not seen an older one, and will find this
		}
	}
	return r.next
}

// wait asks for a reading and waits for what comes of it, or for the end of ctx. Any goroutine.
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

// take takes what shall begin now; nil: nothing was asked for.
func (r *reloads) take() *reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.next
	r.next = nil
	return now
}

// end tells those who wait for a reading what has come of it.
func (r *reloads) end(now *reading, result *admin.Reloaded, err error) {
	if now == nil {
		return
	}
	r.mu.Lock()
	switch {
	case errors.Is(err, errNoFile): // no reload: a gauge that only a restart can set right would help nobody
	case err != nil:
		r.refused, r.failed = r.refused+1, true
	default:
		r.done, r.failed = r.done+1, false
	}
	r.mu.Unlock()
	now.result, now.err = result, err
	close(now.over)
}

// stop ends what is being read unless it is about to be applied, and refuses what is asked for from now on. ended is closed when no
// reading is under way.
func (r *reloads) stop() (ended <-chan error) {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.cancel()
	return r.ended
}

// count copies how often the settings were read. Any goroutine.
func (r *reloads) count(to *stats.Settings) {
	r.mu.Lock()
	defer r.mu.Unlock()
	to.Reloads, to.Refused, to.Failed = r.done, r.refused, r.failed
}
