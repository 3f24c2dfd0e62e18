package process

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"ringmaster/control/topology"
	"ringmaster/stats"
)

// describeTimeout bounds how long /topology waits for the loops; after that it leaves out what only they know.
const describeTimeout = time.Second

var errStopping = errors.New("ringmaster is stopping")

// source is admin.Source: the process as the admin server sees it.
type source struct {
	data      Plane
	upstreams []upstream
	dropped   func() uint64 // log lines; nil: none ever is
	stopping  *atomic.Bool
}

// Snapshot is admin.Source.
func (s source) Snapshot(ctx context.Context) ([]stats.Loop, error) { return s.data.Snapshot(ctx) }

// Ready is admin.Source: nobody should send clients to a process that is about to stop.
func (s source) Ready(ctx context.Context) error {
	if s.stopping.Load() {
		return errStopping
	}
	return s.data.Ready(ctx)
}

// Upstreams is admin.Source.
func (s source) Upstreams() []stats.UpstreamView {
	var all []stats.UpstreamView
	for _, u := range s.upstreams {
		all = append(all, stats.UpstreamView{
			Name: u.Name, Servers: u.topology.Names(), Replicas: u.topology.ReplicaStats(), Topology: u.topology.Counted(),
		})
	}
	return all
}

// Topology is admin.Source. What servers do not escape only the loops know, and is left out where they do not answer.
func (s source) Topology() any {
	ctx, cancel := context.WithTimeout(context.Background(), describeTimeout)
	defer cancel()
	loops, err := s.data.Snapshot(ctx)
	if err != nil {
		loops = nil
	}
	var d described
	for i, u := range s.upstreams {
		d.Upstreams = append(d.Upstreams, describedUpstream{u.Name, u.topology.Describe(topology.Unescaped(loops, i))})
	}
	return d
}

// described is what /topology shows.
type described struct{ Upstreams []describedUpstream }

type describedUpstream struct {
	Name string
	*topology.Description
}

// LogDropped is admin.Source.
func (s source) LogDropped() uint64 {
	if s.dropped == nil {
		return 0
	}
	return s.dropped()
}
