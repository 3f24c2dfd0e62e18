package process

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"ringmaster/control/config"
	"ringmaster/control/topology"
	"ringmaster/shard"
)

// upstream is a set of servers with its settings.
type upstream struct {
	config.Upstream
	topology *topology.Topology
}

// findUpstreams finds the servers of all upstreams. The error names every upstream whose servers can't be found.
func findUpstreams(ctx context.Context, c *config.Config, log *slog.Logger) ([]upstream, error) {
	all := make([]upstream, len(c.Upstreams))
	failed := make([]error, len(all))
	var wg sync.WaitGroup
	for i, u := range c.Upstreams {
		wg.Go(func() {
			failed[i] = all[i].find(ctx, c, u, log)
		})
	}
	wg.Wait()
	return all, errors.Join(failed...)
}

// find makes u of its settings: it asks for the servers.
func (u *upstream) find(ctx context.Context, c *config.Config, settings config.Upstream, log *slog.Logger) (err error) {
	u.Upstream = settings
	t, err := topologyConfig(settings.Config, log)
	if err != nil {
		return err
	}
	if len(c.Upstreams) > 1 {
		t.Name = settings.Name
	}
	u.topology, err = topology.New(ctx, t)
	return err
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
