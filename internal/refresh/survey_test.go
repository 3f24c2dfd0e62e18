package refresh

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestASurveyAsksEverybodyOnceAtMost(t *testing.T) {
	var c Counters
	s := NewSurvey(func(_ context.Context, addr string) (*string, error) {
		if addr == "b" {
			return nil, errors.New("silent")
		}
		return &addr, nil
	})
	ctx := context.Background()
	for i, want := range []bool{true, true, false} {
		if got := s.Round(ctx, []string{"b", "a", "b", "c"}, 2); got != want {
			t.Errorf("round %d: %v", i+1, got)
		}
	}
	var asked []string
	for _, a := range s.Answers {
		asked = append(asked, a.Addr)
	}
	if !slices.Equal(asked, []string{"a", "b", "c"}) {
		t.Errorf("asked %v", asked)
	}
	if Count(&c, s.Answers, 1); c != (Counters{Refreshes: 1, Asked: 3, Silent: 1, Outvoted: 1}) || c.Age() != 0 {
		t.Errorf("counted %+v", c)
	}
}
