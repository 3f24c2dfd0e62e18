package refresh

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestASurveyAsksNobodyTwice(t *testing.T) {
	silent := errors.New("silent")
	s := NewSurvey(func(_ context.Context, addr string) (string, error) {
		if addr == "c" {
			return "", silent
		}
		return addr[:1], nil // the server's name
	})
	for _, round := range []struct {
		addrs []string
		room  int
		any   bool
		asked int
	}{
		{[]string{"a1", "b", "a1", "c", "d"}, 3, true, 3},
		{[]string{"a1", "b", "d"}, 0, false, 3},
		{[]string{"c", "b", "a2"}, 3, true, 4},
		{[]string{"a2", "c"}, 3, false, 4},
	} {
		if s.Round(t.Context(), round.addrs, round.room) != round.any || len(s.Asked) != round.asked || len(s.Answers) != round.asked {
			t.Errorf("after %v: %v were asked, %v", round.addrs, s.Asked, s.Answers)
		}
	}
	if views := Views(s.Answers, func(v string) string { return v }); !slices.Equal(views, []string{"a", "b"}) {
		t.Errorf("views %q", views)
	}
	var c Counts
	if c.Age() != 0 {
		t.Error("nothing has an age")
	}
	Count(&c, s.Answers, 0, false)
	if !c.LastGood.IsZero() {
		t.Error("a refresh without a result is good")
	}
	Count(&c, s.Answers, 2, true)
	if c.LastGood.IsZero() || c.Age() < 0 {
		t.Error("a refresh with a result has no time")
	}
	c.LastGood = c.LastGood.Truncate(0)
	if want := (Counts{Refreshes: 2, Failures: 1, Asked: 8, Silent: 2, Outvoted: 2, LastGood: c.LastGood}); c != want {
		t.Errorf("%+v", c)
	}
}
