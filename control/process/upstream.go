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

// upstream is a set of servers with its settings. It is not changed once it runs: a reload makes another with the same topology.
type upstream struct {
	config.Upstream
	topology follower
	label    string // its name in the log; "" if it began alone
	log      *slog.Logger
	end      context.CancelFunc // ends Run of the topology; nil: it has not begun
}

// follower is a topology.Topology, or what a test puts in its place.
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
	// Prepare makes ready for other settings. One of Commit and Abort of the change must follow.
	Prepare(c topology.Config) (change, error)
}

// change is what a topology has made ready.
type change interface {
	// Map is what the data plane shall follow; nil: what it has.
	Map() *shard.Map
	Commit()
	Abort()
}

// finder finds the servers of an upstream to begin with.
type finder func(ctx context.Context, c topology.Config) (follower, error)

// followed is a topology as a follower.
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
		return nil, err // and no change, which made would be
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

// findUpstream makes an upstream of its settings: it asks for the servers. several: the log must say which upstream it is about.
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

// run has the topology followed until ctx ends or u.end is called.
func (u *upstream) run(ctx context.Context, data topology.Data) {
	ctx, u.end = context.WithCancel(ctx)
	go u.topology.Run(ctx, data)
}

// forget ends what finding the servers has begun.
func (u *upstream) forget() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	u.topology.Run(ended, nowhere{})
}

// nowhere is a data plane that there is not.
type nowhere struct{}

func (nowhere) Follow(*shard.Map) {}
func (nowhere) Judge(pool.Health) {}

// topologyConfig translates settings into what a topology takes.
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
