package main

import (
	"context"
	"log/slog"
	"net"
	"time"

	"ringmaster/auth"
	"ringmaster/command"
	"ringmaster/control/config"
	"ringmaster/control/topology"
	"ringmaster/eventloop"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/stats"
)

// plane is the running data plane.
type plane interface {
	topology.Data
	// Snapshot copies every loop's counters.
	Snapshot(ctx context.Context) ([]stats.Loop, error)
	// Ready is nil when every server but replicas can be reached, otherwise it names those that cannot.
	Ready(ctx context.Context) error
	// Shutdown stops accepting, finishes what is in flight, and closes what is left when
	// ctx ends; then its error is ctx's.
	Shutdown(ctx context.Context) error
}

var scriptPolicies = map[string]pool.ScriptPolicy{
	config.ScriptsAuto: pool.ScriptsAuto, config.ScriptsShared: pool.ScriptsShared, config.ScriptsOwn: pool.ScriptsOwn,
}

// starter starts a data plane; tests replace it.
type starter func(eventloop.Config) (plane, error)

func startPlane(c eventloop.Config) (plane, error) { return eventloop.Start(c) }

// planeConfig translates settings into what the data plane takes.
func planeConfig(c *config.Config, top *topology.Topology, listeners []net.Listener, maxClients int, log *slog.Logger) eventloop.Config {
	l, u := c.Listeners[0], c.Upstreams[0] // oneOfEach has seen to it
	var passwords []string
	if l.Password != "" {
		passwords = append(passwords, l.Password.Reveal())
	}
	limits := parser.DefaultLimits()
	limits.MaxBulk = l.MaxBulk
	return eventloop.Config{
		Listeners:    listeners,
		Loops:        c.Loops,
		Level:        c.Level,
		LockThread:   c.LockThread,
		Map:          top.Initial(),
		Health:       top.Health(),
		Policy:       auth.NewPolicy(passwords...),
		MaxOwn:       c.PinnedConnections,
		ClientMemory: c.ClientMemory,
		MaxClients:   maxClients,
		TCPKeepAlive: l.TCPKeepAlive,
		Logger:       log,
		Crowded:      processors(c, log),
		Upstream: pool.Config{
			Connections:     u.UpstreamConnections,
			ProveMulti:      true,
			Spare:           1,
			Reads:           u.ReadPolicy,
			Resend:          top.Discovered(),
			Cluster:         u.Topology == config.Cluster,
			Hint:            top.Hint,
			Slot:            session.SlotOf(limits, top.Initial()),
			Scripts:         session.ScriptCommands(),
			ScriptPolicy:    scriptPolicies[u.Scripts],
			Witness:         session.Witness(limits),
			Username:        u.UpstreamUsername,
			Password:        u.UpstreamPassword.Reveal(),
			DialTimeout:     u.DialTimeout,
			Timeout:         u.Timeout,
			StallTimeout:    u.StallTimeout,
			BackoffMin:      u.BackoffMin,
			BackoffMax:      u.BackoffMax,
			MaxPending:      u.PendingRequests,
			MaxPendingBytes: u.PendingBytes,
		},
		Session: session.Config{
			Sharded:               !u.Single(),
			Limits:                limits,
			IdleTimeout:           l.IdleTimeout,
			QueryBufferLimit:      l.QueryBufferLimit,
			Reads:                 u.ReadPolicy,
			AdminCommands:         l.AdminCommands,
			Cluster:               session.Cluster{Enabled: l.ClusterFacade, Announce: l.ClusterAnnounce},
			DenyCommands:          l.DenyCommands,
			DenyScripts:           l.DenyScripts,
			RenameCommands:        l.RenameCommands,
			OutputLimit:           l.OutputLimit,
			ReadTimeout:           l.ClientReadTimeout,
			SubscriberOutputLimit: l.SubscriberOutputLimit,
			Resubscribe:           u.Resubscribe,
			FarewellTime:          min(longestFarewell, c.DrainTimeout/2),
			MaxInFlight:           l.MaxInFlight,
			MaxInFlightBytes:      l.MaxInFlightBytes,
			FirstWindow:           session.FirstWindow,
		},
	}
}

// longestFarewell bounds the part of the drain in which servers are asked to free clients that wait at them.
const longestFarewell = 2 * time.Second

// commandNames names command IDs for the metrics.
func commandNames() []string {
	specs := command.All()
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	return names
}
