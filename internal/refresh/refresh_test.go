package refresh

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHintsAreJoinedAndRefreshesKeepTheirDistance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := NewPace(100 * time.Millisecond)
		began := time.Now()
		var at []time.Duration
		go p.Run(ctx, time.Second, func() { at = append(at, time.Since(began)) }, func() time.Duration { return time.Minute })
		for range 30 { // every 10 ms
			p.Hint()
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(2 * time.Minute)
		want := []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond, time.Minute + 300*time.Millisecond}
		synctest.Wait()
		if !slices.Equal(at[:len(want)], want) {
			t.Errorf("refreshes came at %v", at)
		}
	})
}

func TestAnAnswerWhoseReadingPanicsIsAnError(t *testing.T) {
	answers := All(t.Context(), []string{"a", "b"}, func(_ context.Context, addr string) (int, error) {
		if addr == "a" {
			panic("oh no")
		}
		return 1, nil
	})
	if len(answers) != 2 || !errors.Is(answers[0].Err, ErrPanic) || answers[1].Err != nil || answers[1].View != 1 {
		t.Errorf("%+v", answers)
	}
}

func TestTheFirstRefreshComesWhenItShould(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			NewPace(time.Second).Run(ctx, 3*time.Second, func() {
				if took := time.Since(began); took != 3*time.Second {
					t.Errorf("after %v", took)
				}
				cancel()
			}, func() time.Duration { return time.Hour })
		}()
		<-done
	})
}

// Servers that refuse are not waited for.
func TestTheSilentHaveAGraceWhereOthersRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		All(t.Context(), []string{"a", "b", "c", "d", "e"}, func(ctx context.Context, addr string) (string, error) {
			switch addr {
			case "a", "b":
				return "", errors.New("refused")
			case "c":
				<-ctx.Done()
				return "", ctx.Err()
			}
			return "view", nil
		})
		if took := time.Since(began); took != grace {
			t.Errorf("took %v", took)
		}
	})
}

func TestTheSilentHaveAGraceOnceMostHaveAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		refusal := errors.New("refused")
		answers := All(t.Context(), []string{"d", "b", "c", "a", "e"}, func(ctx context.Context, addr string) (string, error) {
			switch addr {
			case "c":
				<-ctx.Done()
				return "", ctx.Err()
			case "d":
				return "", refusal
			}
			time.Sleep(time.Second)
			return "view of " + addr, nil
		})
		if took := time.Since(began); took != time.Second+grace {
			t.Errorf("took %v", took)
		}
		want := []Answer[string]{
			{"a", "view of a", nil}, {"b", "view of b", nil}, {"c", "", context.Canceled}, {"d", "", refusal}, {"e", "view of e", nil},
		}
		if !slices.Equal(answers, want) {
			t.Errorf("%+v", answers)
		}
	})
}
