package session_test

import (
	"strings"
	"testing"
	"time"

	"ringmaster/auth"
	"ringmaster/session"
	"ringmaster/session/guard"
)

const wrongPass = "-WRONGPASS invalid username-password pair or user is disabled.\r\n"

// guessedWorld is a proxy with the password "secret" from which a client has guessed until its address is slowed down.
func guessedWorld(t *testing.T) *world {
	t.Helper()
	set := defaults()
	set.passwords = []string{"secret"}
	w := newWorld(t, set)
	w.say("guesser", strings.Repeat("AUTH wrong | ", auth.FreeFailures+1)+"PING")
	want := strings.Repeat(wrongPass, auth.FreeFailures+1) + "-NOAUTH Authentication required.\r\n"
	if got := w.heard("guesser"); got != want {
		t.Fatalf("at first: %.200q", got)
	}
	if w.stats.LoginsFailed != auth.FreeFailures+1 || w.stats.LoginsDelayed != 0 {
		t.Fatalf("%d failed, %d delayed", w.stats.LoginsFailed, w.stats.LoginsDelayed)
	}
	return w
}

// say sends requests as stories write them, from a client that is new if it is not known.
func (w *world) say(name, text string) {
	w.tb.Helper()
	b, err := requests(text)
	if err != nil {
		w.tb.Fatal(err)
	}
	if w.clients[name] == nil {
		w.connect(name)
	}
	w.clients[name].send(b)
	w.settle()
}

// heard is what a client has received since it was asked last.
func (w *world) heard(name string) string {
	got := string(w.clients[name].in)
	w.clients[name].in = nil
	return got
}

func TestAttemptsFromAnAddressThatFailedTooOftenWait(t *testing.T) {
	for _, c := range []struct{ attempt, want string }{
		{"AUTH wrong | PING", wrongPass + "-NOAUTH Authentication required.\r\n"},
		{"AUTH secret | PING", "+OK\r\n+PONG\r\n"},
		{"AUTH default secret | PING", "+OK\r\n+PONG\r\n"},
		{"HELLO 2 AUTH default wrong | PING", wrongPass + "-NOAUTH Authentication required.\r\n"},
	} {
		w := guessedWorld(t)
		w.say("b", "ECHO x | "+c.attempt) // over another connection
		if got := w.heard("b"); got != "-NOAUTH Authentication required.\r\n" {
			t.Errorf("%s: at once: %q", c.attempt, got)
		}
		if !w.clients["b"].paused {
			t.Errorf("%s: its socket is read meanwhile", c.attempt)
		}
		w.pass(auth.GateStep)
		if got := w.heard("b"); got != c.want {
			t.Errorf("%s: in its turn: %q", c.attempt, got)
		}
		if w.clients["b"].paused || w.stats.LoginsDelayed != 1 {
			t.Errorf("%s: paused %v, %d delayed", c.attempt, w.clients["b"].paused, w.stats.LoginsDelayed)
		}
		w.end()
	}
}

func TestHelloAfterFailuresWaitsAndChangesTheProtocol(t *testing.T) {
	w := guessedWorld(t)
	w.say("b", "HELLO 3 AUTH default secret SETNAME joe | CLIENT GETNAME")
	if got := w.heard("b"); got != "" {
		t.Fatalf("at once: %q", got)
	}
	w.pass(auth.GateStep)
	if got := w.heard("b"); !strings.HasPrefix(got, "%7\r\n") || !strings.HasSuffix(got, "$3\r\njoe\r\n") {
		t.Errorf("in its turn: %q", got)
	}
	w.end()
}

// TestWaitingLoginsHoldUpNobodyElse: other addresses, clients of the same address that are logged in, and what needs no login.
func TestWaitingLoginsHoldUpNobodyElse(t *testing.T) {
	set := defaults()
	set.passwords = []string{"secret"}
	w := newWorld(t, set)
	w.say("neighbour", "AUTH secret")
	w.say("guesser", strings.Repeat("AUTH wrong | ", auth.FreeFailures+2)+"AUTH wrong")
	w.heard("guesser")
	w.connect("stranger").from = "192.0.2.77:1"
	w.say("stranger", "AUTH secret | PING")
	w.say("neighbour", "PING")
	w.say("newcomer", "PING | HELLO 2")
	if got := w.heard("stranger"); got != "+OK\r\n+PONG\r\n" {
		t.Errorf("another address: %q", got)
	}
	if got := w.heard("neighbour"); got != "+OK\r\n+PONG\r\n" {
		t.Errorf("a client of this address that is logged in: %q", got)
	}
	if got := w.heard("newcomer"); strings.Count(got, "NOAUTH") != 2 {
		t.Errorf("a client that does not try to log in: %q", got)
	}
	w.end()
}

// TestManyConnectionsOfOneAddressShareItsGate: each has about one try in LongestWait, and the right password waits no longer than that.
func TestManyConnectionsOfOneAddressShareItsGate(t *testing.T) {
	w := guessedWorld(t)
	const conns, seconds = 50, 10
	for i := range conns {
		w.say("c"+string(rune('a'+i%26))+string(rune('a'+i/26)), strings.Repeat("AUTH wrong | ", 100)+"PING")
	}
	failed := w.stats.LoginsFailed
	for i := range seconds {
		name := "innocent" + string(rune('a'+i))
		w.say(name, "AUTH secret")
		w.pass(auth.LongestWait)
		if got := w.heard(name); got != "+OK\r\n" {
			t.Errorf("the right password, after %v: %q", auth.LongestWait, got)
		}
	}
	per := auth.LongestWait.Seconds()
	n, most := int(w.stats.LoginsFailed-failed), conns*(seconds+1)
	if n < most/2 || n > most+freeTries {
		t.Errorf("%d attempts of %d connections were checked in %v s, want about %d", n, conns, seconds*per, most)
	}
	w.end()
}

// freeTries is how many attempts may be checked beside one for each connection.
const freeTries = 2 * auth.FreeFailures

// TestTheRightPasswordDoesNotMoveTheGate: many clients that log in behind an address from which one guesses wait for that one's failures only.
func TestTheRightPasswordDoesNotMoveTheGate(t *testing.T) {
	w := guessedWorld(t)
	const clients = 30
	for i := range clients {
		w.say("i"+string(rune('a'+i%26))+string(rune('a'+i/26)), "AUTH secret")
	}
	w.say("guesser", "AUTH wrong")
	w.pass(auth.GateStep)
	for _, c := range w.order {
		if c.name[0] == 'i' && string(c.in) != "+OK\r\n" {
			t.Errorf("%s has received %q", c.name, c.in)
		}
		c.in = nil
	}
	w.end()
}

func TestClientsThatLeaveBeforeTheGateOpensLeaveNothing(t *testing.T) {
	w := guessedWorld(t)
	w.say("b", "AUTH wrong | AUTH wrong")
	w.say("c", "AUTH secret")
	w.clients["b"].leave()
	w.settle()
	w.clients["c"].session.Drain()
	w.settle()
	if got := w.heard("c"); !strings.Contains(got, "not sent") {
		t.Errorf("who waits when the proxy stops is told %q", got)
	}
	w.pass(auth.LongestWait)
	if guard.LoginsAtGate(w.loop) != 0 || w.stats.LoginsFailed != auth.FreeFailures+1 {
		t.Errorf("%d are left at the gate, %d failed", guard.LoginsAtGate(w.loop), w.stats.LoginsFailed)
	}
	w.end()
}

// TestATransactionIsNoWayAroundTheWait: a client that is logged in guesses in MULTI.
func TestATransactionIsNoWayAroundTheWait(t *testing.T) {
	set := defaults()
	set.passwords = []string{"secret", "other"}
	w := newWorld(t, set)
	w.say("a", "AUTH secret | MULTI | "+strings.Repeat("AUTH wrong | HELLO 2 AUTH default wrong | ", 500)+"EXEC")
	for range 100 {
		w.pass(100 * time.Millisecond)
	}
	if n := strings.Count(w.heard("a"), "QUEUED"); n < auth.FreeFailures || n > auth.FreeFailures+110 {
		t.Errorf("%d were queued in ten seconds", n)
	}
	if w.stats.LoginsFailed > 0 {
		t.Errorf("%d were tried", w.stats.LoginsFailed)
	}
	w.end()
}

func TestWithoutAPasswordNobodyWaits(t *testing.T) {
	w := newWorld(t, defaults())
	w.say("a", strings.Repeat("AUTH joe x | ", 100)+"PING")
	if got := w.heard("a"); got != strings.Repeat(wrongPass, 100)+"+PONG\r\n" {
		t.Errorf("%.100q", got)
	}
	if w.stats.LoginsFailed != 100 {
		t.Errorf("%d failed", w.stats.LoginsFailed)
	}
	w.end()
}

func TestFailedLoginsAreNoticedWithoutThePassword(t *testing.T) {
	set := defaults()
	set.passwords = []string{"secret"}
	w := newWorld(t, set)
	var got []session.Notice
	w.env.Notify = func(n session.Notice) { got = append(got, n) }
	w.say("a", `AUTH hunter2 | AUTH "jo\ne" hunter2 | HELLO 3 AUTH ann hunter2 | AUTH secret`)
	w.heard("a")
	want := []string{"default", "jo?e", "ann"}
	for i, n := range got {
		if i >= len(want) || n.Kind != session.LoginFailed || n.User != want[i] || n.Client != "192.0.2.1:1000" {
			t.Errorf("noticed %+v", n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d notices", len(got))
	}
	w.end()
}
