package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"ringmaster/control/config"
	"ringmaster/control/topology"
	"ringmaster/shard"
)

// oneOfEach refuses settings with what is not available yet: several upstreams, and listeners that treat their clients differently.
func oneOfEach(c *config.Config) error {
	if len(c.Upstreams) > 1 {
		return errors.New("several upstreams are not available yet")
	}
	for _, l := range c.Listeners {
		if !l.Alike(c.Listeners[0]) {
			return fmt.Errorf("listeners with different settings are not available yet: %s and %s", c.Listeners[0].Name, l.Name)
		}
	}
	return nil
}

// newTopology finds the servers of an upstream.
func newTopology(ctx context.Context, u config.Upstream, log *slog.Logger) (*topology.Topology, error) {
	t, err := topologyConfig(u.Config, log)
	if err != nil {
		return nil, err
	}
	return topology.New(ctx, t)
}

// topologyConfig translates settings into what a topology takes.
func topologyConfig(c *config.Config, log *slog.Logger) (topology.Config, error) {
	t := topology.Config{
		Kind:      topology.Kind(c.Topology),
		Masters:   c.SentinelMasters,
		Placement: c.Placement(),
		Servers:   topology.Login{Username: c.UpstreamUsername, Password: c.UpstreamPassword.Reveal()},
		Sentinels: topology.Login{Username: c.SentinelUsername, Password: c.SentinelPassword.Reveal()},
		Reads:     c.ReadPolicy,
		MaxLag:    c.ReplicaMaxLag,
		Zone:      c.Zone,
		Zones:     c.ServerZones,
		Timeout:   c.DialTimeout,
		Log:       log,
	}
	if c.Topology == config.Cluster || c.Topology == config.Sentinel {
		t.Seeds = addrs(c.Upstream)
		return t, nil
	}
	var err error
	t.Fixed, err = c.Map()
	t.Groups = c.Groups()
	return t, err
}

func addrs(servers []shard.Server) (list []string) {
	for _, s := range servers {
		list = append(list, s.Addr)
	}
	return list
}
