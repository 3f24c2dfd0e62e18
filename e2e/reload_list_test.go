package e2e

import (
	"fmt"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// TestAListOfServersChangesUnderClients: none is closed or gets an error, and each key is looked for where the list has it.
func TestAListOfServersChangesUnderClients(t *testing.T) {
	var servers []string
	for range 3 {
		servers = append(servers, testkit.Redis(t).Addr)
	}
	text := func(n int) string {
		return fmt.Sprintf("listen: ADDR\nhash-tag: '{}'\nupstream: ['%s']\n", strings.Join(servers[:n], "', '"))
	}
	r := startReloading(t, text(1))
	c := testkit.Dial(t, r.Addr)
	for _, n := range []int{2, 3, 1, 3, 2, 1} {
		r.mustReload(text(n))
		for k := range 50 {
			key := fmt.Sprintf("k%d", k)
			if got := c.Do("SET", key, fmt.Sprint(n)); got != "+OK\r\n" {
				t.Fatalf("%d servers: SET: %q", n, got)
			}
			if got := c.Do("GET", key); got != fmt.Sprintf("$1\r\n%d\r\n", n) {
				t.Fatalf("%d servers: GET: %q", n, got)
			}
		}
		sum := 0
		for _, s := range servers[:n] {
			var held int
			_, _ = fmt.Sscanf(do(t, s, "DBSIZE"), ":%d", &held)
			sum += held
		}
		if got := c.Do("DBSIZE"); got != fmt.Sprintf(":%d\r\n", sum) {
			t.Errorf("%d servers: DBSIZE %q, want %d", n, got, sum)
		}
	}
}

// TestTheServersPasswordChanges as an operator does it: first the servers know both, then the proxy uses the new one.
func TestTheServersPasswordChanges(t *testing.T) {
	s := testkit.Redis(t)
	admin := testkit.Dial(t, s.Addr)
	if got := admin.Do("ACL", "SETUSER", "app", "on", ">old", "~*", "&*", "+@all"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	text := fmt.Sprintf("listen: ADDR\nupstream: '%s'\nupstream-username: app\nupstream-password: ", s.Addr)
	r := startReloading(t, text+"old\n")
	c := testkit.Dial(t, r.Addr)
	if got := c.Do("SET", "k", "v"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	if got := r.reload(text + "new\n"); got.Status != 422 || !strings.Contains(fmt.Sprint(got.Problems), "WRONGPASS") {
		t.Errorf("before the server knows it: %+v", got)
	}
	if got := admin.Do("ACL", "SETUSER", "app", ">new"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	r.mustReload(text + "new\n")
	if got := admin.Do("ACL", "SETUSER", "app", "<old"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	if got := c.Do("GET", "k"); got != "$1\r\nv\r\n" {
		t.Errorf("%q", got)
	}
	admin.Do("CLIENT", "KILL", "USER", "app")
	testkit.Until(t, "the proxy has logged in again", func() bool { return do(t, r.Addr, "GET", "k") == "$1\r\nv\r\n" })
}

// TestClientsGoOnThroughManyReloads changes servers, timeouts, limits and other listeners under clients with pipelines.
func TestClientsGoOnThroughManyReloads(t *testing.T) {
	var servers []string
	for range 3 {
		servers = append(servers, testkit.Redis(t).Addr)
	}
	other := fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	text := func(i int) string {
		listeners := "listeners:\n  - {address: ADDR, name: main, upstream: u, max-in-flight: " + fmt.Sprint(10+i) + "}\n"
		if i%3 == 0 {
			listeners += "  - {address: '" + other + "', upstream: other}\n"
		}
		upstreams := "upstreams:\n  u: {servers: ['" + strings.Join(servers[:1+i%3], "', '") + "'], timeout: " + fmt.Sprint(5+i%4) + "s}\n"
		if i%3 == 0 {
			upstreams += "  other: {servers: '" + servers[i%2] + "'}\n"
		}
		return listeners + upstreams
	}
	r := startReloading(t, text(0), "--timeout", "9s")
	stop, ended := make(chan struct{}), make(chan error)
	const clients = 4
	for c := range clients {
		conn := testkit.Dial(t, r.Addr)
		go func() { ended <- keepAsking(conn, fmt.Sprint("client", c), stop) }()
	}
	for i := 1; i <= 40; i++ {
		r.mustReload(text(i))
	}
	close(stop)
	for range clients {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if got := r.Metric(t, "ringmaster_config_generation"); got != 41 {
		t.Errorf("generation %v", got)
	}
	if got := r.Metric(t, "ringmaster_clients_connected"); got != clients {
		t.Errorf("%v clients are connected", got)
	}
}

// keepAsking sends pipelines of commands whose replies say which command they are of, until stop.
func keepAsking(c *testkit.Conn, name string, stop <-chan struct{}) error {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return nil
		default:
		}
		var pipeline, want strings.Builder
		for i := range 20 {
			word := fmt.Sprintf("%s:%d:%d", name, n, i)
			fmt.Fprintf(&pipeline, "SET %s %s\r\nECHO %s\r\n", word[:len(word)/2], word, word)
			fmt.Fprintf(&want, "+OK\r\n$%d\r\n%s\r\n", len(word), word)
		}
		if err := c.SendBytes([]byte(pipeline.String())); err != nil {
			return fmt.Errorf("%s, pipeline %d: %w", name, n, err)
		}
		var got strings.Builder
		for range 40 {
			reply, err := c.Next()
			if err != nil {
				return fmt.Errorf("%s, pipeline %d: %w after %q", name, n, err, got.String())
			}
			got.Write(reply)
		}
		if got.String() != want.String() {
			return fmt.Errorf("%s, pipeline %d: got %q, want %q", name, n, got.String(), want.String())
		}
	}
}
