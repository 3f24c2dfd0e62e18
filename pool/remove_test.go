package pool

import (
	"testing"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
)

func TestAnUpstreamOwesUntilAllIsAnswered(t *testing.T) {
	p := newTestPool(t, testConfig(), 2, nil)
	if p.Owes() {
		t.Error("it owes something before the first request")
	}
	c, a := p.Default().Pick(1, 0), newAsker(t)
	if f := c.Enqueue(&ask.Request{Raw: []byte("x"), Recv: a, Tag: 0}); f != nil { // waits for the dial
		t.Fatal(f)
	}
	if !p.Owes() {
		t.Error("it owes nothing while a request waits for the dial")
	}
	ready(t, c)
	c.OnBytes([]byte("+OK\r\n"))
	if p.Owes() || a.ends[0] != "+OK\r\n" {
		t.Errorf("it owes something after %q", a.ends[0])
	}
	p.queued++ // for a lane
	if !p.Owes() {
		t.Error("it owes nothing while a script waits for a lane")
	}
	p.queued--
}

func TestAnUpstreamThatIsRemovedLeavesNothingOnItsLoop(t *testing.T) {
	p := newTestPool(t, testConfig(), 1, nil)
	l := p.Loop
	c, a := p.Default().Pick(0, 0), newAsker(t)
	s := ready(t, c)
	if f := c.Enqueue(&ask.Request{Raw: []byte("x"), Recv: a, Tag: 0}); f != nil {
		t.Fatal(f)
	}
	if _, f := p.Lend(0, conn.Key{Proto: 2}, &lender{}); f == nil {
		t.Fatal("more was lent than there may be")
	}
	l.MaxOwn = 1
	own, f := p.Lend(0, conn.Key{Proto: 2}, &lender{})
	if f != nil {
		t.Fatal(f)
	}
	p.Stop()
	l.Remove(p)
	l.Flush()
	l.Tick()
	l.TakeDials(func(*conn.Conn) { t.Error("it is dialled") })
	if len(l.pools) != 0 || l.InFlight != 0 || l.lent != 0 || !s.closed || own.State() != conn.Retired || len(s.wrote) != 0 {
		t.Errorf("%d pools, %d in flight, %d lent; closed: %t, %q", len(l.pools), l.InFlight, l.lent, s.closed, s.wrote)
	}
	if a.ends[0] == "" {
		t.Error("a request has no end")
	}
	own.OnDialFailed(nil)
	c.OnOpen(&fakeSocket{}) // late
}

// lender owns a connection and takes no notice of it.
type lender struct{ ask.Nobody }

func (*lender) Pushed([]byte, ask.Piece)         {}
func (*lender) OwnLost(*conn.Conn, *ask.Failure) {}
