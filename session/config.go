package session

import (
	"time"

	"ringmaster/parser"
	"ringmaster/shard"
)

// Upstream holds what sessions must know of their upstream's settings.
type Upstream struct {
	// Sharded keeps the rules of several shards in front of one server too, such as SORT without patterns.
	Sharded bool
	// ListChanges says that the servers are on a list that may change while running, so that cursors of SCAN must outlive changes.
	ListChanges bool
	// Reads says which servers answer commands that only read; the pool's Config has the same.
	Reads shard.ReadPolicy
	// Resubscribe lets subscribers stay when the connection over which their messages come is lost, and subscribes again; otherwise
	// they are closed, so that they know that messages may be missing.
	Resubscribe bool
}

// Config holds the limits and manners of client sessions. Sizes are bytes.
type Config struct {
	// AdminCommands lets clients give the commands that the table refuses (command.Spec.IfAllowed), and DenyCommands
	// refuses some by name, such as "keys" or "client|kill".
	AdminCommands bool
	DenyCommands  []string
	// DenyScripts refuses scripts and functions, and what loads them.
	DenyScripts bool
	// Cluster is how CLUSTER is answered.
	Cluster Cluster
	// RenameCommands are commands that clients know by another name, both in small letters; an empty one disables the
	// command.
	RenameCommands map[string]string
	// Limits bound a request frame: Redis's proto-max-bulk-len and friends.
	Limits parser.Limits
	// IdleTimeout closes a client that is silent for longer (Redis: timeout); 0: never.
	IdleTimeout time.Duration
	// QueryBufferLimit bounds the unparsed input of one client (Redis:
	// client-query-buffer-limit).
	QueryBufferLimit int
	// OutputLimit is the unread output above which a client's further requests wait until it reads. What it did not ask for
	// can't wait: there it is closed.
	OutputLimit int
	// ReadTimeout closes a client that reads nothing for longer while it is over one of the two; 0: never.
	ReadTimeout time.Duration
	// SubscriberOutputLimit is the same for clients that subscribe to channels (Redis: class pubsub).
	SubscriberOutputLimit int
	// MaxInFlight and MaxInFlightBytes are the unanswered requests of one client, and their
	// size, above which reading from it pauses until half of them are answered.
	MaxInFlight, MaxInFlightBytes int
	// FirstWindow is MaxInFlight for a client of which nothing is known. Each reply adds one (pace.First).
	FirstWindow int
}

// Cluster is how CLUSTER is answered: a cluster-aware client then takes the proxy for a Redis Cluster. Every proxy
// takes every key, so that no client is ever redirected; the slots only spread clients over proxies.
type Cluster struct {
	// Enabled means that the proxy answers CLUSTER. Otherwise it goes to a server, as every other command does.
	Enabled bool
	// Announce are the addresses HOST:PORT of the proxies that make the cluster, this one first. None: there
	// is this one, where the client reached it.
	Announce []string
}
