package session_test

import (
	"fmt"
	"testing"

	"ringmaster/pool"
)

func TestDatabasesInUseAreBounded(t *testing.T) {
	s := defaults()
	s.servers = []string{"A"}
	w := newWorld(t, s)
	w.databases = 1 << 20
	choose := func(c *clientEnd, db int, want string) {
		t.Helper()
		c.in = nil
		c.send(fmt.Appendf(nil, "SELECT %d\r\n", db))
		w.settle()
		if string(c.in) != want {
			t.Fatalf("SELECT %d: %q, want %q", db, c.in, want)
		}
	}
	const full = "-ERR too many databases are in use at once\r\n"
	one := w.connect("one")
	for db := 1; db < 3*pool.MaxRings; db++ {
		choose(one, db, "+OK\r\n")
	}
	if n := w.stats.Upstreams[0].Servers[0].Connections; n != pool.MaxRings {
		t.Errorf("one client that selects many databases leaves %d connections, the limit is %d", n, pool.MaxRings)
	}
	for i := range pool.MaxRings - 2 {
		choose(w.connect(fmt.Sprint("c", i)), 10000+i, "+OK\r\n")
	}
	choose(w.connect("last"), 20000, full)
	choose(one, 20001, full)
	choose(one, 10000, "+OK\r\n")
	choose(one, 20001, "+OK\r\n")
	w.end()
}
