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
	var passwords []string
	if c.Password != "" {
		passwords = append(passwords, c.Password.Reveal())
	}
	limits := parser.DefaultLimits()
	limits.MaxBulk = c.MaxBulk
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
		TCPKeepAlive: c.TCPKeepAlive,
		Logger:       log,
		Crowded:      processors(c, log),
		Upstream: pool.Config{
			Connections:     c.UpstreamConnections,
			ProveMulti:      true,
			Spare:           1,
			Reads:           c.ReadPolicy,
			Resend:          top.Discovered(),
			Cluster:         c.Topology == config.Cluster,
			Hint:            top.Hint,
			Slot:            session.SlotOf(limits, top.Initial()),
			Scripts:         session.ScriptCommands(),
			ScriptPolicy:    scriptPolicies[c.Scripts],
			Witness:         session.Witness(limits),
			Username:        c.UpstreamUsername,
			Password:        c.UpstreamPassword.Reveal(),
			DialTimeout:     c.DialTimeout,
			Timeout:         c.Timeout,
			StallTimeout:    c.StallTimeout,
			BackoffMin:      c.BackoffMin,
			BackoffMax:      c.BackoffMax,
			MaxPending:      c.PendingRequests,
			MaxPendingBytes: c.PendingBytes,
		},
		Session: session.Config{
			Sharded:               !c.Single(),
			Limits:                limits,
			IdleTimeout:           c.IdleTimeout,
			QueryBufferLimit:      c.QueryBufferLimit,
			Reads:                 c.ReadPolicy,
			AdminCommands:         c.AdminCommands,
			Cluster:               session.Cluster{Enabled: c.ClusterFacade, Announce: c.ClusterAnnounce},
			DenyCommands:          c.DenyCommands,
			DenyScripts:           c.DenyScripts,
			RenameCommands:        c.RenameCommands,
			OutputLimit:           c.OutputLimit,
			ReadTimeout:           c.ClientReadTimeout,
			SubscriberOutputLimit: c.SubscriberOutputLimit,
			Resubscribe:           c.Resubscribe,
			FarewellTime:          min(longestFarewell, c.DrainTimeout/2),
			MaxInFlight:           c.MaxInFlight,
			MaxInFlightBytes:      c.MaxInFlightBytes,
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
