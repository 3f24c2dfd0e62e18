package refresh

import (
	"context"
	"errors"
	"strings"
)

// Survey is one refresh: the addresses asked so far, and their answers. One goroutine.
type Survey[V any] struct {
	Asked   map[string]bool // by address
	Answers []Answer[V]

	ask func(ctx context.Context, addr string) (V, error)
}

// NewSurvey begins a survey in which ask gets the view of the server at an address.
func NewSurvey[V any](ask func(ctx context.Context, addr string) (V, error)) *Survey[V] {
	return &Survey[V]{Asked: map[string]bool{}, ask: ask}
}

// Round uses All to ask those of addrs that were not asked yet, at most room of them. It reports whether there were
// any.
func (s *Survey[V]) Round(ctx context.Context, addrs []string, room int) bool {
	var now []string
	for _, addr := range addrs {
		if len(now) < room && !s.Asked[addr] {
			s.Asked[addr] = true
			now = append(now, addr)
		}
	}
	s.Answers = append(s.Answers, All(ctx, now, s.ask)...)
	return len(now) > 0
}

// Views returns the views among answers, the first of each id, because a server may be asked under two names.
func Views[V any](answers []Answer[V], id func(V) string) []V {
	var views []V
	seen := map[string]bool{}
	for _, a := range answers {
		if a.Err == nil && !seen[id(a.View)] {
			seen[id(a.View)] = true
			views = append(views, a.View)
		}
	}
	return views
}

// Explain makes an error that says what each server has answered; of describes a view.
func Explain[V any](answers []Answer[V], of func(V) string) error {
	texts := make([]string, 0, len(answers))
	for _, a := range answers {
		if a.Err != nil {
			texts = append(texts, a.Addr+": "+a.Err.Error())
			continue
		}
		texts = append(texts, a.Addr+": "+of(a.View))
	}
	return errors.New(strings.Join(texts, "; "))
}
