package main

import (
	"context"
	"log/slog"
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
	// Upstream gives access to the nth upstream.
	Upstream(n int) topology.Data
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

func startPlane(c eventloop.Config) (plane, error) {
	srv, err := eventloop.Start(c)
	if err != nil {
		return nil, err
	}
	return running{srv}, nil
}

// running is the data plane as a plane.
type running struct{ *eventloop.Server }

// Upstream is plane.
func (r running) Upstream(n int) topology.Data { return r.Server.Upstream(n) }

// planeConfig translates settings into what the data plane takes.
func planeConfig(c *config.Config, upstreams []upstream, listeners []eventloop.Listener, maxClients int, log *slog.Logger) eventloop.Config {
	var passwords []string
	if c.Password != "" {
		passwords = append(passwords, c.Password.Reveal())
	}
	e := eventloop.Config{
		Listeners:    listeners,
		Loops:        c.Loops,
		Level:        c.Level,
		LockThread:   c.LockThread,
		Policy:       auth.NewPolicy(passwords...),
		MaxOwn:       c.PinnedConnections,
		ClientMemory: c.ClientMemory,
		MaxClients:   maxClients,
		TCPKeepAlive: c.TCPKeepAlive,
		Logger:       log,
		Crowded:      processors(c, log),
	}
	for _, u := range upstreams {
		log := log
		if len(upstreams) > 1 {
			log = log.With(slog.String("upstream", u.name))
		}
		e.Upstreams = append(e.Upstreams, eventloop.Upstream{
			Name: u.name, Map: u.topology.Initial(), Health: u.topology.Health(), Pool: poolConfig(&u), Session: sessionConfig(u.config), Logger: log,
		})
	}
	return e
}

func limitsOf(c *config.Config) parser.Limits {
	limits := parser.DefaultLimits()
	limits.MaxBulk = c.MaxBulk
	return limits
}

// poolConfig is how an upstream's servers are connected to.
func poolConfig(u *upstream) pool.Config {
	c, limits := u.config, limitsOf(u.config)
	return pool.Config{
		Connections:     c.UpstreamConnections,
		ProveMulti:      true,
		Spare:           1,
		Reads:           c.ReadPolicy,
		Resend:          u.topology.Discovered(),
		Cluster:         c.Topology == config.Cluster,
		Hint:            u.topology.Hint,
		Slot:            session.SlotOf(limits, u.topology.Initial()),
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
	}
}

// sessionConfig is what the clients of an upstream may do.
func sessionConfig(c *config.Config) session.Config {
	return session.Config{
		Sharded:               !c.Single(),
		Limits:                limitsOf(c),
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
