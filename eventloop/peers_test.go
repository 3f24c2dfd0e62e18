package eventloop

import (
	"slices"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/session"
)

// answersOf waits for the other loops' answers to a question of the loop.
func answersOf(t *testing.T, l *loop, ask func(done func(answers []any))) []any {
	t.Helper()
	heard := make(chan []any, 2)
	onLoop(t, l, func() { ask(func(answers []any) { heard <- answers }) })
	select {
	case answers := <-heard:
		return answers
	case <-time.After(testkit.Patience):
		t.Fatal("no answers come")
		return nil
	}
}

func TestTheOtherLoopsAreAskedOnceEach(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops = 4
	p := start(t, cfg)
	l := p.loops[2]
	var got []int
	for _, a := range answersOf(t, l, func(done func([]any)) {
		peers{l, l.upstreams[0]}.Ask(func(e *session.Env) any { return e.Number }, done)
	}) {
		got = append(got, a.(int))
	}
	slices.Sort(got)
	if !slices.Equal(got, []int{0, 1, 3}) {
		t.Errorf("loops %v answered", got)
	}
}

// TestALoopMayAnswerLater: it keeps the question until a later turn.
func TestALoopMayAnswerLater(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops = 2
	p := start(t, cfg)
	var later func(any)
	kept := make(chan struct{})
	heard := make(chan []any, 1)
	onLoop(t, p.loops[0], func() {
		peers{p.loops[0], p.loops[0].upstreams[0]}.AskSlowly(func(_ *session.Env, answer func(any)) {
			later = answer
			close(kept)
		}, func(answers []any) { heard <- answers })
	})
	<-kept
	onLoop(t, p.loops[0], func() {})
	if len(heard) != 0 {
		t.Fatal("there are answers before the loop has given its own")
	}
	onLoop(t, p.loops[1], func() { later("blue") })
	if answers := <-heard; !slices.Equal(answers, []any{"blue"}) {
		t.Errorf("%v", answers)
	}
}

func TestALoneLoopHasNoPeers(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	onLoop(t, p.loops[0], func() {
		if p.loops[0].upstreams[0].env.Peers != nil {
			t.Error("a lone loop would wait for answers that nobody gives")
		}
	})
}

func TestLoopsShareTheirSums(t *testing.T) {
	of := &shared{}
	a, b := peers{u: &upstream{of: of}}, peers{u: &upstream{of: of}}
	other := peers{u: &upstream{of: &shared{}}}
	if a.AnyTopics() || a.AnyJoining() {
		t.Error("there are topics before the first")
	}
	a.AddTopics(2)
	b.AddTopics(-1)
	a.AddJoining(1)
	if !b.AnyTopics() || !b.AnyJoining() {
		t.Error("another loop does not know of topics")
	}
	if other.AnyTopics() || other.AnyJoining() {
		t.Error("another upstream has them, too")
	}
	b.AddTopics(-1)
	b.AddJoining(-1)
	if a.AnyTopics() || a.AnyJoining() {
		t.Error("there are topics after the last")
	}
}

func TestLoopsShareWhatClientsHaveNotRead(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops = 2
	p := start(t, cfg)
	p.loops[0].sessions.AddOutput(100)
	if n := p.loops[1].sessions.AddOutput(-30); n != 70 {
		t.Errorf("%d bytes of output", n)
	}
}
