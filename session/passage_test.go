package session_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/parser"
	"ringmaster/session"
)

// probe is a passage that notes its steps, and does at each what the test wants.
type probe struct {
	session.Passage
	steps     []session.Wait
	then      []func(s *session.Session) // one for each step; without any left it goes on waiting
	cancelled int
	answered  bool // it has a reply when it is cancelled
}

func (p *probe) Step(s *session.Session, came session.Wait) {
	p.steps = append(p.steps, came)
	if len(p.then) > 0 {
		then := p.then[0]
		p.then = p.then[1:]
		then(s)
	}
}

func (p *probe) Cancel(*session.Session) (unanswered bool) {
	p.cancelled++
	return !p.answered
}

// awaits has the next step name what is waited for.
func (p *probe) awaits(w session.Wait) *probe {
	p.then = append(p.then, func(*session.Session) { p.Await(w) })
	return p
}

// ends has the next step end the passage.
func (p *probe) ends() *probe {
	p.then = append(p.then, func(*session.Session) { p.End() })
	return p
}

// expect compares the steps that were taken, and forgets them.
func (p *probe) expect(t *testing.T, want ...session.Wait) {
	t.Helper()
	if !slices.Equal(p.steps, want) {
		t.Errorf("the steps were %v, want %v", p.steps, want)
	}
	p.steps = nil
}

func TestAPassageBeginsWhenAllRepliesAreInAndHoldsUpWhatComesAfter(t *testing.T) {
	w := newWorld(t, defaults())
	a := w.connect("a")
	a.send(parser.AppendRequest(nil, "GET", "{A}k"))
	p := new(probe).awaits(session.Servers).ends()
	a.session.Begin(p)
	a.send(parser.AppendRequest(nil, "PING"))
	w.settle()
	p.expect(t)
	w.servers["A"].answer([]byte("+x\r\n"))
	w.settle()
	p.expect(t, session.Replies)
	if string(a.in) != "+x\r\n" || p.Over() || p.Session() != a.session {
		t.Errorf("the client got %q, over: %t", a.in, p.Over())
	}
	p.Resume(session.Servers)
	p.expect(t) // not within whatever calls
	w.settle()
	p.expect(t, session.Servers)
	if string(a.in) != "+x\r\n+PONG\r\n" || !p.Over() || p.Session() != nil {
		t.Errorf("the client got %q, over: %t", a.in, p.Over())
	}
}

func TestAWakeUpThatWasMeantForAnEarlierWaitDoesNothing(t *testing.T) {
	w := newWorld(t, defaults())
	a := w.connect("a")
	p := new(probe).awaits(session.Servers).awaits(session.Time).ends()
	if p.Resume(session.Replies) {
		t.Error("it has not begun, and is woken")
	}
	a.session.Begin(p)
	p.expect(t, session.Replies)
	for _, wrong := range []session.Wait{session.Replies, session.Loops, session.Others, session.Turn, session.Tick, session.Time, session.Deadline} {
		if p.Resume(wrong) {
			t.Errorf("it is woken for %v", wrong)
		}
	}
	a.session.ResumeLater() // by somebody who does not know what is waited for
	w.settle()
	p.expect(t)
	p.Resume(session.Servers)
	w.settle()
	p.expect(t, session.Servers)
	if p.Resume(session.Servers) {
		t.Error("it is woken for what has come before")
	}
	a.session.GoOn()
	p.expect(t)
	p.Resume(session.Time)
	w.settle()
	p.expect(t, session.Time)
	if p.Resume(session.Time) {
		t.Error("it is over, and is woken")
	}
	w.settle()
	p.expect(t)
}

func TestAPassageHearsOfTicksAndOfItsTurn(t *testing.T) {
	w := newWorld(t, defaults())
	a := w.connect("a")
	p := new(probe).awaits(session.Tick)
	p.then = append(p.then, func(s *session.Session) { p.AwaitTurn(s, p) })
	p.ends()
	a.session.Begin(p)
	w.settle()
	p.expect(t, session.Replies)
	w.env.Tick()
	w.env.Resume()
	p.expect(t, session.Tick)
	w.env.Work()
	p.expect(t, session.Turn)
	w.settle()
}

func TestAPassageIsCancelledOnceWhenItsClientCloses(t *testing.T) {
	w := newWorld(t, defaults())
	for _, answered := range []bool{false, true} {
		a := w.connect("a" + map[bool]string{true: "1", false: "0"}[answered])
		p := new(probe).awaits(session.Servers)
		p.answered = answered
		a.session.Begin(p)
		a.session.Drain()
		if p.cancelled != 1 || !p.Over() || p.Resume(session.Servers) {
			t.Errorf("cancelled %d times, over: %t", p.cancelled, p.Over())
		}
		p.Await(session.Tick) // in vain
		w.settle()
		w.env.Tick()
		w.settle()
		p.expect(t, session.Replies)
		if told := strings.HasPrefix(string(a.in), "-ERR "); told == answered || !a.closed || p.cancelled != 1 {
			t.Errorf("its command is answered: %t; the client got %q, closed: %t, cancelled %d times", answered, a.in, a.closed, p.cancelled)
		}
	}
	b := w.connect("b")
	p := new(probe).awaits(session.Servers)
	b.session.Begin(p)
	b.leave()
	w.settle()
	if p.cancelled != 1 || !p.Over() {
		t.Errorf("cancelled %d times, over: %t", p.cancelled, p.Over())
	}
	c := w.connect("c")
	c.session.Drain()
	late := new(probe)
	c.session.Begin(late)
	late.Limit()
	late.AskLoops(func(*session.Env) any { t.Error("asked"); return nil }, nil)
	if late.expect(t); !late.Over() {
		t.Error("a session that closes begins a passage")
	}
}

func TestAnswersOfOtherLoopsThatComeTooLateAreDropped(t *testing.T) {
	w := newWorld(t, defaults())
	peers := new(heldPeers)
	w.env.Peers = peers
	begin := func(name string) (*probe, *clientEnd, *[]any) {
		a, p, got := w.connect(name), new(probe), new([]any)
		p.then = append(p.then, func(*session.Session) {
			p.AskLoops(func(*session.Env) any { return "here" }, func(answers []any) { *got = answers })
		})
		a.session.Begin(p)
		w.settle()
		p.expect(t, session.Replies)
		return p, a, got
	}
	p, _, got := begin("a")
	p.ends()
	peers.asked[0]([]any{"there"})
	w.settle()
	p.expect(t, session.Loops)
	if !slices.Equal(*got, []any{"there", "here"}) {
		t.Errorf("the answers were %v", *got)
	}
	gone, b, got := begin("b")
	b.leave()
	peers.asked[1]([]any{"there"})
	w.settle()
	if gone.expect(t); *got != nil {
		t.Error("a passage that was cancelled gets an answer")
	}
	over, _, got := begin("c")
	over.ends()
	over.Limit()
	w.pass(1200 * time.Millisecond)
	peers.asked[2]([]any{"there"})
	w.settle()
	if over.expect(t, session.Deadline); *got != nil {
		t.Error("a passage whose time is over gets an answer")
	}
}

// What is named while the answers are taken is waited for in their place.
func TestAPassageMayWaitForSomethingElseAfterTheLoopsHaveAnswered(t *testing.T) {
	w := newWorld(t, defaults())
	a, p := w.connect("a"), new(probe)
	p.then = append(p.then, func(*session.Session) {
		p.AskLoops(func(*session.Env) any { return nil }, func([]any) { p.Await(session.Tick) })
	})
	a.session.Begin(p.ends())
	w.settle()
	p.expect(t, session.Replies)
	w.env.Tick()
	w.settle()
	p.expect(t, session.Tick)
}

func TestADeadlineEndsWhatAPassageWaitsFor(t *testing.T) {
	w := newWorld(t, defaults())
	a := w.connect("a")
	p := new(probe).awaits(session.Servers).ends()
	a.session.Begin(p)
	p.Limit()
	w.pass(990 * time.Millisecond)
	p.expect(t, session.Replies)
	w.pass(20 * time.Millisecond)
	p.expect(t, session.Deadline)

	// The answer has come first, and the passage is over.
	q := new(probe).awaits(session.Servers).ends()
	a.session.Begin(q)
	q.Limit()
	q.Resume(session.Servers)
	w.settle()
	w.pass(2 * time.Second)
	q.expect(t, session.Replies, session.Servers)

	// Work that is to go on is not done before its turn.
	r := new(probe)
	r.then = append(r.then, func(s *session.Session) { r.AwaitTurn(s, r) })
	a.session.Begin(r.ends())
	r.Limit()
	w.pool.Now += int64(2 * time.Second)
	w.env.Tick()
	w.env.Resume()
	r.expect(t, session.Replies)
	w.settle()
	r.expect(t, session.Deadline)
}

func TestAPassageMayTakeThePlaceOfTheOneWhoseStepBeginsIt(t *testing.T) {
	w := newWorld(t, defaults())
	a := w.connect("a")
	first, second, third := new(probe), new(probe).awaits(session.Servers), new(probe)
	first.then = append(first.then, func(s *session.Session) { s.Begin(second) })
	second.then = append(second.then, func(s *session.Session) {
		second.End()
		s.Begin(third.ends())
	})
	a.session.Begin(first)
	a.send(parser.AppendRequest(nil, "PING"))
	first.expect(t, session.Replies)
	second.expect(t, session.Replies)
	if !first.Over() || first.Resume(session.Replies) {
		t.Error("the first is not over")
	}
	first.End() // it must not end the other
	second.Resume(session.Servers)
	w.settle()
	second.expect(t, session.Servers)
	third.expect(t, session.Replies)
	if string(a.in) != "+PONG\r\n" || first.cancelled+second.cancelled+third.cancelled > 0 {
		t.Errorf("the client got %q", a.in)
	}
}

// Nobody has asked for a halt, so that a passage may take its place.
func TestAPassageMayBeginWhileRepliesAreAwaited(t *testing.T) {
	w := newWorld(t, defaults())
	a := w.connect("a")
	a.send(parser.AppendRequest(nil, "GET", "{A}k"))
	a.session.Await()
	if !a.session.HeldUp() {
		t.Error("the client goes on")
	}
	p := new(probe).ends()
	a.session.Begin(p)
	a.session.Await() // there is a passage
	p.expect(t)
	w.settle()
	w.servers["A"].answer([]byte("+x\r\n"))
	w.settle()
	if p.expect(t, session.Replies); a.session.HeldUp() {
		t.Error("the client does not go on")
	}
}

func TestWaitsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for w := range session.Waits {
		if name := w.String(); name == "" || seen[name] {
			t.Errorf("%q", name)
		} else {
			seen[name] = true
		}
	}
	if session.Replies.String() != "replies" || session.Deadline.String() != "deadline" {
		t.Errorf("%v, %v", session.Replies, session.Deadline)
	}
}
