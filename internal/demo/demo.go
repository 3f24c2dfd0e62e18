package demo

import (
	"fmt"

	"github.com/alicebob/miniredis/v2"

	"ringmaster/shard"
)

// Keys are keys of which each lives on a shard of its own when three are started and placed by
// the default distribution and hash.
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
		s.running = append(s.running, m)
	}
	return s, nil
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
