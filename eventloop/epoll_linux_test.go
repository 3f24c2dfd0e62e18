package eventloop

import (
	"fmt"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// TestAClientThatSendsTooFastIsNotReadForAWhile: the server owes a reply, and no more requests may be under way.
// Bytes that the client sends after its input is full stay in the system, while the loop reads other clients.
func TestAClientThatSendsTooFastIsNotReadForAWhile(t *testing.T) {
	for _, level := range []bool{false, true} {
		t.Run(fmt.Sprintf("level=%v", level), func(t *testing.T) {
			s := newScript(t)
			cfg := newConfig(t, s.Addr)
			cfg.Level, cfg.Listeners[0].Session.MaxInFlight = level, 1
			p := start(t, cfg)
			fast := p.dial()
			other := p.dial()
			text := strings.Repeat("x", 1000)
			batch := strings.Repeat(testkit.Request("ECHO", text), 300)
			fast.Send(get("red") + batch)
			red := s.next()
			testkit.Until(t, "the client is paused", func() bool { return p.counters()[0].ClientPauses == 1 })
			before := p.counters()[0].ClientBytesIn
			fast.Send(get("green"))
			delivered(t, fast.Conn)
			for range 10 {
				other.Do("PING")
			}
			if n := p.counters()[0].ClientBytesIn - before; n != uint64(10*len(testkit.Request("PING"))) {
				t.Errorf("%d bytes were read", n)
			}
			red.reply(t, bulk("red"))
			for i := range 301 {
				if got := fast.Read1(); i > 0 && got != bulk(text) {
					t.Fatalf("%.20q", got)
				}
			}
			s.next().reply(t, bulk("green"))
			if got := fast.Read1(); got != bulk("green") {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestOutputIsWrittenWhileAClientIsPaused: gnet still gets the event that the socket has room.
func TestOutputIsWrittenWhileAClientIsPaused(t *testing.T) {
	for _, level := range []bool{false, true} {
		t.Run(fmt.Sprintf("level=%v", level), func(t *testing.T) {
			s := newScript(t)
			cfg := newConfig(t, s.Addr)
			cfg.Level = level
			p := start(t, cfg)
			c := p.dialSlow()
			c.Send(get("red"))
			s.next().reply(t, large)
			cl := p.client()
			p.untilUnread(cl)
			onLoop(t, p.loops[0], cl.Pause)
			if got := c.Read1(); got != large {
				t.Errorf("%d bytes", len(got))
			}
			onLoop(t, p.loops[0], cl.Unpause)
			if got := c.Do("PING"); got != "+PONG\r\n" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestEachLoopKnowsItsEpollDescriptor(t *testing.T) {
	cfg := newConfig(t, echoing(t).Addr)
	cfg.Loops = 3
	p := start(t, cfg)
	seen := map[int]bool{}
	for i, l := range p.loops {
		if l.epoll < 0 || seen[l.epoll] {
			t.Errorf("loop %d has %d", i, l.epoll)
		}
		seen[l.epoll] = true
	}
	if _, err := findEpoll(0); err == nil {
		t.Error("an epoll descriptor watches the standard input")
	}
}

func TestWatchedDescriptorsAreFoundInFdinfo(t *testing.T) {
	info := "pos:\t0\nflags:\t02000002\ntfd:       12 events: 80002019 data:                c pos:0 ino:1 sdev:8\ntfd:        5 events:       19\n"
	for fd, want := range map[int]bool{12: true, 5: true, 1: false, 2: false, 0: false} {
		if got := watches(info, fd); got != want {
			t.Errorf("descriptor %d: %v", fd, got)
		}
	}
}
