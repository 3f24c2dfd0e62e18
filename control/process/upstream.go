package process

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"ringmaster/control/config"
	"ringmaster/control/topology"
	"ringmaster/pool"
	"ringmaster/shard"
	"ringmaster/stats"
)

// upstream is a set of servers with its settings. It never changes after it runs: a reload makes a new one with the
// same topology.
type upstream struct {
	config.Upstream
	topology follower
	label    string // its name in the log; "" if it was the only upstream when it began
	log      *slog.Logger
	end      context.CancelFunc // ends Run of the topology; nil: it has not begun
}

// follower is a topology.Topology, or a test's fake.
type follower interface {
	Initial() *shard.Map
	Discovered() bool
	Hint()
	Health() pool.Health
	Names() []string
	Describe(unescaped [][]string) *topology.Description
	Counted() *stats.Topology
	ReplicaStats() map[string]stats.Replica
	Run(ctx context.Context, data topology.Data)
	// Prepare prepares other settings. Commit or Abort of the change must follow.
	Prepare(c topology.Config) (change, error)
}

// change is a prepared change of a topology.
type change interface {
	// Map is the new map for the data plane; nil: it keeps its map.
	Map() *shard.Map
	Commit()
	Abort()
}

// finder finds the first servers of an upstream.
type finder func(ctx context.Context, c topology.Config) (follower, error)

// followed adapts a topology to follower.
type followed struct{ *topology.Topology }

func findTopology(ctx context.Context, c topology.Config) (follower, error) {
	t, err := topology.New(ctx, c)
	if err != nil {
		return nil, err
	}
	return followed{t}, nil
}

// Prepare is follower.
func (f followed) Prepare(c topology.Config) (change, error) {
	made, err := f.Topology.Prepare(c)
	if err != nil {
		return nil, err // not made, which would be a change that is not nil
	}
	return made, nil
}

// findUpstreams finds the servers of all upstreams. The error names every upstream whose servers can't be found.
func findUpstreams(ctx context.Context, c *config.Config, log *slog.Logger, find finder) ([]*upstream, error) {
	all := make([]*upstream, len(c.Upstreams))
	failed := make([]error, len(all))
	var wg sync.WaitGroup
	for i, u := range c.Upstreams {
		wg.Go(func() { all[i], failed[i] = findUpstream(ctx, u, len(c.Upstreams) > 1, log, find) })
	}
	wg.Wait()
	return all, errors.Join(failed...)
}

// findUpstream makes an upstream of its settings and finds its servers. several says that the log must name the
// upstream.
func findUpstream(ctx context.Context, settings config.Upstream, several bool, log *slog.Logger, find finder) (*upstream, error) {
	u := &upstream{Upstream: settings, log: log}
	if several {
		u.label, u.log = settings.Name, log.With(slog.String("upstream", settings.Name))
	}
	c, err := topologyConfig(settings.Config, u.label, log)
	if err != nil {
		return nil, err
	}
	if u.topology, err = find(ctx, c); err != nil {
		return nil, err
	}
	return u, nil
}

// run runs the topology until ctx ends or u.end is called.
func (u *upstream) run(ctx context.Context, data topology.Data) {
	ctx, u.end = context.WithCancel(ctx)
	go u.topology.Run(ctx, data)
}

// forget closes what finding the servers has opened.
func (u *upstream) forget() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	u.topology.Run(ended, nowhere{})
}

// nowhere is a data plane that ignores everything.
type nowhere struct{}

func (nowhere) Follow(*shard.Map) {}
func (nowhere) Judge(pool.Health) {}

// topologyConfig translates settings into those of a topology.
func topologyConfig(c *config.Config, name string, log *slog.Logger) (topology.Config, error) {
	t := topology.Config{
		Name:      name,
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
