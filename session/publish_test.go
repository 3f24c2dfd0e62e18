package session_test

import (
	"testing"

	"ringmaster/session"
)

// heldPeers are other loops that answer when the test says so, one of which has topics, and is about to subscribe.
type heldPeers struct{ asked []func(answers []any) }

func (p *heldPeers) Ask(_ func(*session.Env) any, done func(answers []any)) {
	p.asked = append(p.asked, done)
}
func (p *heldPeers) AskSlowly(_ func(e *session.Env, answer func(any)), done func(answers []any)) {
	p.asked = append(p.asked, done)
}
func (p *heldPeers) AddTopics(int)    {}
func (p *heldPeers) AddJoining(int)   {}
func (p *heldPeers) AnyJoining() bool { return true }
func (p *heldPeers) AnyTopics() bool  { return true }

// TestAPublisherAsksAgainWhenTheListHasChangedMeanwhile: the answer was about where the channel was.
func TestAPublisherAsksAgainWhenTheListHasChangedMeanwhile(t *testing.T) {
	s := defaults()
	s.known.ListChanges = true
	w := newWorld(t, s)
	p := new(heldPeers)
	w.env.Peers = p
	w.say("c", "PUBLISH {a}news m")
	if len(p.asked) != 1 {
		t.Fatalf("%d questions", len(p.asked))
	}
	w.list("A", "B", "C", "D")
	p.asked[0]([]any{false})
	w.settle()
	if len(p.asked) != 2 || len(w.servers["D"].in) > 0 {
		t.Fatalf("%d questions; D has received %q", len(p.asked), w.servers["D"].in)
	}
	p.asked[1]([]any{false})
	w.settle()
	if len(w.servers["D"].in) == 0 {
		t.Error("D has received nothing")
	}
}
