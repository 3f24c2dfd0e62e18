package eventloop

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"ringmaster/internal/testkit"
)

func TestClientsOfEveryListenerAreServed(t *testing.T) {
	for _, level := range []bool{false, true} {
		for _, lock := range []bool{false, true} {
			t.Run(fmt.Sprintf("level=%v lock=%v", level, lock), func(t *testing.T) {
				cfg := newConfig(t, echoing(t).Addr)
				cfg.add(t, "tcp", "unix")
				cfg.Level, cfg.LockThread, cfg.Loops = level, lock, 2
				p := start(t, cfg)
				if n := len(p.Addrs()); n != 3 {
					t.Fatalf("%d addresses", n)
				}
				for i := range 3 {
					c := testkit.Dial(t, p.addr(i))
					if got := c.Do("GET", "red"); got != bulk("red") {
						t.Errorf("listener %d: %q", i, got)
					}
					local := " laddr=" + p.Addrs()[i].String()
					if info := c.Do("CLIENT", "INFO"); !strings.Contains(info, local) {
						t.Errorf("listener %d: no%s in %q", i, local, info)
					}
				}
			})
		}
	}
}

const refusal = "-ERR max number of clients reached\r\n"

func TestAClientOverTheLimitIsRefusedInRedissWords(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.add(t, "unix")
	cfg.MaxClients = 2
	p := start(t, cfg)
	a, b := p.dial(), testkit.Dial(t, p.addr(1)) // the limit is for all listeners together
	b.Do("PING")
	for i := range 2 {
		c := testkit.Dial(t, p.addr(i))
		if got, err := c.Rest(); got != refusal || err != nil {
			t.Errorf("listener %d: %q, %v", i, got, err)
		}
	}
	loops := p.counters()
	if loops[0].ClientsRefused != 2 || loops[0].ClientsOpened != 2 {
		t.Errorf("%d refused, %d opened", loops[0].ClientsRefused, loops[0].ClientsOpened)
	}
	a.Close()
	testkit.Until(t, "a client has gone", func() bool { return p.clients.Load() == 1 })
	p.dial()
}

func TestClientsAreSpreadOverTheLoops(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops = 3
	p := start(t, cfg)
	byLoop := map[int][]*testkit.Conn{}
	dial := func() int {
		c := testkit.Dial(t, p.addr(0))
		id, err := strconv.Atoi(strings.Trim(c.Do("CLIENT", "ID"), ":\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		i := (id - 1) % 3
		byLoop[i] = append(byLoop[i], c)
		return i
	}
	for range 9 {
		dial()
	}
	for i := range 3 {
		if n := len(byLoop[i]); n != 3 {
			t.Errorf("loop %d has %d of 9 clients", i, n)
		}
	}
	for _, c := range byLoop[1] {
		c.Close()
	}
	testkit.Until(t, "loop 1 has no clients", func() bool { return p.loops[1].busy.Load() == 0 })
	for range 3 {
		if i := dial(); i != 1 {
			t.Errorf("a client came to loop %d, while loop 1 had the fewest", i)
		}
	}
}

// TestClientsStayEvenlySpreadWhileTheyComeAndGo closes clients at random, so that loops lose different numbers of them,
// and a third of the clients stays to the end.
func TestClientsStayEvenlySpreadWhileTheyComeAndGo(t *testing.T) {
	const loops = 3
	cfg := newConfig(t, echoing(t).Addr)
	cfg.add(t, "unix")
	cfg.Loops = loops
	p := start(t, cfg)
	type dialled struct {
		conn  *testkit.Conn
		loop  int
		stays bool
	}
	dial := func(to string) dialled {
		c := testkit.Dial(t, to)
		id, err := strconv.Atoi(strings.Trim(c.Do("CLIENT", "ID"), ":\r\n"))
		if err != nil {
			t.Error(err)
		}
		return dialled{conn: c, loop: (id - 1) % loops}
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	var here []dialled
	var on [loops]int
	for range 300 {
		if rnd.IntN(5) < 3 {
			d := dial(p.addr(rnd.IntN(2)))
			d.stays = rnd.IntN(3) == 0
			if fewest := slices.Min(on[:]); on[d.loop] != fewest {
				t.Fatalf("a client came to loop %d, while the loops had %v", d.loop, on)
			}
			here = append(here, d)
			on[d.loop]++
			continue
		}
		if len(here) == 0 {
			continue
		}
		i := rnd.IntN(len(here))
		gone := here[i]
		if gone.stays {
			continue
		}
		here = slices.Delete(here, i, i+1)
		on[gone.loop]--
		gone.conn.Close()
		testkit.Until(t, "the client is counted out", func() bool { return p.loops[gone.loop].busy.Load() == int64(on[gone.loop]) })
	}
	// Clients that come at the same time, to two listeners.
	missing := slices.Max(on[:])*loops - len(here) + 30
	came := make(chan dialled, missing)
	var dials sync.WaitGroup
	for i := range missing {
		dials.Go(func() { came <- dial(p.addr(i % 2)) })
	}
	dials.Wait()
	for range missing {
		on[(<-came).loop]++
	}
	if least, most := slices.Min(on[:]), slices.Max(on[:]); most-least > 2 { // one for each listener
		t.Errorf("the loops have %v clients", on)
	}
}

// TestALoopPollsAfterAFewNewClients has another client wait as soon as there is room, so that without a bound gnet's
// queue would never be empty.
func TestALoopPollsAfterAFewNewClients(t *testing.T) {
	nudges := 0
	l := &loop{admitting: make(chan struct{}, maxAdmitting), nudge: func() { nudges++ }}
	admit := func() bool {
		select {
		case l.admitting <- struct{}{}:
			l.admitted()
			return true
		default:
			return false
		}
	}
	for poll := 1; poll <= 3; poll++ {
		n := 0
		for admit() {
			if n++; n > 2*maxAdmitting {
				t.Fatal("the loop does not poll")
			}
		}
		if n < maxAdmitting || nudges != poll {
			t.Errorf("poll %d: %d clients came before it, and there were %d nudges", poll, n, nudges)
		}
		l.nudged = false // as work does
		l.admitMore()
	}
	if n := len(l.admitting); n != 0 {
		t.Errorf("%d tokens are taken by nobody", n)
	}
}

// failing is a listener that returns the test's errors and connections before those of its socket.
type failing struct {
	net.Listener
	first chan any
}

func (f *failing) Accept() (net.Conn, error) {
	select {
	case v := <-f.first:
		if err, ok := v.(error); ok {
			return nil, err
		}
		return v.(net.Conn), nil
	default:
		return f.Listener.Accept()
	}
}

func TestAcceptingGoesOnAfterAnError(t *testing.T) {
	ln := &failing{listen(t, "tcp"), make(chan any, 2)}
	ln.first <- errors.New("oh no")
	ln.first <- syscall.ECONNABORTED
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Listeners[0].Listener = ln
	p := start(t, cfg)
	p.dial()
	if n := p.counters()[0].ClientsRefused; n != 2 {
		t.Errorf("%d refused", n)
	}
}

func TestAClientThatNeverReachesItsLoopIsCountedOut(t *testing.T) {
	ours, theirs := net.Pipe() // has no descriptor to poll
	defer theirs.Close()
	ln := &failing{listen(t, "tcp"), make(chan any, 1)}
	ln.first <- ours
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Listeners[0].Listener = ln
	p := start(t, cfg)
	testkit.Until(t, "the client is counted out", func() bool { return p.refused.Load() == 1 && p.clients.Load() == 0 })
	if _, err := theirs.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open")
	}
	if busy, tokens := p.loops[0].busy.Load(), len(p.loops[0].admitting); busy != 0 || tokens != 0 {
		t.Errorf("%d busy, %d tokens taken", busy, tokens)
	}
	p.dial()
}
