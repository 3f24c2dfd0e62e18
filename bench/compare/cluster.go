package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"ringmaster/bench/proc"
)

// slots is the number of hash slots of a Redis Cluster.
const slots = 16384

// cluster returns the nodes of a Redis Cluster of primaries, started when first needed.
func (a *arena) cluster(ctx context.Context) ([]server, error) {
	if a.nodes != nil {
		return a.nodes, nil
	}
	for i := range shards {
		bus, err := proc.FreePort()
		if err != nil {
			return nil, err
		}
		s, err := a.startServer(ctx, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus),
			"--cluster-config-file", fmt.Sprintf("node-%d.conf", i))
		if err != nil {
			return nil, err
		}
		a.nodes = append(a.nodes, s)
		err = errors.Join(
			probe(s.addr, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1)),
			probe(s.addr, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/shards), strconv.Itoa((i+1)*slots/shards-1)),
		)
		if err == nil && i > 0 {
			host, port, _ := net.SplitHostPort(s.addr)
			err = probe(a.nodes[0].addr, "CLUSTER", "MEET", host, port, strconv.Itoa(bus))
		}
		if err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for _, s := range a.nodes {
		if err := s.proc.WaitReady(ctx, func() error { return joined(s.addr) }); err != nil {
			return nil, err
		}
	}
	return a.nodes, nil
}

// joined reports whether the node at addr sees all slots served. Until then it refuses keys, or redirects to a node
// that does.
func joined(addr string) error {
	err := probe(addr, "GET", "probe")
	if err != nil && strings.Contains(err.Error(), "MOVED") {
		return nil
	}
	return err
}
