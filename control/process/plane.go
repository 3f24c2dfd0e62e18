package process

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"time"

	"ringmaster/auth"
	"ringmaster/command"
	"ringmaster/control/config"
	"ringmaster/control/topology"
	"ringmaster/eventloop"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/dispatch"
	"ringmaster/session/pace"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Plane is the running data plane.
type Plane interface {
	// Upstream returns the handle of the upstream with a name.
	Upstream(name string) topology.Data
	// Apply applies a plan before it returns. It takes the sockets of the plan. After an error nothing has changed,
	// except after that of ctx: then the plan is applied nevertheless.
	Apply(ctx context.Context, p eventloop.Plan) error
	// Snapshot copies every loop's counters.
	Snapshot(ctx context.Context) ([]stats.Loop, error)
	// Handshakes counts the TLS handshakes of a listener by result.
	Handshakes(listener string) [stats.TLSResults]uint64
	// Ready returns nil if every server except replicas can be reached; otherwise the error names those that cannot.
	Ready(ctx context.Context) error
	// Shutdown stops accepting and finishes the requests in flight. When ctx ends, it closes the rest and returns
	// ctx's error.
	Shutdown(ctx context.Context) error
}

var scriptPolicies = map[string]pool.ScriptPolicy{
	config.ScriptsAuto: pool.ScriptsAuto, config.ScriptsShared: pool.ScriptsShared, config.ScriptsOwn: pool.ScriptsOwn,
}

// Starter starts a data plane.
type Starter func(eventloop.Config) (Plane, error)

// StartPlane runs the data plane on event loops.
func StartPlane(c eventloop.Config) (Plane, error) {
	srv, err := eventloop.Start(c)
	if err != nil {
		return nil, err
	}
	return running{srv}, nil
}

// running adapts the data plane to Plane.
type running struct{ *eventloop.Server }

// Upstream is Plane.
func (r running) Upstream(name string) topology.Data { return r.Server.Upstream(name) }

// planeConfig translates settings into the data plane's first configuration.
func (p *process) planeConfig(s *state) eventloop.Config {
	c := s.config
	e := eventloop.Config{
		Loops:            c.Loops,
		Level:            c.Level,
		LockThread:       c.LockThread,
		MaxOwn:           c.PinnedConnections,
		FarewellTime:     farewellTime(c),
		ClientMemory:     c.ClientMemory,
		MaxClients:       s.maxClients,
		MaxHandshakes:    c.MaxHandshakes,
		HandshakeTimeout: c.HandshakeTimeout,
		Logger:           p.Log,
		Crowded:          processors(c, p.Log),
	}
	for i, l := range c.Listeners {
		e.Listeners = append(e.Listeners, listenerConfig(c, l, s.sockets[i].Listener, s.tlsConfig(i)))
	}
	for _, u := range s.upstreams {
		e.Upstreams = append(e.Upstreams, p.upstreamConfig(u, u.topology.Initial()))
	}
	return e
}

// listenerConfig translates the settings of a listener of c. opened is its socket; nil: it keeps its current one.
// secure is its TLS; nil: it has none.
func listenerConfig(c *config.Config, l config.Listener, opened net.Listener, secure *tls.Config) eventloop.Listener {
	to := slices.IndexFunc(c.Upstreams, func(u config.Upstream) bool { return u.Name == l.Upstream })
	return eventloop.Listener{Name: l.Name, Listener: opened, Upstream: to, KeepAlive: l.TCPKeepAlive, TLS: secure, Session: sessionConfig(l), Policy: policyOf(l)}
}

// upstreamConfig translates the settings of an upstream. m is its map; nil: it keeps its current one.
func (p *process) upstreamConfig(u *upstream, m *shard.Map) eventloop.Upstream {
	return eventloop.Upstream{
		Name: u.Name, Map: m, Health: u.topology.Health(), Pool: poolConfig(u), Logger: u.log,
		Session: session.Upstream{
			Sharded: !u.Single(), Reads: u.ReadPolicy, Resubscribe: u.Resubscribe, ListChanges: p.Load != nil && !u.topology.Discovered(),
		},
	}
}

// policyOf makes the login policy of a listener.
func policyOf(l config.Listener) *auth.Policy {
	if l.Password == "" {
		return auth.NewPolicy()
	}
	return auth.NewPolicy(l.Password.Reveal())
}

func limitsOf(l config.Listener) parser.Limits {
	limits := parser.DefaultLimits()
	limits.MaxBulk = l.MaxBulk
	return limits
}

// poolConfig translates the settings for connections to an upstream's servers.
func poolConfig(u *upstream) pool.Config {
	c := u.Config
	return pool.Config{
		Connections:     c.UpstreamConnections,
		ProveMulti:      true,
		Spare:           1,
		Reads:           c.ReadPolicy,
		Resend:          u.topology.Discovered(),
		Fixed:           !u.topology.Discovered(),
		Cluster:         c.Topology == config.Cluster,
		Hint:            u.topology.Hint,
		ScriptPolicy:    scriptPolicies[c.Scripts],
		Witness:         dispatch.Witness,
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

// sessionConfig translates the settings for the clients of a listener.
func sessionConfig(l config.Listener) session.Config {
	return session.Config{
		Limits:                limitsOf(l),
		IdleTimeout:           l.IdleTimeout,
		QueryBufferLimit:      l.QueryBufferLimit,
		AdminCommands:         l.AdminCommands,
		Cluster:               session.Cluster{Enabled: l.ClusterFacade, Announce: l.ClusterAnnounce},
		DenyCommands:          l.DenyCommands,
		DenyScripts:           l.DenyScripts,
		RenameCommands:        l.RenameCommands,
		OutputLimit:           l.OutputLimit,
		ReadTimeout:           l.ClientReadTimeout,
		SubscriberOutputLimit: l.SubscriberOutputLimit,
		MaxInFlight:           l.MaxInFlight,
		MaxInFlightBytes:      l.MaxInFlightBytes,
		FirstWindow:           pace.First,
	}
}

// farewellTime returns how long the drain asks servers to unblock the clients that wait at them.
func farewellTime(c *config.Config) time.Duration { return min(longestFarewell, c.DrainTimeout/2) }

// longestFarewell bounds the part of the drain in which servers are asked to unblock the clients that wait at them.
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
