package process

import (
	"context"
	"net"
	"strings"
	"time"

	"ringmaster/control/admin"
	"ringmaster/control/topology"
	"ringmaster/stats"
)

// describeTimeout bounds how long /topology waits for the loops. After that it leaves out what only the loops know.
const describeTimeout = time.Second

// source is admin.Source: the process as the admin server sees it.
type source struct{ *process }

// Snapshot is admin.Source.
func (s source) Snapshot(ctx context.Context) ([]stats.Loop, error) { return s.data.Snapshot(ctx) }

// Ready is admin.Source. A process that is about to stop is not ready, so that it gets no new clients.
func (s source) Ready(ctx context.Context) error {
	if s.stopping.Load() {
		return admin.ErrStopping
	}
	return s.data.Ready(ctx)
}

// Upstreams is admin.Source.
func (s source) Upstreams() []stats.UpstreamView {
	var all []stats.UpstreamView
	for _, u := range s.state.Load().upstreams {
		all = append(all, stats.UpstreamView{
			Name: u.Name, Servers: u.topology.Names(), Replicas: u.topology.ReplicaStats(), Topology: u.topology.Counted(),
		})
	}
	return all
}

// Topology is admin.Source. Only the loops know what servers do not escape, so that is left out if they do not
// answer.
func (s source) Topology() any {
	ctx, cancel := context.WithTimeout(context.Background(), describeTimeout)
	defer cancel()
	loops, err := s.data.Snapshot(ctx)
	if err != nil {
		loops = nil
	}
	var d described
	for _, u := range s.state.Load().upstreams {
		d.Upstreams = append(d.Upstreams, describedUpstream{u.Name, u.topology.Describe(topology.Unescaped(loops, u.Name))})
	}
	return d
}

// described returns what /topology shows.
type described struct{ Upstreams []describedUpstream }

type describedUpstream struct {
	Name string
	*topology.Description
}

// LogDropped is admin.Source.
func (s source) LogDropped() uint64 {
	if s.Options.LogDropped == nil {
		return 0
	}
	return s.Options.LogDropped()
}

// Settings is admin.Source.
func (s source) Settings() stats.Settings {
	now := s.state.Load()
	of := stats.Settings{MaxClients: uint64(max(now.maxClients, 0)), Generation: now.generation, Digest: now.digest}
	s.reloads.count(&of)
	return of
}

// Hosts is admin.Source.
func (s source) Hosts() []string {
	c := s.state.Load().config
	host, _, _ := net.SplitHostPort(c.Admin)
	return append([]string{strings.ToLower(host)}, c.AdminHosts...)
}

// Reload is admin.Source.
func (s source) Reload(ctx context.Context) (*admin.Reloaded, error) { return s.reloads.wait(ctx) }
