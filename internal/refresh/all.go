package refresh

import (
	"context"
	"slices"
	"strings"
	"time"
)

// grace is how long the silent ones may still answer after most have answered.
const grace = 100 * time.Millisecond

// Answer is the view of the server at an address, or the reason why there is none.
type Answer[V any] struct {
	Addr string
	View V
	Err  error
}

// All asks all addresses at once, and returns the answers sorted by address. When most of those that have not failed
// have answered, the others get a grace, because a server that is cut off must not delay what the others know. It
// returns when all its goroutines have ended.
func All[V any](ctx context.Context, addrs []string, ask func(ctx context.Context, addr string) (V, error)) []Answer[V] {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	came := make(chan Answer[V], len(addrs))
	for _, addr := range addrs {
		go func() {
			v, err := Safely(func() (V, error) { return ask(ctx, addr) })
			came <- Answer[V]{addr, v, err}
		}()
	}
	answers := make([]Answer[V], 0, len(addrs))
	views, failed := 0, 0
	var patience <-chan time.Time
	for len(answers) < len(addrs) {
		select {
		case a := <-came:
			answers = append(answers, a)
			if a.Err == nil {
				views++
			} else {
				failed++
			}
			if patience == nil && 2*views > len(addrs)-failed {
				timer := time.NewTimer(grace)
				defer timer.Stop()
				patience = timer.C
			}
		case <-patience:
			cancel()
		}
	}
	slices.SortFunc(answers, func(a, b Answer[V]) int { return strings.Compare(a.Addr, b.Addr) })
	return answers
}
