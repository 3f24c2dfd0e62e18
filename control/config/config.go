package config

import (
	"fmt"
	"log/slog"
	"time"

	"ringmaster/shard"
)

// Config has the settings after all sources were read and checked. Sizes are bytes. The table of settings explains
// each field, under its name in kebab case.
//
// At the top level the fields of listeners and upstreams hold the defaults for those in Listeners and
// Upstreams; with flat settings both are the same.
type Config struct {
	// Listeners and Upstreams have at least one each once loaded. Their own copies have none.
	Listeners []Listener
	Upstreams []Upstream

	// Clients.
	Listen           []string // the addresses of all listeners once loaded
	Password         Secret
	ProtectedMode    bool
	MaxClients       int
	QueryBufferLimit int
	OutputLimit      int
	ClientMemory     int
	// ClientReadTimeout closes a client over one of these two that reads nothing for longer.
	ClientReadTimeout time.Duration
	MaxBulk           int
	MaxInFlight       int
	MaxInFlightBytes  int
	TCPKeepAlive      time.Duration
	IdleTimeout       time.Duration

	// TLS towards clients. See [Listener.TLS].
	TLSCertFiles       []string
	TLSKeyFiles        []string // of TLSCertFiles, in their order
	TLSCAFile          string
	TLSAuthClients     string // TLSAuthNo, TLSAuthOptional or TLSAuthYes
	TLSAuthClientsUser string
	TLSProtocols       []string // TLSv12 and TLSv13, or one of them

	// Servers.
	Upstream              []shard.Server
	Topology              string // Standalone, Sharded, Cluster or Sentinel once loaded
	SentinelMasters       []string
	SentinelUsername      string
	SentinelPassword      Secret
	Distribution          shard.Distribution
	Hash                  shard.Hash
	HashTag               string
	ReadPolicy            shard.ReadPolicy
	Replicas              map[string][]shard.Server // by the name or address of their primary
	ReplicaMaxLag         time.Duration
	Zone                  string
	ServerZones           map[string]string // by the name or address of a server
	UpstreamUsername      string
	UpstreamPassword      Secret
	UpstreamConnections   int
	Scripts               string // ScriptsAuto, ScriptsShared or ScriptsOwn
	SubscriberOutputLimit int
	Resubscribe           bool
	ClusterFacade         bool
	ClusterAnnounce       []string
	AdminCommands         bool
	DenyCommands          []string
	DenyScripts           bool
	RenameCommands        map[string]string // old name to new, "" disables it; in small letters
	PinnedConnections     int
	DialTimeout           time.Duration
	Timeout               time.Duration
	StallTimeout          time.Duration
	BackoffMin            time.Duration
	BackoffMax            time.Duration
	PendingRequests       int
	PendingBytes          int

	// Process.
	MaxHandshakes     int
	HandshakeTimeout  time.Duration
	TLSReloadInterval time.Duration // 0: never

	Loops         int // never 0 once loaded
	Level         bool
	LockThread    bool
	ShutdownDelay time.Duration
	DrainTimeout  time.Duration
	Admin         string
	AdminHosts    []string // in small letters
	Pprof         bool
	LogLevel      slog.Level
	LogJSON       bool

	clusterFacade        string // as given
	passwordFile         string
	upstreamPasswordFile string
	sentinelPasswordFile string
	sources
}

// The topologies.
const (
	Standalone = "standalone"
	Sharded    = "sharded"
	Cluster    = "cluster"
	Sentinel   = "sentinel"
)

// The connections that scripts go over.
const (
	ScriptsAuto   = "auto"
	ScriptsShared = "shared"
	ScriptsOwn    = "own"
)

// Map places keys on c's servers. Errors are those of [shard.New]; a loaded Config has none.
func (c *Config) Map() (*shard.Map, error) {
	p := c.Placement()
	p.Servers = c.Upstream
	return shard.New(p)
}

// Placement returns how c places keys, without the servers.
func (c *Config) Placement() shard.Config {
	return shard.Config{Distribution: c.Distribution, Hash: c.Hash, HashTag: c.HashTag}
}

// Single reports whether one server has all keys and takes every command as it is.
func (c *Config) Single() bool {
	return c.Topology == Standalone || c.Topology == Sentinel && len(c.SentinelMasters) == 1
}

// Secret is a password. Printing, logging or encoding it shows only that it is set.
type Secret string

// Reveal returns the password itself.
func (s Secret) Reveal() string { return string(s) }

// String is "" when not set and "(hidden)" when set.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(hidden)"
}

// Format hides the secret from every fmt verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
