package eventloop

import (
	"net"
	"testing"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"ringmaster/internal/testkit"
	"ringmaster/stats"
)

// gnet writes to descriptor numbers. The number of a closed connection may belong to another client at once, which
// must not get bytes for the previous one. These tests give the number to the other client by hand, so that it
// happens each time.

// pass gives the number of a closed descriptor to another socket, as if the system had reused it.
func pass(t *testing.T, number, to int) {
	t.Helper()
	if _, err := unix.FcntlInt(uintptr(number), unix.F_GETFD, 0); err != unix.EBADF {
		t.Fatalf("descriptor %d is not closed: %v", number, err)
	}
	if err := unix.Dup3(to, number, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(number) })
}

// number returns the client's descriptor.
func (p *proxy) number(cl *client) (fd int) {
	onLoop(p.t, p.loops[0], func() { fd = cl.c.Fd() })
	return fd
}

// newest returns the client of the first loop that is not in known.
func (p *proxy) newest(known *client) (cl *client) {
	p.t.Helper()
	onLoop(p.t, p.loops[0], func() {
		for _, c := range p.loops[0].clients {
			if c != known {
				cl = c
			}
		}
	})
	return cl
}

func TestALateReplyDoesNotGoToWhoHasTheDescriptorNow(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	gone := p.dial()
	old := p.client()
	other := p.dial()
	from, to := p.number(old), p.number(p.newest(old))
	gone.Send(get("red"))
	red := s.next()
	gone.Reset()
	p.untilClosed(stats.ClientClosed, 1)
	pass(t, from, to)
	red.reply(t, bulk("red"))
	onLoop(t, p.loops[0], func() {
		if _, err := old.Write([]byte("stray")); err != net.ErrClosed {
			t.Errorf("a write to a client that is gone: %v", err)
		}
		old.Pause()
		old.Close(stats.Killed)
	})
	other.Send(get("green"))
	s.next().reply(t, bulk("green"))
	if got := other.Read1(); got != bulk("green") {
		t.Errorf("the other client got %q", got)
	}
	if got := other.Do("PING"); got != "+PONG\r\n" {
		t.Errorf("the other client got %q", got)
	}
	if n := p.counters()[0].Orphans; n != 1 {
		t.Errorf("%d replies came too late", n)
	}
}

// TestTheRepliesOfAHalfClosedClientDoNotGoToWhoHasItsDescriptorNow: gnet has closed the descriptor, and the replies
// come later.
func TestTheRepliesOfAHalfClosedClientDoNotGoToWhoHasItsDescriptorNow(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	half := p.dial()
	old := p.client()
	other := p.dial()
	from, to := p.number(old), p.number(p.newest(old))
	half.Send(get("red"))
	red := s.next()
	halfClose(t, p, half)
	pass(t, from, to)
	red.reply(t, bulk("red"))
	if got, err := half.Rest(); got != bulk("red") || err != nil {
		t.Errorf("the half-closed client got %q, %v", got, err)
	}
	if got := other.Do("PING"); got != "+PONG\r\n" {
		t.Errorf("the other client got %q", got)
	}
}

// TestAServersConnectionThatIsGoneWritesToNobody makes a connection outside the pool, because the pool keeps its own.
func TestAServersConnectionThatIsGoneWritesToNobody(t *testing.T) {
	s := newScript(t)
	p := start(t, newConfig(t, s.Addr))
	l := p.loops[0]
	other := p.dial()
	to := p.number(p.client())
	ours, theirs := pair(t)
	u := &serverConn{loop: l, conn: l.upstreams[0].pool.Default().Pick(0, 0)}
	var from int
	release := p.hold(l)
	enrolled, err := l.el.Enroll(gnet.NewContext(t.Context(), u), ours)
	if err != nil {
		t.Fatal(err)
	}
	release()
	if r := <-enrolled; r.Err != nil {
		t.Fatal(r.Err)
	} else {
		from = r.Conn.Fd()
	}
	if got, err := testkit.NewConn(theirs).Rest(); got != "" || err != nil {
		t.Errorf("a connection that nobody wants is not closed: %q, %v", got, err)
	}
	pass(t, from, to)
	onLoop(t, l, func() {
		if _, err := u.Write([]byte("stray")); err != net.ErrClosed {
			t.Errorf("a write to a connection that is gone: %v", err)
		}
		u.Close()
		if len(l.closing) != 0 || u.Buffered() != 0 || u.Unacknowledged() {
			t.Error("a connection that is gone has something left")
		}
	})
	if got := other.Do("PING"); got != "+PONG\r\n" {
		t.Errorf("the client got %q", got)
	}
}

// pair is both ends of a TCP connection.
func pair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	ln := listen(t, "tcp")
	defer ln.Close()
	ours, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	return ours, theirs
}

// TestCallbacksOfAConnectionThatIsClosedAreNobodys: edge-triggered gnet may call again after the close.
func TestCallbacksOfAConnectionThatIsClosedAreNobodys(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	p.dial()
	cl := p.client()
	h := &handler{srv: p.Server}
	onLoop(t, p.loops[0], func() {
		c := cl.c
		cl.session.Abandon()
		p.loops[0].closeMarked()
		if c.Context() != nil {
			t.Error("the connection is not closed")
		}
		if a := h.OnTraffic(c); a != gnet.None {
			t.Errorf("OnTraffic: %v", a)
		}
		if _, a := h.OnOpen(c); a != gnet.None {
			t.Errorf("OnOpen: %v", a)
		}
		if a := h.OnClose(c, nil); a != gnet.None {
			t.Errorf("OnClose: %v", a)
		}
	})
	p.untilClosed(stats.ClientClosed, 1)
}
