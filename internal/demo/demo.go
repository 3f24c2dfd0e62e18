package demo

import (
	"fmt"
	"strings"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"ringmaster/shard"
)

// Keys are three keys that live on three different shards, if three are started and placed by the default
// distribution and hash.
var Keys = []string{"red", "green", "blue"}

// Shards is a set of running servers.
type Shards struct {
	running []*miniredis.Miniredis
}

// Start runs n servers on free ports of 127.0.0.1, until Close.
func Start(n int) (*Shards, error) {
	s := new(Shards)
	for i := range n {
		m := miniredis.NewMiniRedis()
		if err := m.Start(); err != nil {
			s.Close()
			return nil, fmt.Errorf("demo shard %d of %d cannot listen on 127.0.0.1: %w", i+1, n, err)
		}
		m.Server().SetPreHook(withoutDocs)
		s.running = append(s.running, m)
	}
	return s, nil
}

// withoutDocs makes COMMAND DOCS an error, as before Redis 7. miniredis answers it like COMMAND, and redis-cli, which
// sends it at its start, does not survive that.
func withoutDocs(c *server.Peer, cmd string, args ...string) bool {
	if !strings.EqualFold(cmd, "COMMAND") || len(args) == 0 || !strings.EqualFold(args[0], "DOCS") {
		return false
	}
	c.WriteError("ERR unknown subcommand 'DOCS'. Try COMMAND HELP.")
	return true
}

// Servers names the servers demo-1, demo-2, ... each with weight 1. The names do not
// depend on the ports, so that a key lives on the same shard in every demo.
func (s *Shards) Servers() []shard.Server {
	servers := make([]shard.Server, len(s.running))
	for i, m := range s.running {
		servers[i] = shard.Server{Name: fmt.Sprintf("demo-%d", i+1), Addr: m.Addr(), Weight: 1}
	}
	return servers
}

// Close stops the servers. It may be called again.
func (s *Shards) Close() {
	for _, m := range s.running {
		m.Close()
	}
	s.running = nil
}
