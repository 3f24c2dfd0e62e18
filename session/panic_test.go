//go:build !proxydebug

package session_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/gather"
	"ringmaster/stats"
)

// bystander is a client with a request under way at each server and something to say afterwards.
func (w *world) bystander(t *testing.T) (check func(lost string)) {
	t.Helper()
	b := w.connect("bystander")
	for _, name := range w.names {
		b.send(parser.AppendRequest(nil, "GET", "{"+name+"}k"))
	}
	w.settle()
	return func(lost string) {
		t.Helper()
		w.settle()
		var want strings.Builder
		for _, name := range w.names {
			if name == lost {
				want.WriteString("-ERR lost the connection to server " + name + "; the command may have run (was closed after a bug in ringmaster; the log has the panic)\r\n")
				continue
			}
			for _, args := range w.servers[name].requests() {
				if args[0] == "GET" {
					w.servers[name].answer(fmt.Appendf(nil, "+%s\r\n", args[1]))
				} else {
					w.servers[name].answer([]byte("+for another\r\n"))
				}
			}
			want.WriteString("+{" + name + "}k\r\n")
		}
		w.settle()
		if string(b.in) != want.String() {
			t.Errorf("the bystander got %q, want %q", b.in, want.String())
		}
		b.in = nil
		b.send(parser.AppendRequest(parser.AppendRequest(nil, "PING"), "CLIENT", "GETNAME"))
		w.settle()
		if string(b.in) != "+PONG\r\n$-1\r\n" || b.closed {
			t.Errorf("the bystander got %q, closed: %t", b.in, b.closed)
		}
	}
}

// condemned checks that a client was closed for the panic.
func (c *clientEnd) condemned(t *testing.T) {
	t.Helper()
	if !c.closed || c.reason != stats.Panic {
		t.Errorf("%s: closed: %t, %s", c.name, c.closed, c.reason)
	}
}

func (w *world) breakEcho() { w.breakCommand(command.IDEcho) }

func (w *world) breakCommand(id uint16) {
	w.door.Rules.Handle(id, func(s *session.Session, _ *command.Spec, _ *parser.Request) {
		s.Door.Scratch = append(s.Door.Scratch[:0], "half"...)
		gather.Spoil(s)
		panic("oh no")
	})
}

func TestAPanicInOneClientsCommandEndsThatClientOnly(t *testing.T) {
	w := newWorld(t, defaults())
	w.breakEcho()
	check := w.bystander(t)
	a := w.connect("a")
	w.panics = 1
	a.send(parser.AppendRequest(parser.AppendRequest(parser.AppendRequest(nil, "MGET", "{A}1", "{B}1"), "ECHO", "x"), "SET", "{A}never", "1"))
	w.settle()
	a.condemned(t)
	if n := w.stats.ClientsClosed[stats.Panic]; n != 1 {
		t.Errorf("%d closed for a panic", n)
	}
	for _, name := range w.names {
		if strings.Contains(string(w.servers[name].in), "never") {
			t.Errorf("what came after the panic was sent")
		}
	}
	check("")
	// Gathers work on.
	c := w.connect("c")
	c.send(parser.AppendRequest(nil, "MGET", "{A}1", "{B}1"))
	w.settle()
	w.servers["A"].answer([]byte("*1\r\n$1\r\nx\r\n"))
	w.servers["B"].answer([]byte("*1\r\n$1\r\ny\r\n"))
	w.settle()
	if string(c.in) != "*2\r\n$1\r\nx\r\n$1\r\ny\r\n" {
		t.Errorf("%q", c.in)
	}
}

func TestAPanicWhereAnAnswerIsCapturedLeavesOthersTheirAnswers(t *testing.T) {
	scene := defaults()
	scene.servers = []string{"A"}
	w := newWorld(t, scene)
	w.breakCommand(command.IDClientId)
	check := w.bystander(t)
	a := w.connect("a")
	w.panics = 1
	a.send(parser.AppendRequest(parser.AppendRequest(parser.AppendRequest(nil, "MULTI"), "CLIENT", "ID"), "EXEC"))
	w.settle()
	a.condemned(t)
	check("")
}

func TestAPanicInAPassageEndsItsClientAndFreesWhatItHolds(t *testing.T) {
	scene := defaults()
	scene.servers = []string{"A"}
	w := newWorld(t, scene)
	check := w.bystander(t)
	a := w.connect("a")
	a.send(parser.AppendRequest(nil, "WATCH", "k"))
	w.settle()
	own := w.servers["A.own"]
	own.answer([]byte("+OK\r\n*0\r\n+OK\r\n"))
	w.settle()
	w.panics = 2 // in step and in cancel
	b := &brokenPassage{}
	a.session.Begin(b)
	b.begun = true
	a.session.ResumeLater()
	w.settle()
	a.condemned(t)
	if !own.closed || w.stats.OwnLent != 0 {
		t.Errorf("its own connection is closed: %t, %d are lent", own.closed, w.stats.OwnLent)
	}
	check("")
}

// brokenPassage panics once it has begun.
type brokenPassage struct {
	session.Passage
	begun bool
}

func (b *brokenPassage) Step(*session.Session, session.Wait) {
	if b.begun {
		panic("step")
	}
}
func (b *brokenPassage) Cancel(*session.Session) bool { panic("cancel") }

// breakRole has the answers to ROLE joined by what panics.
func (w *world) breakRole() {
	w.door.Rules.Handle(command.IDRole, func(s *session.Session, spec *command.Spec, req *parser.Request) {
		g := gather.New(s, spec, len(req.Raw))
		g.Special = func(*gather.Gather, []byte) []byte { panic("join") }
		g.Delay()
		for _, server := range s.Door.Map.Shards() {
			g.Ask(server, req.Raw)
		}
		g.Start()
	})
}

func TestAPanicInAReplyEndsItsClientAndTheConnectionThatMayBeOutOfStep(t *testing.T) {
	w := newWorld(t, defaults())
	w.breakRole()
	a := w.connect("a")
	a.send(parser.AppendRequest(nil, "ROLE"))
	w.settle()
	for _, name := range w.names {
		w.servers[name].requests()
	}
	check := w.bystander(t)
	w.panics = 1
	role := []byte("*3\r\n$6\r\nmaster\r\n:1\r\n*0\r\n")
	w.servers["A"].answer(role)
	w.servers["B"].answer(role)
	lost := w.servers["C"]
	lost.answer(append(role, "+{C}k\r\n"...))
	w.settle()
	a.condemned(t)
	if !lost.closed {
		t.Error("the connection stays open")
	}
	if n := w.stats.Upstreams[0].Servers[2].Disconnects[stats.ServerPanic]; n != 1 {
		t.Errorf("%d connections were closed for a panic", n)
	}
	check("C")
}

func TestAPanicWhileARequestFailsEndsItsClientOnly(t *testing.T) {
	w := newWorld(t, defaults())
	w.bystander(t)
	a := w.connect("a")
	a.send(parser.AppendRequest(nil, "CONFIG", "GET", "x"))
	w.settle()
	w.servers["A"].requests()
	b := w.connect("b")
	b.session.Expect(1)
	if f := b.session.Conn(0).Enqueue(&pool.Request{Raw: parser.AppendRequest(nil, "GET", "y"), Recv: brokenReceiver{s: b.session}, Manner: pool.Here}); f != nil {
		t.Fatal(f)
	}
	w.settle()
	w.panics = 1
	w.servers["A"].lose(fmt.Errorf("reset"))
	w.settle()
	b.condemned(t)
	if want := "-ERR lost the connection to server A; the command may have run (reset)\r\n"; string(a.in) != want {
		t.Errorf("%q", a.in)
	}
	w.clients["bystander"].in = nil
	w.servers["B"].answer([]byte("+1\r\n"))
	w.servers["C"].answer([]byte("+2\r\n"))
	w.settle()
	if got := string(w.clients["bystander"].in); got != "+1\r\n+2\r\n" {
		t.Errorf("%q", got)
	}
}

type brokenReceiver struct {
	pool.Unplaced
	s *session.Session
}

func (r brokenReceiver) Client() pool.Client              { return r.s }
func (r brokenReceiver) Reply(uint64, []byte, pool.Piece) { panic("reply") }
func (r brokenReceiver) Fail(uint64, *pool.Failure)       { panic("fail") }

func TestAPanicIsLoggedWithItsCauseAtABoundedRate(t *testing.T) {
	var log bytes.Buffer
	scene := defaults()
	scene.servers = []string{"A"}
	w := newWorld(t, scene)
	w.env.Log = slog.New(slog.NewTextHandler(&log, nil))
	w.breakEcho()
	for i := range 5 {
		a := w.connect(fmt.Sprint("a", i))
		w.panics++
		a.send(parser.AppendRequest(nil, "ECHO", "x"))
		w.settle()
		a.condemned(t)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "oh no") || !strings.Contains(log.String(), "breakEcho") || !strings.Contains(log.String(), "command=echo") {
		t.Errorf("%d lines: %s", n, log.String())
	}
	w.pass(11 * time.Second)
	w.panics++
	w.connect("b").send(parser.AppendRequest(nil, "ECHO", "x"))
	w.settle()
	if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "not_logged_before=4") {
		t.Errorf("%d lines: %s", n, log.String())
	}
}

func TestAPanicInWhatAllClientsShareClosesThemAll(t *testing.T) {
	w := newWorld(t, defaults())
	a, b := w.connect("a"), w.connect("b")
	a.send(parser.AppendRequest(nil, "GET", "{A}k"))
	w.settle()
	w.panics = 1
	w.env.Panicked("oh no")
	w.pool.Reset()
	w.settle()
	a.condemned(t)
	b.condemned(t)
	w.pass(time.Second)
	c := w.connect("c")
	c.send(parser.AppendRequest(nil, "GET", "{A}k"))
	w.settle()
	w.servers["A"].answer([]byte("+x\r\n"))
	w.settle()
	if string(c.in) != "+x\r\n" {
		t.Errorf("%q", c.in)
	}
}

// What other loops have asked of this one has an answer, though the loop forgets all that it had to do.
func TestAPanicInWhatAllClientsShareAnswersWhatOtherLoopsAsked(t *testing.T) {
	w := newWorld(t, defaults())
	part := &askedPart{}
	w.env.Queue(part)
	w.env.PastGate = true
	w.panics = 1
	w.env.Panicked("oh no")
	if !part.gaveUp || w.env.Jobs() > 0 {
		t.Errorf("answered %v, %d jobs left", part.gaveUp, w.env.Jobs())
	}
	if w.env.PastGate {
		t.Error("logins are no longer slowed down")
	}
}

type askedPart struct {
	session.Impersonal
	gaveUp bool
}

func (p *askedPart) Piece(*session.Env) bool { return false }
func (p *askedPart) GiveUp()                 { p.gaveUp = true }

// deaf is a client whose socket panics.
type deaf struct{ *clientEnd }

func (deaf) Write([]byte) (int, error) { panic("oh no") }

func TestAPanicWhenALargeReplyIsWrittenEndsThatClientOnly(t *testing.T) {
	w := newWorld(t, defaults())
	a, b := w.connect("a"), w.witness("b")
	a.session.Socket = deaf{a}
	a.send(parser.AppendRequest(nil, "GET", "{A}k"))
	w.asks(b)
	w.panics = 1
	one := parser.AppendBulkString(nil, strings.Repeat("x", 16<<10))
	w.servers["A"].answer(append(bytes.Clone(one), one...))
	w.settle()
	a.condemned(t)
	if !bytes.Equal(b.in, one) {
		t.Errorf("b got %d bytes", len(b.in))
	}
	b.in = nil
	w.end()
}
