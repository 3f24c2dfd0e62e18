package command

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// TEST_SERVERS names other server programs to test against, separated by commas.
func eachServer(t *testing.T, f func(t *testing.T, client *redis.Client)) {
	programs := os.Getenv("TEST_SERVERS")
	if programs == "" {
		programs = "redis-server"
	}
	for _, program := range strings.Split(programs, ",") {
		t.Run(filepath.Base(program), func(t *testing.T) { f(t, startServer(t, program)) })
	}
}

// startServer runs a server on a unix socket for the length of the test.
func startServer(t *testing.T, program string) *redis.Client {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is needed in CI: %v", program, err)
		}
		t.Skipf("%s is not installed; install redis-server to run this test", program)
	}
	dir, err := os.MkdirTemp("", "command-") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	server := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- server.Wait() }()
	t.Cleanup(func() { server.Process.Kill(); <-exited })
	waitForSocket(t, socket, exited)
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, Protocol: 2})
	t.Cleanup(func() { client.Close() })
	return client
}

func waitForSocket(t *testing.T, socket string, exited chan error) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		if conn, err := net.Dial("unix", socket); err == nil {
			conn.Close()
			return
		}
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("server ended: %v", err)
		case <-deadline:
			t.Fatal("server does not listen")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func askCommand(t *testing.T, client *redis.Client) []Info {
	t.Helper()
	reply, err := client.Do(context.Background(), "COMMAND").Result()
	if err != nil {
		t.Fatal(err)
	}
	infos, err := ParseInfo(reply)
	if err != nil {
		t.Fatal(err)
	}
	return infos
}

func TestServersCommandAgreesWithTable(t *testing.T) {
	eachServer(t, func(t *testing.T, client *redis.Client) {
		for _, in := range askCommand(t, client) {
			agrees(t, in)
		}
	})
}

func TestSnapshotsAgreeWithTable(t *testing.T) {
	names, err := filepath.Glob("testdata/servers/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no snapshots: %v", err)
	}
	seen := map[string]bool{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var s struct{ Commands []Info }
		if err := json.Unmarshal(data, &s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, in := range s.Commands {
			seen[in.Name] = true
			agrees(t, in)
		}
	}
	for _, in := range Own() {
		if seen[in.Name] {
			t.Errorf("%s is the proxy's own, but a server knows it", in.Name)
		}
		seen[in.Name] = true
		agrees(t, in)
	}
	for _, s := range All() {
		if !seen[s.Name] {
			t.Errorf("%s is in the table, but no server knows it", s.Name)
		}
	}
}

// agrees checks that the table accepts everything that a server accepts, and knows everything that it reports.
func agrees(t *testing.T, in Info) {
	t.Helper()
	s := lookupPath(in.Name)
	if s == nil {
		t.Errorf("%s: not in the table", in.Name)
		return
	}
	if s.Arity != in.Arity && (s.Arity > 0 || -s.Arity > max(in.Arity, -in.Arity)) {
		t.Errorf("%s: arity %d, the server has %d", in.Name, s.Arity, in.Arity)
	}
	if s.FirstKey != in.First || s.LastKey != in.Last || s.Step != in.Step && in.First != 0 {
		t.Errorf("%s: keys %d %d %d, the server has %d %d %d", in.Name, s.FirstKey, s.LastKey, s.Step, in.First, in.Last, in.Step)
	}
	for _, f := range in.Flags {
		if bit := parseFlag(f); bit == 0 || !s.Flags.Has(bit) {
			t.Errorf("%s: flag %s is missing", in.Name, f)
		}
	}
	if other := map[bool]string{true: "readonly", false: "write"}[s.Flags.Has(FlagWrite)]; slices.Contains(in.Flags, other) {
		t.Errorf("%s: the server says %s", in.Name, other)
	}
	if s.Find > FindRange && fmt.Sprint(s.Keys) != fmt.Sprint(in.Keys) {
		t.Errorf("%s: key specs %v, the server has %v", in.Name, s.Keys, in.Keys)
	}
}

func TestTableIsMadeWithTheDecisionsAsTheyAre(t *testing.T) {
	for _, d := range Decisions() {
		s := lookupPath(d.Name)
		if s == nil {
			t.Errorf("%s: a decision about a command nobody knows", d.Name)
			continue
		}
		want := *s
		decide(&want)
		if s.Class != want.Class || s.Merge != want.Merge || s.IfAllowed != want.IfAllowed || s.Reason != want.Reason {
			t.Errorf("%s: run scripts/gen-commands: the table has %v, %v, %q", d.Name, s.Class, s.Merge, s.Reason)
		}
	}
	for _, sub := range refusedCluster {
		if s := lookupPath("cluster|" + sub); s == nil || s.Class != ClassRefused {
			t.Errorf("cluster|%s: %v", sub, s)
		}
	}
}
