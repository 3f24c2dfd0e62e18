package refresh

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/shard"
)

// finding is the result of a stub: the names of the groups.
type finding struct{ names []string }

// stub is a subject whose refreshes follow the test's script. After its end the last one repeats.
type stub struct {
	*Follower[finding, string]
	log    bytes.Buffer
	rounds []stubRound
	asked  []time.Duration // times of the questions, since the beginning
	began  time.Time
	told   []string
	pauses []bool // whether the previous refresh was silent
}

type stubRound struct {
	names string // of the groups; "": no answer
	ends  func() // ends the context during the question
}

func newStub(rounds ...stubRound) *stub {
	s := &stub{rounds: rounds, began: time.Now()}
	plain := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	s.Follower = NewFollower(Subject[finding, string]{
		Find: s.find, Tell: s.tell, Silent: "nobody answers", Heard: "somebody answers again", Least: time.Second,
		Groups: func(f *finding) (groups []shard.Group) {
			for _, name := range f.names {
				groups = append(groups, shard.Group{Name: name})
			}
			return groups
		},
		Pause: func(f *finding, silent bool) time.Duration {
			if s.pauses = append(s.pauses, silent); f == nil {
				return time.Minute
			}
			return time.Hour
		},
		Log: slog.New(slog.NewTextHandler(&s.log, plain)),
	})
	return s
}

func (s *stub) find(ctx context.Context, _ *finding) (r Round[finding, string], err error) {
	s.asked = append(s.asked, time.Since(s.began))
	now := s.rounds[0]
	if len(s.rounds) > 1 {
		s.rounds = s.rounds[1:]
	}
	if now.ends != nil {
		now.ends()
		return r, ctx.Err()
	}
	if now.names == "" {
		r.Answers = []Answer[string]{{Addr: "b", Err: errors.New("refused")}, {Addr: "a", Err: errors.New("silent")}}
		return r, Explain(r.Answers, nil)
	}
	r.Answers = []Answer[string]{{Addr: "b", View: now.names}, {Addr: "a", Err: errors.New("silent")}}
	r.Found, r.Outvoted = &finding{strings.Fields(now.names)}, 1
	return r, nil
}

func (s *stub) tell(last, found *finding, changed bool) {
	was := "-"
	if last != nil {
		was = strings.Join(last.names, " ")
	}
	line := was + " > " + strings.Join(found.names, " ")
	if changed {
		line += " changed"
	}
	s.told = append(s.told, line)
}

// run runs the follower for a time, and returns what was published and how often after was called.
func (s *stub) run(t *testing.T, d time.Duration) (published []string, afters int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	s.Run(ctx, func(groups []shard.Group) {
		var names []string
		for _, g := range groups {
			names = append(names, g.Name)
		}
		published = append(published, strings.Join(names, " "))
	}, func() { afters++ })
	return published, afters
}

func TestWhatChangesIsPublishedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStub(stubRound{names: "red"}, stubRound{names: "red"}, stubRound{names: "red blue"})
		published, afters := s.run(t, 3*time.Hour+time.Minute)
		if want := []string{"red", "red blue"}; !slices.Equal(published, want) || afters != 4 {
			t.Errorf("published %q after %d refreshes, want %q after 4", published, afters, want)
		}
		if want := []string{"- > red changed", "red > red", "red > red blue changed", "red blue > red blue"}; !slices.Equal(s.told, want) {
			t.Errorf("told %q", s.told)
		}
		if want := []time.Duration{0, time.Hour, 2 * time.Hour, 3 * time.Hour}; !slices.Equal(s.asked, want) {
			t.Errorf("asked at %v, want %v", s.asked, want)
		}
		k := s.Known()
		if k.Counts.Refreshes != 4 || k.Counts.Changes != 2 || k.Counts.Outvoted != 4 || k.Counts.Silent != 4 || !slices.Equal(k.Asked, []string{"a", "b"}) {
			t.Errorf("%+v", k)
		}
	})
}

func TestWhatDiscoverReturnedIsNotPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStub(stubRound{names: "red"})
		groups, err := s.Discover(t.Context())
		if err != nil || !reflect.DeepEqual(groups, []shard.Group{{Name: "red"}}) {
			t.Fatalf("%v, %v", groups, err)
		}
		published, _ := s.run(t, 90*time.Minute)
		if len(published) != 0 || !slices.Equal(s.asked, []time.Duration{0, time.Hour}) {
			t.Errorf("published %q; asked at %v: the first refresh of Run comes after a pause", published, s.asked)
		}
	})
}

func TestWithoutAResultTheLastOneStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStub(stubRound{names: "red"}, stubRound{}, stubRound{}, stubRound{names: "red"})
		published, afters := s.run(t, 3*time.Hour+time.Minute)
		if !slices.Equal(published, []string{"red"}) || afters != 4 {
			t.Errorf("published %q, %d refreshes", published, afters)
		}
		k := s.Known()
		if k.Counts.Failures != 2 || k.Counts.Refreshes != 4 || k.Counts.Silent != 6 || len(k.Groups) != 1 || k.Found.names[0] != "red" {
			t.Errorf("%+v", k)
		}
		if want := []bool{false, true, true, false}; !slices.Equal(s.pauses, want) {
			t.Errorf("the pauses are told of silence %v, want %v", s.pauses, want)
		}
		want := "level=WARN msg=\"nobody answers\" cause=\"b: refused; a: silent\"\nlevel=INFO msg=\"somebody answers again\"\n"
		if s.log.String() != want {
			t.Errorf("logged\n%swant\n%s", &s.log, want)
		}
	})
}

func TestAFirstFailureIsAnErrorAndNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStub(stubRound{}, stubRound{names: "red"})
		if _, err := s.Discover(t.Context()); err == nil || err.Error() != "b: refused; a: silent" {
			t.Errorf("%v", err)
		}
		if k := s.Known(); k.Found != nil || k.Counts.Failures != 1 {
			t.Errorf("%+v", k)
		}
		if published, _ := s.run(t, time.Minute); !slices.Equal(published, []string{"red"}) {
			t.Errorf("published %q", published)
		}
		if s.log.Len() != 0 {
			t.Errorf("logged %s", &s.log)
		}
	})
}

func TestARefreshThatIsCutShortCountsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newStub(stubRound{names: "red"}, stubRound{ends: cancel})
		if _, err := s.Discover(ctx); err != nil {
			t.Fatal(err)
		}
		s.Hint()
		s.Run(ctx, func([]shard.Group) { t.Error("published") }, nil)
		if k := s.Known(); k.Counts.Refreshes != 1 || k.Counts.Failures != 0 || s.log.Len() != 0 || len(s.asked) != 2 {
			t.Errorf("%+v, %d refreshes, logged %s", k, len(s.asked), &s.log)
		}
	})
}
