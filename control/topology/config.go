package topology

import (
	"log/slog"
	"time"

	"ringmaster/control/replicas"
	"ringmaster/shard"
)

// Kind is how an upstream's servers are known, in the words of the setting topology.
type Kind string

// The kinds. The servers of the first two are fixed, those of the others are discovered.
const (
	Standalone Kind = "standalone" // one server
	Sharded    Kind = "sharded"    // several
	Cluster    Kind = "cluster"    // the nodes of a Redis Cluster
	Sentinel   Kind = "sentinel"   // primaries that Redis Sentinel watches
)

// Login is the user that the proxy is at servers; without a password nothing is sent.
type Login struct{ Username, Password string }

// Config describes one upstream. Any value may be shared; New keeps it and changes nothing.
type Config struct {
	// Name is the upstream's name, which then stands in errors and in the log; empty: there is only one upstream.
	Name string
	Kind Kind
	// Seeds are the nodes of a cluster, or the sentinels, to begin with: HOST:PORT.
	Seeds []string
	// Masters are the names that are followed under Sentinel, one shard each, and Placement places keys on them.
	Masters   []string
	Placement shard.Config
	// Fixed places keys on the servers of a list, as shard.New makes it, and Groups lists these servers with the replicas that are given.
	// Kinds that are discovered have neither.
	Fixed  *shard.Map
	Groups []shard.Group
	// Servers is the login at the servers, Sentinels at the sentinels.
	Servers, Sentinels Login
	// Reads says which servers answer commands that only read. With any policy but [shard.ReadPrimary] replicas are watched.
	Reads shard.ReadPolicy
	// MaxLag is by how much a replica may lag and still be read from; 0: no bound.
	MaxLag time.Duration
	// Zone is the proxy's own zone, "" where it is not known; Zones are the servers', by address or name.
	Zone  string
	Zones map[string]string
	// Timeout is what a server or sentinel that is asked has to answer in, the connection included.
	Timeout time.Duration
	// Log takes what operators should read. Nil is slog.Default().
	Log *slog.Logger
}

// logger is c's log, in which the upstream is named if there are several.
func (c *Config) logger() *slog.Logger {
	log := c.Log
	if log == nil {
		log = slog.Default()
	}
	if c.Name != "" {
		log = log.With(slog.String("upstream", c.Name))
	}
	return log
}

// replicas is what the watcher of replicas is told. Where the servers are fixed, primaries are asked for their replicas.
func (c *Config) replicas(log *slog.Logger) replicas.Config {
	return replicas.Config{
		MaxLag: c.MaxLag, Zone: c.Zone, Zones: c.Zones, Discover: c.Fixed != nil,
		Username: c.Servers.Username, Password: c.Servers.Password, Timeout: c.Timeout, Log: log,
	}
}
