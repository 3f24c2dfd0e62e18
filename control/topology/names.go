package topology

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"time"

	"ringmaster/shard"
)

// lookUpLimit bounds the lookup of the servers' names for a warning.
const lookUpLimit = 10 * time.Second

// watchNames warns about names that lead to one server, at first and after each change of fixed servers, until ctx
// ends.
func (t *Topology) watchNames(ctx context.Context) {
	if t.watcher != nil {
		return
	}
	var known [][2]shard.Server
	for {
		known = t.warnOfNames(ctx, known)
		select {
		case <-ctx.Done():
			return
		case <-t.renamed:
		}
	}
}

// warnOfNames looks up the names of fixed servers and warns about those that lead to one address. Each name counts as
// a separate server, so commands for all servers reach that one more than once. A name that can't be looked up is
// left out. It returns all such pairs, and does not warn about pairs in known.
func (t *Topology) warnOfNames(ctx context.Context, known [][2]shard.Server) [][2]shard.Server {
	m := t.current.Load()
	if len(m.Shards()) < 2 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpLimit)
	defer cancel()
	var servers []shard.Server
	for _, i := range m.Shards() {
		servers = append(servers, m.Server(i))
	}
	pairs := sameServers(servers, func(host string) []string { return t.lookUp(ctx, host) })
	for _, pair := range pairs {
		if slices.Contains(known, pair) {
			continue
		}
		t.log.Warn("two names lead to the same server, so DBSIZE, KEYS, SCAN and messages to patterns count it twice; use the same host in both",
			slog.String("server", pair[0].Name), slog.String("other", pair[1].Name), slog.String("address", pair[0].Addr), slog.String("other_address", pair[1].Addr))
	}
	return pairs
}

func lookUp(ctx context.Context, host string) []string {
	addrs, _ := net.DefaultResolver.LookupHost(ctx, host)
	return addrs
}

// sameServers returns the pairs of servers that have the same port, and hosts with a common address.
func sameServers(servers []shard.Server, lookUp func(host string) []string) (pairs [][2]shard.Server) {
	type place struct {
		server shard.Server
		port   string
		addrs  []string
	}
	var places []place
	for _, s := range servers {
		host, port, err := net.SplitHostPort(s.Addr)
		if err != nil {
			continue // a unix socket
		}
		addrs := []string{host}
		if net.ParseIP(host) == nil {
			addrs = lookUp(host)
		}
		p := place{s, port, addrs}
		i := slices.IndexFunc(places, func(o place) bool {
			return o.port == p.port && slices.ContainsFunc(o.addrs, func(a string) bool { return slices.Contains(p.addrs, a) })
		})
		if i >= 0 {
			pairs = append(pairs, [2]shard.Server{places[i].server, s})
		}
		places = append(places, p)
	}
	return pairs
}
