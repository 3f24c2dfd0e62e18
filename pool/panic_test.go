package pool

import (
	"fmt"
	"testing"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/stats"
)

// careless is a Receiver that panics.
type careless struct {
	ask.Unplaced
	calm
}

func (c careless) Client() ask.Client            { return c }
func (careless) Reply(uint64, []byte, ask.Piece) { panic("reply") }
func (careless) Fail(uint64, *ask.Failure)       { panic("fail") }

// caught has p's panics noted instead of ending the test.
func caught(p *Pool) *[]string {
	var all []string
	p.OnPanic = func(whom ask.Client, cause any) { all = append(all, fmt.Sprintf("%T %v", whom, cause)) }
	return &all
}

func TestARequestThatIsHalfWrittenClosesItsConnectionOnly(t *testing.T) {
	for name := range conn.HalfDone(nil) {
		half := conn.HalfDone(newAsker(t))[name]
		t.Run(name, func(t *testing.T) {
			p := newTestPool(t, testConfig(), 2, nil)
			caught(p)
			r := p.Default()
			a, b := r.Pick(0, 0), r.Pick(1, 0)
			sa, sb := ready(t, a), ready(t, b)
			to := newAsker(t)
			a.Enqueue(&ask.Request{Raw: []byte("*1\r\n$4\r\nPING\r\n"), Recv: to, Tag: 1})
			b.Enqueue(&ask.Request{Raw: []byte("*1\r\n$4\r\nPING\r\n"), Recv: to, Tag: 2})
			half(a)
			p.Distrust()
			p.Flush()
			if !sa.closed || sb.closed || len(sa.wrote) > 0 || p.Counters.Servers[0].Disconnects[stats.ServerPanic] != 1 {
				t.Errorf("closed: %t and %t; written %q", sa.closed, sb.closed, sa.wrote)
			}
			if to.ends[1] != fmt.Sprintf("%d sent=false", ask.Lost) {
				t.Errorf("the request before it: %q", to.ends[1])
			}
			b.OnBytes([]byte("+PONG\r\n"))
			if to.ends[2] != "+PONG\r\n" {
				t.Errorf("the request elsewhere: %q", to.ends[2])
			}
			checkPool(t, p)
		})
	}
}

func TestAReceiverThatPanicsKeepsNoOtherFromItsEnd(t *testing.T) {
	p := newTestPool(t, testConfig(), 1, nil)
	causes := caught(p)
	c := p.Default().Pick(0, 0)
	s := ready(t, c)
	to := newAsker(t)
	for tag := range uint64(5) {
		var recv ask.Receiver = to
		if tag == 1 || tag == 3 {
			recv = careless{}
		}
		if f := c.Enqueue(&ask.Request{Raw: []byte("*1\r\n$4\r\nPING\r\n"), Recv: recv, Tag: tag}); f != nil {
			t.Fatal(f)
		}
	}
	p.Flush()
	c.OnBytes([]byte("+0\r\n+1\r\n+2\r\n"))
	if want := []string{"pool.careless reply", "pool.careless fail"}; fmt.Sprint(*causes) != fmt.Sprint(want) {
		t.Errorf("%q", *causes)
	}
	lost := fmt.Sprintf("%d sent=true", ask.Lost)
	if !s.closed || to.ends[0] != "+0\r\n" || to.ends[2] != lost || to.ends[4] != lost {
		t.Errorf("closed: %t, %v", s.closed, to.ends)
	}
	checkPool(t, p)
}

func TestConnectionsOutOfStepAreClosedOnceThoughTheirReceiversPanic(t *testing.T) {
	p := newTestPool(t, testConfig(), 3, nil)
	causes := caught(p)
	var sockets []*fakeSocket
	for i := range 3 {
		c := p.Default().Pick(i, 0)
		sockets = append(sockets, ready(t, c))
		c.Enqueue(&ask.Request{Raw: []byte("*1\r\n$4\r\nPING\r\n"), Recv: careless{}, Tag: 1})
		conn.HalfDone(nil)["written and not owed"](c)
	}
	p.Distrust()
	for i, s := range sockets {
		if !s.closed || p.Counters.Servers[i].Disconnects[stats.ServerPanic] != 1 {
			t.Errorf("server %d: closed: %t, %d times", i, s.closed, p.Counters.Servers[i].Disconnects[stats.ServerPanic])
		}
	}
	if len(*causes) != 3 {
		t.Errorf("%q", *causes)
	}
	checkPool(t, p)
}

// carelessOwner is an Owner that panics when it is given what nobody asked for.
type carelessOwner struct{ calm }

func (c carelessOwner) Client() ask.Client             { return c }
func (carelessOwner) Pushed([]byte, ask.Piece)         { panic("pushed") }
func (carelessOwner) OwnLost(*conn.Conn, *ask.Failure) {}

func TestAPanicInAPushIsBlamedOnItsOwner(t *testing.T) {
	for name, c := range map[string]struct {
		is    func(*conn.Conn)
		bytes string
	}{
		"a push":           {func(*conn.Conn) {}, ">1\r\n+x\r\n"},
		"a tunnel's bytes": {func(c *conn.Conn) { c.Tunnel() }, "x"},
		"a stream's line":  {func(c *conn.Conn) { c.Stream() }, "+1.0 x\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newTestPool(t, testConfig(), 2, nil)
			p.MaxOwn = 1
			causes := caught(p)
			other := p.Default().Pick(1, 0)
			ready(t, other)
			other.Enqueue(&ask.Request{Raw: []byte("*1\r\n$4\r\nPING\r\n"), Recv: newAsker(t), Tag: 1})
			p.Flush()
			other.OnBytes([]byte("+PONG\r\n")) // the latest that was served
			ready(t, p.Default().Pick(0, 0))
			own, f := p.Lend(0, p.Default().Key(), carelessOwner{})
			if f != nil {
				t.Fatal(f)
			}
			ready(t, own)
			c.is(own)
			own.OnBytes([]byte(c.bytes))
			if want := []string{"pool.carelessOwner pushed"}; fmt.Sprint(*causes) != fmt.Sprint(want) {
				t.Errorf("%q", *causes)
			}
			checkPool(t, p)
		})
	}
}
