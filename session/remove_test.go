//go:build !proxydebug

package session_test

import (
	"testing"
	"time"

	"ringmaster/auth"
	"ringmaster/session"
	"ringmaster/stats"
)

// TestAShutDoorDrainsItsOwnClientsOnly: those of another door of the upstream stay, and the upstream is used until all are gone.
func TestAShutDoorDrainsItsOwnClientsOnly(t *testing.T) {
	w := newWorld(t, defaults())
	stays := w.door
	w.say("stays", "PING")
	shut := session.OpenDoor(w.env, stays.Config, stays.Rules, auth.NewPolicy())
	w.door = shut
	w.say("idle", "PING")
	w.say("asks", "GET {A}1")
	for _, c := range w.order {
		c.in = nil
	}
	if shut.Clients() != 2 || stays.Clients() != 1 || len(w.env.Doors) != 2 {
		t.Fatalf("%d clients, %d at the other door, %d doors", shut.Clients(), stays.Clients(), len(w.env.Doors))
	}
	shut.Shut()
	w.settle()
	if n := w.stats.ClientsClosed[stats.ListenerClosed]; n != 1 || shut.Clients() != 1 || stays.Clients() != 1 {
		t.Errorf("%d closed; %d clients, %d at the other door", n, shut.Clients(), stays.Clients())
	}
	w.say("late", "PING") // was accepted before
	w.clients["late"].session.Drain()
	w.settle()
	if n := w.stats.ClientsClosed[stats.ListenerClosed]; n != 2 || w.stats.ClientsClosed[stats.Shutdown] != 0 {
		t.Errorf("%d closed", n)
	}
	for range 2 { // the second time there is nobody
		shut.Cut()
		w.settle()
		if n := w.stats.ClientsClosed[stats.ListenerClosed]; n != 3 || shut.Clients() != 0 || shut.Cutting() {
			t.Errorf("%d closed, %d left, cutting: %t", n, shut.Clients(), shut.Cutting())
		}
	}
	shut.Forget()
	if len(w.env.Doors) != 1 || w.env.Doors[0] != stays || !w.env.Used() {
		t.Errorf("doors: %v, used: %t", w.env.Doors, w.env.Used())
	}
	w.clients["stays"].leave()
	w.settle()
	if w.env.Used() {
		t.Error("the upstream is used by nobody")
	}
	w.loop.Remove(w.env)
	if w.loop.Upstreams() != 0 {
		t.Error("the loop has the upstream")
	}
}

// TestWhatWaitsAtAShutDoorIsTold: the words do not say that the proxy stops.
func TestWhatWaitsAtAShutDoorIsTold(t *testing.T) {
	w := guessedWorld(t)
	w.say("c", "AUTH secret") // waits at the gate
	w.door.Shut()
	w.settle()
	if got := w.heard("c"); got != "-ERR the proxy no longer listens on this address; the command was not sent\r\n" {
		t.Errorf("%q", got)
	}
	w.end()
}

// TestADoorThatPanicsWhileItIsCutCanBeCutAgain: the panic ends one client, and the job.
func TestADoorThatPanicsWhileItIsCutCanBeCutAgain(t *testing.T) {
	w := newWorld(t, defaults())
	w.say("a", "PING")
	w.say("b", "PING")
	w.panics = 1
	w.door.CutBadly()
	w.settle()
	if n := w.stats.ClientsClosed[stats.Panic]; n != 1 {
		t.Errorf("%d closed for the panic", n)
	}
	w.door.Cut()
	w.settle()
	if w.door.Clients() != 0 {
		t.Errorf("%d clients are left", w.door.Clients())
	}
}

// TestWhoMovesAtAShutDoorIsTold: the words are as for whoever waits.
func TestWhoMovesAtAShutDoorIsTold(t *testing.T) {
	s := defaults()
	s.known.ListChanges = true
	w := newWorld(t, s)
	w.say("c", "BLPOP {C}list 0")
	w.servers["C.own"].in = nil
	w.list("A", "B")
	w.settle()
	w.servers["C"].in = nil
	w.servers["C"].answer([]byte(":1\r\n"))
	w.servers["C.own"].answer([]byte("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"))
	w.door.Shut()
	w.settle()
	w.pass(10 * time.Millisecond)
	if got := w.heard("c"); got != "-ERR the proxy no longer listens on this address; the command was not sent\r\n" {
		t.Errorf("%q", got)
	}
	w.end()
}
