package refresh

import "context"

// Survey asks everybody once at most, some at a time. One goroutine.
type Survey[V any] struct {
	// Answers are all so far: those of a round by address.
	Answers []Answer[V]
	// Asked are the addresses that were asked.
	Asked map[string]bool
	ask   func(ctx context.Context, addr string) (V, error)
}

// NewSurvey asks nobody yet.
func NewSurvey[V any](ask func(ctx context.Context, addr string) (V, error)) *Survey[V] {
	return &Survey[V]{Asked: map[string]bool{}, ask: ask}
}

// Round asks the first of from that were not asked before, room of them at most, and reports whether there were any.
func (s *Survey[V]) Round(ctx context.Context, from []string, room int) bool {
	var addrs []string
	for _, addr := range from {
		if len(addrs) < room && !s.Asked[addr] {
			s.Asked[addr] = true
			addrs = append(addrs, addr)
		}
	}
	s.Answers = append(s.Answers, All(ctx, addrs, s.ask)...)
	return len(addrs) > 0
}
