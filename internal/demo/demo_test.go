package demo

import (
	"bufio"
	"net"
	"testing"

	"go.uber.org/goleak"

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

func TestServersMakeAMapOverAllShards(t *testing.T) {
	s, err := Start(3)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m, err := shard.New(shard.Config{Servers: s.Servers()})
	if err != nil {
		t.Fatal(err)
	}
	used := map[int]bool{}
	for _, key := range []string{"user:1", "user:2", "user:3", "user:4", "user:5", "user:6", "user:7", "user:8"} {
		used[m.Lookup([]byte(key))] = true
	}
	if len(used) != 3 {
		t.Errorf("eight keys use %d shards", len(used))
	}
}
