package main

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
	data     plane
	topology *topology.Topology
	dropped  func() uint64 // log lines; nil: none ever is
	stopping *atomic.Bool
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
	return []stats.UpstreamView{{
		Name: "default", Servers: s.topology.Names(), Replicas: s.topology.ReplicaStats(), Topology: s.topology.Counted(),
	}}
}

// Topology is admin.Source. What servers do not escape only the loops know, and is left out where they do not answer.
func (s source) Topology() any {
	ctx, cancel := context.WithTimeout(context.Background(), describeTimeout)
	defer cancel()
	loops, err := s.data.Snapshot(ctx)
	if err != nil {
		loops = nil
	}
	return s.topology.Describe(topology.Unescaped(loops, 0))
}

// LogDropped is admin.Source.
func (s source) LogDropped() uint64 {
	if s.dropped == nil {
		return 0
	}
	return s.dropped()
}
