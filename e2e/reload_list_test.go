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
	if status, answer := r.reload(text + "new\n"); status != 422 || !strings.Contains(fmt.Sprint(answer), "WRONGPASS") {
		t.Errorf("before the server knows it: %d %v", status, answer)
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
