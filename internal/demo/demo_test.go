package demo

import (
	"bufio"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"ringmaster/internal/testkit"
	"ringmaster/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryShardAnswersUntilClosed(t *testing.T) {
	s, err := Start(3)
	if err != nil {
		t.Fatal(err)
	}
	servers := s.Servers()
	for _, server := range servers {
		conn, err := net.Dial("tcp", server.Addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("*1\r\n$4\r\nPING\r\n")); err != nil {
			t.Fatal(err)
		}
		if line, _ := bufio.NewReader(conn).ReadString('\n'); line != "+PONG\r\n" {
			t.Errorf("%s: %q", server.Name, line)
		}
		conn.Close()
	}
	s.Close()
	s.Close()
	for _, server := range servers {
		if conn, err := net.Dial("tcp", server.Addr); err == nil {
			conn.Close()
			t.Errorf("%s still listens", server.Name)
		}
	}
}

func TestKeysLiveOnAShardEach(t *testing.T) {
	s, err := Start(len(Keys))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m, err := shard.New(shard.Config{Servers: s.Servers()})
	if err != nil {
		t.Fatal(err)
	}
	used := map[int]string{}
	for _, key := range Keys {
		i := m.Lookup([]byte(key))
		if used[i] != "" {
			t.Errorf("%s and %s are both on shard %d", used[i], key, i)
		}
		used[i] = key
	}
}

// redis-cli sends COMMAND DOCS at its start, and ends if the reply has an unexpected shape.
func TestDemoRefusesCommandDocs(t *testing.T) {
	s, err := Start(1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := testkit.Dial(t, s.Servers()[0].Addr)
	if got := c.Do("command", "docs"); !strings.HasPrefix(got, "-ERR unknown subcommand") {
		t.Errorf("COMMAND DOCS: %.100q", got)
	}
	if got := c.Do("SET", "k", "v"); got != "+OK\r\n" {
		t.Errorf("SET: %q", got)
	}
}
