package topology

import (
	"log/slog"
	"time"

	"ringmaster/control/replicas"
	"ringmaster/shard"
)

// Kind says how an upstream's servers are found, in the words of the setting topology.
type Kind string

// The kinds. The servers of the first two are fixed, those of the others are discovered.
const (
	Standalone Kind = "standalone" // one server
	Sharded    Kind = "sharded"    // several
	Cluster    Kind = "cluster"    // the nodes of a Redis Cluster
	Sentinel   Kind = "sentinel"   // primaries that Redis Sentinel watches
)

// Login is the proxy's user at the servers. Without a password there is no login.
type Login struct{ Username, Password string }

// Config describes one upstream. Its values may be shared, because New keeps them unchanged.
type Config struct {
	// Name is the upstream's name for errors and the log; empty: there is only one upstream.
	Name string
	Kind Kind
	// Seeds are the cluster nodes or sentinels that are asked first, HOST:PORT.
	Seeds []string
	// Masters are the names to follow under Sentinel, one shard each, and Placement places keys on them.
	Masters   []string
	Placement shard.Config
	// Fixed places keys on the servers of a list, as shard.New makes it. Groups lists these servers with their given
	// replicas. Discovered kinds have neither.
	Fixed  *shard.Map
	Groups []shard.Group
	// Servers is the login at the servers, Sentinels at the sentinels.
	Servers, Sentinels Login
	// Reads says which servers answer commands that only read. Replicas are watched unless it is [shard.ReadPrimary].
	Reads shard.ReadPolicy
	// MaxLag is the largest lag with which a replica is read from; 0: no bound.
	MaxLag time.Duration
	// Zone is the proxy's own zone, "" if unknown. Zones are the servers' zones, by address or name.
	Zone  string
	Zones map[string]string
	// Timeout is the time in which a server or sentinel must answer, including the dial.
	Timeout time.Duration
	// Log gets the lines for operators. Nil is slog.Default().
	Log *slog.Logger
}

// logger returns c's log, which names the upstream if there are several.
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

// replicas returns the settings of the replicas' watcher. If the servers are fixed, it asks the primaries for their
// replicas.
func (c *Config) replicas(log *slog.Logger) replicas.Config {
	return replicas.Config{
		MaxLag: c.MaxLag, Zone: c.Zone, Zones: c.Zones, Discover: c.Fixed != nil,
		Username: c.Servers.Username, Password: c.Servers.Password, Timeout: c.Timeout, Log: log,
	}
}
