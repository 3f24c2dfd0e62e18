package session

import (
	"testing"

	"ringmaster/command"
)

func TestEveryCallIsCountedOnce(t *testing.T) {
	s := defaults()
	s.passwords = []string{"secret"}
	w := newWorld(t, s)
	a := w.connect("a")
	send := func(text string) {
		t.Helper()
		b, err := requests(text)
		if err != nil {
			t.Fatal(err)
		}
		a.send(b)
		w.settle()
	}
	send("GET x | AUTH wrong | AUTH secret | SELECT x | SELECT 1 | SELECT | HELLO 9 | PING | PING a b | CLIENT SETNAME \"a b\" | RENAME {A}x {B}x")
	send("GET {A}x | GET {B}x | MGET {A}x {B}x | SCAN 0 | SCAN x")
	for _, end := range []string{"A", "B"} {
		s := w.servers[end+".db1"]
		for range s.requests() {
			s.answer([]byte("-ERR no\r\n"))
		}
	}
	w.settle()
	for name, want := range map[string]uint64{
		"get": 3, "auth": 2, "select": 3, "hello": 1, "ping": 2, "rename": 1, "mget": 1, "scan": 2,
	} {
		if c := w.stats.Command(command.Lookup([]byte(name)).ID); c == nil || c.Latency.Count() != want {
			t.Errorf("%s is not counted %d times: %+v", name, want, c)
		}
	}
	a.in = nil
	w.end()
}
