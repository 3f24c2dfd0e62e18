package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ringmaster/parser"
	"ringmaster/session/discovery"
)

// answerQuestions has the server say of each name but known that there is no such command, and gives the names.
func (s *serverEnd) answerQuestions(known string) (names []string) {
	for _, args := range s.requests() {
		if len(args) != 3 || args[0] != "COMMAND" {
			s.answer([]byte("+OK\r\n"))
			continue
		}
		names = append(names, args[2])
		if args[2] == known {
			s.answer([]byte("*1\r\n*10\r\n$5\r\n" + known + "\r\n:-1\r\n*1\r\n+module\r\n:0\r\n:0\r\n:0\r\n*0\r\n*0\r\n*0\r\n*0\r\n"))
		} else {
			s.answer([]byte("*1\r\n*-1\r\n"))
		}
	}
	return names
}

func TestNamesThatAreMadeUpHideNoCommand(t *testing.T) {
	scene := defaults()
	scene.servers = []string{"A"}
	w := newWorld(t, scene)
	a := w.connect("a")
	for i := range 2*discovery.MaxUnknown + 7 {
		a.send(parser.AppendRequest(nil, fmt.Sprint("made.up", i)))
		w.settle()
		w.servers["A"].answerQuestions("mod.x")
		w.settle()
		a.in = nil
	}
	if n := discovery.CountAll(w.env).Unknown; n != discovery.MaxUnknown {
		t.Errorf("%d names are remembered", n)
	}
	b := w.connect("b")
	b.send(parser.AppendRequest(parser.AppendRequest(nil, "MOD.X"), "MOD.X"))
	w.settle()
	if names := w.servers["A"].answerQuestions("mod.x"); len(names) != 1 {
		t.Errorf("asked for %q", names)
	}
	w.settle()
	w.servers["A"].answerQuestions("")
	w.settle()
	if string(b.in) != "+OK\r\n+OK\r\n" {
		t.Errorf("%q", b.in)
	}
}

func TestCommandsThatServersKnowAreRememberedUpToABound(t *testing.T) {
	scene := defaults()
	scene.servers = []string{"A"}
	w := newWorld(t, scene)
	a := w.connect("a")
	for i := range discovery.MaxKnown + 5 {
		name := fmt.Sprintf("m%04d", i)
		a.send(parser.AppendRequest(nil, name))
		w.settle()
		w.servers["A"].answerQuestions(name)
		w.settle()
		w.servers["A"].answerQuestions("")
		w.settle()
		if string(a.in) != "+OK\r\n" {
			t.Fatalf("%s: %q", name, a.in)
		}
		a.in = nil
	}
	if n := discovery.CountAll(w.env).Known; n != discovery.MaxKnown {
		t.Errorf("%d commands are remembered", n)
	}
}

func TestQuestionsUnderWayAreBoundedAndDelayNoKnownCommand(t *testing.T) {
	scene := defaults()
	scene.servers = []string{"A"}
	w := newWorld(t, scene)
	const clients = 3*discovery.MaxQuestions + 5
	for i := range clients {
		c := w.connect(fmt.Sprint("c", i))
		c.send(parser.AppendRequest(nil, fmt.Sprint("made.up", i)))
	}
	last := w.connect("last")
	last.send(parser.AppendRequest(nil, "mod.x"))
	known := w.connect("known")
	known.send(parser.AppendRequest(nil, "GET", "k"))
	w.settle()
	if n := discovery.CountAll(w.env).Asked; n != discovery.MaxQuestions {
		t.Errorf("%d questions are under way", n)
	}
	if n := strings.Count(string(w.servers["A"].in), "COMMAND"); n != discovery.MaxQuestions || !strings.HasSuffix(string(w.servers["A"].in), "GET\r\n$1\r\nk\r\n") {
		t.Errorf("the server got %d questions, and at the end %q", n, w.servers["A"].in[len(w.servers["A"].in)-40:])
	}
	w.clients["c0"].leave()                       // its question is under way
	w.clients[fmt.Sprint("c", clients-1)].leave() // its question waits
	asked := 0
	for range 20 {
		n := len(w.servers["A"].answerQuestions("mod.x"))
		if n > discovery.MaxQuestions {
			t.Errorf("%d at once", n)
		}
		asked += n
		w.settle()
	}
	if asked != clients || discovery.CountAll(w.env).Asked != 0 || discovery.CountAll(w.env).Waiting != 0 {
		t.Errorf("%d names were asked for; %d are under way and %d wait", asked, discovery.CountAll(w.env).Asked, discovery.CountAll(w.env).Waiting)
	}
	if string(last.in) != "+OK\r\n" || string(known.in) != "+OK\r\n" {
		t.Errorf("mod.x: %q, GET: %q", last.in, known.in)
	}
}

func TestWhoWaitsToAskIsAnsweredWithinTheTimeout(t *testing.T) {
	scene := defaults()
	scene.servers = []string{"A"}
	w := newWorld(t, scene)
	for i := range 2 * discovery.MaxQuestions {
		w.connect(fmt.Sprint("c", i)).send(parser.AppendRequest(nil, fmt.Sprint("made.up", i)))
	}
	w.settle()
	w.pass(scene.upstream.Timeout + 50*time.Millisecond)
	for _, c := range w.order {
		if want := "-ERR timed out after 1000 ms waiting for server A; the command was not sent\r\n"; string(c.in) != want {
			t.Fatalf("%s: %q", c.name, c.in)
		}
	}
	if discovery.CountAll(w.env).Asked != 0 || discovery.CountAll(w.env).Waiting != 0 {
		t.Errorf("%d questions are under way, %d wait", discovery.CountAll(w.env).Asked, discovery.CountAll(w.env).Waiting)
	}
}
