package refresh

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"ringmaster/shard"
)

// Subject is what a [Follower] follows: how it makes a finding T of views V, and what a finding means. One goroutine
// at a time calls the functions.
type Subject[T, V any] struct {
	// Find asks, and makes a finding of the answers. last is the previous finding, nil at first. After an error last
	// stays.
	Find func(ctx context.Context, last *T) (Round[T, V], error)
	// Groups returns a finding in its published form.
	Groups func(found *T) []shard.Group
	// Pause returns the time until the next refresh without a hint. silent says that the latest refresh had no
	// result. found is the latest finding, nil if there is none.
	Pause func(found *T, silent bool) time.Duration
	// Tell logs the changes from last, which is nil at first, to found. changed says that the groups differ.
	Tell func(last, found *T, changed bool)
	// Silent is logged when refreshes stop having results, and Heard when one has a result again.
	Silent, Heard string
	// Least is the least time between the starts of two refreshes.
	Least time.Duration
	Log   *slog.Logger
}

// Round is one refresh's answers and its result.
type Round[T, V any] struct {
	Found    *T // nil if there is an error
	Answers  []Answer[V]
	Outvoted int // views that were not followed, at least in part
}

// Known is a copy of what a [Follower] knows.
type Known[T any] struct {
	// Found is the latest finding, nil before the first. It must not be changed, nor must Groups.
	Found  *T
	Groups []shard.Group
	Counts Counts
	// Asked are the addresses that the latest refresh asked, sorted.
	Asked []string
}

// Follower follows a subject: it asks at the subject's pace, keeps the latest finding, and publishes its groups when they
// change.
type Follower[T, V any] struct {
	subject Subject[T, V]
	pace    *Pace
	silent  bool // the latest refresh had no result. Only the refreshing goroutine uses it; Discover and Run do not overlap

	mu    sync.Mutex
	known Known[T]
}

// NewFollower prepares a follower. It does not ask yet.
func NewFollower[T, V any](s Subject[T, V]) *Follower[T, V] {
	return &Follower[T, V]{subject: s, pace: NewPace(s.Least)}
}

// Hint asks for a refresh at once, or as soon as Least allows. Hints are joined. It never waits. Any goroutine.
func (f *Follower[T, V]) Hint() { f.pace.Hint() }

// Known copies what is known now. Any goroutine.
func (f *Follower[T, V]) Known() Known[T] {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known
}

// Discover asks once and returns the groups; the error is Find's. Call it before Run, which then publishes only what
// differs from this. One goroutine.
func (f *Follower[T, V]) Discover(ctx context.Context) ([]shard.Group, error) {
	if _, err := f.refresh(ctx); err != nil {
		return nil, err
	}
	return f.Known().Groups, nil
}

// Run refreshes until ctx ends. It calls publish with the groups whenever they differ from the previous ones. The
// first time it does so too, unless Discover has returned them. It calls after, unless that is nil, after each
// refresh. Neither may wait long. One goroutine.
func (f *Follower[T, V]) Run(ctx context.Context, publish func([]shard.Group), after func()) {
	first := time.Duration(0)
	if f.Known().Found != nil {
		first = f.pause()
	}
	f.pace.Run(ctx, first, func() {
		if changed, err := f.refresh(ctx); err == nil && changed {
			publish(f.Known().Groups)
		}
		if after != nil {
			after()
		}
	}, f.pause)
}

func (f *Follower[T, V]) pause() time.Duration { return f.subject.Pause(f.Known().Found, f.silent) }

// refresh asks, and keeps the finding. changed says whether the groups differ.
func (f *Follower[T, V]) refresh(ctx context.Context) (changed bool, err error) {
	last := f.Known().Found
	r, err := f.subject.Find(ctx, last)
	switch {
	case err == nil:
		return f.take(r, last), nil
	case ctx.Err() == nil:
		f.fail(r, last, err)
	}
	return false, err
}

// fail counts a refresh without a result. It logs the first after a result.
func (f *Follower[T, V]) fail(r Round[T, V], last *T, err error) {
	if !f.silent && last != nil {
		f.subject.Log.Warn(f.subject.Silent, slog.Any("cause", err))
	}
	f.silent = true
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count(r, false)
}

// take keeps the finding and reports whether the groups changed.
func (f *Follower[T, V]) take(r Round[T, V], last *T) bool {
	if f.silent && last != nil {
		f.subject.Log.Info(f.subject.Heard)
	}
	f.silent = false
	changed := f.keep(r, f.subject.Groups(r.Found))
	f.subject.Tell(last, r.Found, changed)
	return changed
}

func (f *Follower[T, V]) keep(r Round[T, V], groups []shard.Group) (changed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count(r, true)
	f.known.Found = r.Found
	if reflect.DeepEqual(groups, f.known.Groups) {
		return false
	}
	f.known.Groups = groups
	f.known.Counts.Changes++
	return true
}

// count adds a refresh to the counts. Under mu.
func (f *Follower[T, V]) count(r Round[T, V], good bool) {
	Count(&f.known.Counts, r.Answers, r.Outvoted, good)
	asked := make([]string, 0, len(r.Answers)) // a new one, because callers of Known hold the old one
	for _, a := range r.Answers {
		asked = append(asked, a.Addr)
	}
	slices.Sort(asked)
	f.known.Asked = asked
}
