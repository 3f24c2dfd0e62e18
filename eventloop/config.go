package eventloop

import (
	"log/slog"
	"net"
	"time"

	"ringmaster/auth"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/shard"
)

// Config is everything a Server needs to start. It is copied by Start.
type Config struct {
	// Listeners are accepted from, each by a goroutine of its own; the Server closes them.
	Listeners []Listener
	// Upstreams are where commands go, at least one.
	Upstreams []Upstream
	// Loops is the number of event loops (threads of the data plane), at least 1.
	Loops int
	// Level selects level-triggered polling; edge-triggered is the default.
	Level bool
	// LockThread binds every loop to an operating system thread: 10-15 % less CPU
	// under load, a third more for one lone client.
	LockThread bool
	// MaxOwn bounds the connections to servers that each loop lends to single clients.
	MaxOwn int
	// FarewellTime is how long servers have, in a shutdown, to say whether clients that wait in blocking commands were served.
	FarewellTime time.Duration
	// ClientMemory bounds what all clients together may leave unread, bytes; 0 is no bound.
	ClientMemory int
	// MaxClients is the number of client connections served at once; one more is
	// refused with Redis's error text. 0 is no limit.
	MaxClients int
	// Crowded, if not nil, is told when many clients at a time have begun (true) or ceased (false) to be heard by
	// some loop. It begins with true, untold. It is called by one goroutine, at most every few seconds, and may block.
	Crowded func(bool)
	// Logger takes what operators should read. Nil is slog.Default().
	Logger *slog.Logger
}

// Listener is where clients connect.
type Listener struct {
	// Name tells it from others. In a Plan it says which listener goes on.
	Name string
	net.Listener
	// Upstream is where their commands go, by its place in Config.Upstreams, or in Plan.Upstreams.
	Upstream int
	// Session holds the limits and manners of the clients' sessions.
	Session session.Config
	// Policy says who may log in.
	Policy *auth.Policy
	// KeepAlive is the idle time before a client's connection is probed; 0 is off.
	KeepAlive time.Duration
}

// Upstream is a set of servers.
type Upstream struct {
	// Name tells it from others, in metrics.
	Name string
	// Map says which server owns a key.
	Map *shard.Map
	// Health is what is known of the servers' replication to begin with.
	Health pool.Health
	// Pool is how servers are connected to.
	Pool pool.Config
	// Session is what its clients' sessions must know of it.
	Session session.Upstream
	// Logger takes what operators should read of its servers. Nil is Config.Logger.
	Logger *slog.Logger
}

// Plan is what a running Server goes by from now on. All names must be there, and each only once among the listeners, and among the upstreams.
type Plan struct {
	// Listeners are all that there shall be. One whose Name is that of a running listener goes on as it; its socket may be nil then,
	// which keeps the one that is open. Another socket takes the place of the open one, and the clients stay. With the socket of a running
	// listener it goes on as that one under another name. Those that are not named are
	// closed, and their clients drained. So are the clients of a listener that leads to another upstream than before; its socket stays.
	Listeners []Listener
	// Upstreams are all that there shall be. One whose Name is that of a running upstream goes on as it. Its Map, if not nil, is followed,
	// and its Health and Logger are not looked at. It may have no fewer numbers of servers than the one before. Of Pool, what
	// pool.Pool.Configure excludes must be as before.
	Upstreams []Upstream
	// MaxClients, MaxOwn, ClientMemory and FarewellTime are as in Config.
	MaxClients, MaxOwn, ClientMemory int
	FarewellTime                     time.Duration
	// DrainTimeout bounds how long clients of closed listeners may take to finish, and upstreams that are gone to answer what nobody waits for.
	DrainTimeout time.Duration
}
