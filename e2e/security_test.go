package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// shownUser is the rule that docs/security.md shows for ringmaster's user.
func shownUser(t *testing.T) []string {
	t.Helper()
	root, err := testkit.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^ACL SETUSER ringmaster .*$`).FindString(string(text))
	if line == "" {
		t.Fatal("docs/security.md shows no ACL SETUSER ringmaster")
	}
	return strings.Fields(line)
}

// connects is what `ringmaster check --connect` says.
func connects(t *testing.T, addr string, flags ...string) string {
	t.Helper()
	cmd := exec.Command(testkit.Ringmaster(t), append([]string{"check", "--upstream", addr, "--connect"}, flags...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestTheUserThatTheDocumentShowsBindsScriptsAndServesClients(t *testing.T) {
	server := testkit.Redis(t)
	operator := testkit.Dial(t, server.Addr)
	if v := operator.Do(shownUser(t)...); v != "+OK\r\n" {
		t.Fatalf("ACL SETUSER: %s", v)
	}
	login := []string{"--upstream-username", "ringmaster", "--upstream-password", "PASSWORD"}
	if said := connects(t, server.Addr, login...); strings.Contains(said, "warning") || !strings.Contains(said, "user ringmaster") {
		t.Errorf("check --connect: %s", said)
	}
	said := connects(t, server.Addr)
	for _, command := range []string{"CLUSTER", "CONFIG", "DEBUG", "MIGRATE", "FLUSHALL"} {
		if !strings.Contains(said, command) {
			t.Errorf("check --connect does not warn that default may run %s: %s", command, said)
		}
	}
	proxy := testkit.Proxy(t, []string{server.Addr}, login...)
	for _, hello := range []string{"2", "3"} {
		c := testkit.Dial(t, proxy.Addr)
		c.Do("HELLO", hello)
		operator.Do("SET", "survivor", "1")
		for _, line := range strings.Split(strings.TrimSpace(served), "\n") {
			for _, command := range strings.Split(line, " ; ") {
				if v := c.Do(strings.Fields(command)...); v[0] == '-' || strings.Contains(v, "\n-") {
					t.Errorf("RESP%s, %s: %s", hello, command, v)
				}
			}
		}
		for _, script := range []string{
			"redis.call('flushall')", "redis.call('flushdb')", "redis.call('cluster','flushslots')", "redis.call('cluster','meet','127.0.0.1','1')",
			"redis.call('migrate','127.0.0.1','1','survivor','0','1')", "redis.call('keys','*')", "redis.call('swapdb','0','1')",
		} {
			v := c.Do("EVAL", script+" return 'ran'", "0")
			if !strings.HasPrefix(v, "-") || !strings.Contains(v, "ACL failure") && !strings.Contains(v, "can't run this command") && !strings.Contains(v, "No permission") && !strings.Contains(v, "NOPERM") {
				t.Errorf("%s: %s", script, v)
			}
		}
		if v := c.Do("GET", "survivor"); v != "$1\r\n1\r\n" {
			t.Errorf("after the scripts: %s", v)
		}
	}
}

func TestTheUserThatTheDocumentShowsServesACluster(t *testing.T) {
	c := testkit.StartCluster(t, 3, 0)
	for _, n := range c.Nodes {
		if v := testkit.Dial(t, n.Addr).Do(shownUser(t)...); v != "+OK\r\n" {
			t.Fatalf("ACL SETUSER: %s", v)
		}
	}
	login := []string{"--topology", "cluster", "--upstream-username", "ringmaster", "--upstream-password", "PASSWORD"}
	if said := connects(t, c.Nodes[0].Addr, login...); strings.Contains(said, "warning") || strings.Count(said, "user ringmaster") != 3 {
		t.Errorf("check --connect: %s", said)
	}
	client := testkit.Dial(t, testkit.Proxy(t, []string{c.Nodes[0].Addr}, login...).Addr)
	for range 3 {
		if v := client.Do("EVAL", "return redis.pcall('cluster','flushslots')", "0"); !strings.HasPrefix(v, "-") {
			t.Errorf("CLUSTER FLUSHSLOTS: %s", v)
		}
	}
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		if v := client.Do("SET", key, "1"); v != "+OK\r\n" {
			t.Errorf("SET %s: %s", key, v)
		}
	}
	if v := client.Do("MGET", "a", "b", "c"); strings.Contains(v, "-") {
		t.Errorf("MGET: %s", v)
	}
}

const served = `
SET k v ; GET k ; MGET k l ; DEL l ; INCR n ; EXPIRE k 100 ; TYPE k
RPUSH list a b ; BLPOP list 1 ; XADD s * f v ; XREAD COUNT 1 STREAMS s 0
MULTI ; SET k w ; INFO server ; EXEC
WATCH k ; MULTI ; GET k ; EXEC
SELECT 1 ; SET k x ; SELECT 0
SCAN 0 ; DBSIZE ; RANDOMKEY ; INFO ; ROLE ; COMMAND COUNT ; TIME
EVAL return(1) 0 ; SCRIPT LOAD return(2) ; PUBLISH c m
CLIENT TRACKING on ; GET k ; CLIENT TRACKING off
CLIENT SETNAME me ; CLIENT LIST ; CLIENT ID ; PING ; ECHO x
OBJECT ENCODING k ; MEMORY USAGE k ; WAIT 0 0
`

func TestCheckConnectsFailsWhereAServerDoes(t *testing.T) {
	server := testkit.Redis(t, "--requirepass", "x")
	cmd := exec.Command(testkit.Ringmaster(t), "check", "--upstream", server.Addr, "--connect", "--upstream-password", "wrong")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "WRONGPASS") {
		t.Errorf("%v: %s", err, out)
	}
}
