package eventloop

import (
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"ringmaster/auth"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/shard"
)

// Config is everything that a Server needs to start. Start copies it.
type Config struct {
	// Listeners are the sockets on which clients are accepted, each by a goroutine of its own. The Server closes
	// them.
	Listeners []Listener
	// Upstreams are the sets of servers that commands go to, at least one.
	Upstreams []Upstream
	// Loops is the number of event loops (threads of the data plane), at least 1.
	Loops int
	// Level selects level-triggered polling; edge-triggered is the default.
	Level bool
	// LockThread binds every loop to an operating system thread. That takes 10-15 % less CPU under load, and a third
	// more for one lone client.
	LockThread bool
	// MaxOwn bounds the connections to servers that each loop lends to single clients.
	MaxOwn int
	// FarewellTime is how long a shutdown waits for the servers to say whether clients in blocking commands were
	// served.
	FarewellTime time.Duration
	// ClientMemory bounds what all clients together may leave unread, bytes; 0 is no bound.
	ClientMemory int
	// MaxClients is the number of client connections that are served at once. Further ones are refused with Redis's
	// error text. 0 is no limit.
	MaxClients int
	// MaxHandshakes bounds the TLS handshakes under way, and HandshakeTimeout how long one may take; 0: the constants
	// of these names.
	MaxHandshakes    int
	HandshakeTimeout time.Duration
	// Crowded, if not nil, is called when some loop begins (true) or all loops cease (false) to serve many clients at
	// a time. The server begins as crowded, without a call. One goroutine calls it, at most every few seconds, and it
	// may block.
	Crowded func(bool)
	// Logger gets the lines for operators. Nil is slog.Default().
	Logger *slog.Logger
}

// Listener is where clients connect.
type Listener struct {
	// Name identifies the listener. In a Plan it says which running listener this one continues.
	Name string
	net.Listener
	// Upstream is the index of the clients' upstream in Config.Upstreams or Plan.Upstreams.
	Upstream int
	// Session has the limits and settings of the clients' sessions.
	Session session.Config
	// Policy says who may log in.
	Policy *auth.Policy
	// KeepAlive is the idle time after which a client's connection is probed; 0 is off.
	KeepAlive time.Duration
	// TLS, unless nil, says how clients speak TLS. It may change for later clients by its GetConfigForClient.
	TLS *tls.Config
}

// Upstream is a set of servers.
type Upstream struct {
	// Name identifies the upstream, also in metrics.
	Name string
	// Map says which server owns a key.
	Map *shard.Map
	// Health is the first known state of the servers' replication.
	Health pool.Health
	// Pool has the settings for connections to the servers.
	Pool pool.Config
	// Session has the upstream's settings for its clients' sessions.
	Session session.Upstream
	// Logger gets the lines about its servers for operators. Nil is Config.Logger.
	Logger *slog.Logger
}

// Plan is new settings for a running Server. Every listener and upstream must have a name that is unique among its
// kind.
type Plan struct {
	// Listeners is the full new list. A listener with the Name of a running one continues it. A nil socket then keeps
	// the open one, and another socket replaces it while the clients stay. A listener with a new Name and the socket
	// of a running one continues that under the new name. Running listeners that are not in the list are closed, and
	// their clients drained. A listener that gets another upstream keeps its socket, but its clients are drained.
	Listeners []Listener
	// Upstreams is the full new list. An upstream with the Name of a running one continues it. Its Map, if not nil,
	// replaces the current map and must not have fewer server numbers. Its Health and Logger are ignored. The fields
	// of Pool that pool.Pool.Configure excludes must stay the same.
	Upstreams []Upstream
	// MaxClients, MaxOwn, ClientMemory and FarewellTime are as in Config.
	MaxClients, MaxOwn, ClientMemory int
	FarewellTime                     time.Duration
	// MaxHandshakes and HandshakeTimeout are as in Config.
	MaxHandshakes    int
	HandshakeTimeout time.Duration
	// DrainTimeout bounds how long clients of closed listeners may take to finish, and removed upstreams to answer
	// requests whose clients have gone.
	DrainTimeout time.Duration
}
