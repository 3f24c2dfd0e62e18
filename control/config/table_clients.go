package config

import "time"

var clientSettings = []*Setting{
	{
		Name: "listen", Group: Clients, Unit: "addr", Default: "127.0.0.1:6380", list: true,
		Place: InListener, Change: Live,
		Help: "Address that clients connect to: HOST:PORT, or unix:///PATH. May be given several times. An empty host or 0.0.0.0 " +
			"means every address of the machine.",
		Choose:  "An address other than loopback needs --password, or --protected-mode=false.",
		Example: "listen:\n  - 127.0.0.1:6380\n  - unix:///run/ringmaster/redis.sock",
		value:   value{applyListen, of(func(c *Config) *[]string { return &c.Listen })},
	},
	{
		Name: "password", Group: Clients, Unit: "text", Env: "RINGMASTER_PASSWORD",
		Place: InListener, Change: Live,
		Help: "Password that clients give to AUTH or HELLO, as user \"default\". When it is not set, clients need none; an empty " +
			"value is an error. Every user of the machine can read a flag, so prefer --password-file or $RINGMASTER_PASSWORD.",
		Choose: "Clients authenticate to ringmaster only; ringmaster logs in to the servers with --upstream-password. After about 20 " +
			"failed logins in a row from one address (one /64 of IPv6), each further failure delays the next attempts from there by " +
			"another 100 ms, up to 2 s. Clients at other addresses are not delayed.",
		Example: "password: correct-horse",
		value:   secret(func(c *Config) *Secret { return &c.Password }),
	},
	{
		Name: "password-file", Group: Clients, Unit: "file",
		Place: InListener, Change: Live,
		Help:    "File whose first line is the password for clients.",
		Choose:  "Read at start and at each reload. Give either the file or the password, not both.",
		Example: "password-file: /etc/ringmaster/password",
		value:   value{text(func(c *Config) *string { return &c.passwordFile }).apply, of(func(c *Config) *Secret { return &c.Password })},
	},
	{
		Name: "protected-mode", Group: Clients, Unit: "bool", Default: "true",
		Place: InListener, Change: Live,
		Help: "Refuses to start without a password on an address other than loopback, or with --pprof on an admin address other than " +
			"loopback.",
		Choose:  "false opens the servers to everybody who can reach the address. Use it only where the network keeps others out.",
		Example: "protected-mode: false",
		value:   boolean(func(c *Config) *bool { return &c.ProtectedMode }),
	},
	{
		Name: "admin-commands", Group: Clients, Unit: "word", Default: "deny",
		Place: InListener, Change: Live,
		Help: "Whether clients may use commands that act on whole servers or show what other clients do, such as CONFIG SET, DEBUG, " +
			"SHUTDOWN, MONITOR, ACL LIST, and others that servers call admin or dangerous. deny answers NOPERM, and leaves " +
			"passwords in CONFIG GET blank. allow sends these commands to the server, or to all servers if there are several.",
		Choose: "allow makes every client an administrator of every server. Commands that would lock ringmaster out of its servers are " +
			"refused even then.",
		Example: "admin-commands: allow",
		Words:   []string{"deny", "allow"},
		value:   word(func(c *Config) *bool { return &c.AdminCommands }, func(w string) bool { return w == "allow" }),
	},
	{
		Name: "cluster-facade", Group: Clients, Unit: "word", Default: "auto",
		Place: InListener, Change: Live,
		Help: "Whether ringmaster answers CLUSTER, READONLY, INFO and HELLO as a node of a Redis Cluster does, so that cluster-aware " +
			"clients can connect. Clients are never redirected, because every proxy takes every key. auto: on in front of several " +
			"servers, or of a cluster.",
		Choose: "Plain clients work either way. Cluster clients put keys with the same {tag} into one transaction or script; give " +
			"--hash-tag '{}' for them.",
		Example: "cluster-facade: on",
		Words:   []string{"auto", "on", "off"},
		value:   value{last(func(c *Config, w string) error { c.clusterFacade = w; return nil }), of(func(c *Config) *bool { return &c.ClusterFacade })},
	},
	{
		Name: "cluster-announce", Group: Clients, Unit: "addr", list: true,
		Place: InListener, Change: Live,
		Help: "Addresses HOST:PORT of the proxies that cluster-aware clients see, this one first. Each appears as the owner of a part " +
			"of the slots, so that clients spread over them. Not set: only this proxy, at the address that the client used.",
		Choose: "Needed for several proxies, and where clients reach the proxy through NAT. All proxies must list the same addresses, " +
			"and must have the same servers. Each proxy answers for all keys, so a client that adds up DBSIZE over the nodes, or " +
			"scans each node, sees every key once per proxy.",
		Example: "cluster-announce: [10.0.0.1:6380, 10.0.0.2:6380]",
		value:   value{applyAnnounce, of(func(c *Config) *[]string { return &c.ClusterAnnounce })},
	},
	{
		Name: "deny-commands", Group: Clients, Unit: "name", list: true,
		Place: InListener, Change: Live,
		Help: "Commands that clients may not use; ringmaster answers NOPERM. A command with subcommands stands for all of them; write " +
			"a single one as client|kill. Commands of modules can be denied too. A command that the servers have renamed is denied " +
			"by its original name. May be given several times, and with commas.",
		Choose: "Deny commands that can hurt the servers, such as keys, and commands that nobody needs. Scripts can still call them; " +
			"see deny-scripts.",
		Example: "deny-commands: [keys, flushall, flushdb, client|kill, graph.delete]",
		value:   value{applyDeny, of(func(c *Config) *[]string { return &c.DenyCommands })},
	},
	{
		Name: "deny-scripts", Group: Clients, Unit: "bool", Default: "false",
		Place: InListener, Change: Live,
		Help: "Refuses scripts and functions with NOPERM: EVAL, EVALSHA, FCALL and the like, SCRIPT LOAD, FUNCTION LOAD and FUNCTION " +
			"RESTORE. ringmaster does not see what a script does inside a server; the script runs with the rights of " +
			"upstream-username.",
		Choose: "Needed to keep denied commands denied where clients are not trusted. The alternative is a user in upstream-username " +
			"that may not run them: docs/security.md.",
		Example: "deny-scripts: true",
		value:   boolean(func(c *Config) *bool { return &c.DenyScripts }),
	},
	{
		Name: "rename-command", Group: Clients, Unit: "old=new", list: true,
		Place: InListener, Change: Live,
		Help: "Gives commands other names for clients, as rename-command in redis.conf does: the new name works, the old one is an " +
			"unknown command, and the servers get the old one. An empty new name disables the command. May be given several times, " +
			"and with commas.",
		Choose: "A name that is hard to guess protects nothing; to keep everybody out use deny-commands, or an empty new name. Other " +
			"settings use the command's old name.",
		Example: "rename-command: [config=b840fc02, flushall=]",
		value:   value{applyRename, of(func(c *Config) *map[string]string { return &c.RenameCommands })},
	},
	{
		Name: "max-clients", Group: Clients, Unit: "number", Default: "10000",
		Change: Live,
		Help: "Most client connections served at once; further ones are refused with Redis's error. ringmaster lowers it, with a " +
			"warning, when the system allows too few descriptors.",
		Raise:   "More memory (about 1.2 KB for an idle client) and descriptors.",
		Lower:   "Clients are refused earlier.",
		Example: "max-clients: 50000",
		value:   number(func(c *Config) *int { return &c.MaxClients }, 1, 10_000_000),
	},
	{
		Name: "tcp-keepalive", Group: Clients, Unit: "duration", Default: "300s",
		Place: InListener, Change: NewConnections,
		Help:    "Probes a client's connection after this much idle time, so that clients that vanished are noticed. 0 turns it off.",
		Raise:   "Dead clients hold their connections longer.",
		Lower:   "More packets on idle connections.",
		Example: "tcp-keepalive: 60s",
		value:   duration(func(c *Config) *time.Duration { return &c.TCPKeepAlive }, 0, 24*time.Hour),
	},
	{
		Name: "idle-timeout", Group: Clients, Unit: "duration", Default: "0s",
		Place: InListener, Change: Live,
		Help: "Closes clients that have been idle this long, as Redis's timeout does, at most a second later. Clients in a " +
			"blocking command, subscribed clients and clients in MONITOR are not closed. 0 means never.",
		Raise:   "Forgotten clients hold their connections longer.",
		Lower:   "Clients with connection pools find more of their connections closed.",
		Example: "idle-timeout: 5m",
		value:   duration(func(c *Config) *time.Duration { return &c.IdleTimeout }, 0, 365*24*time.Hour),
	},
	{
		Name: "lost-subscriptions", Group: Clients, Unit: "word", Default: "close",
		Place: InUpstream, Change: Live,
		Help: "What happens to subscribers when the connection to a server that sends their messages is lost. close: they are closed, " +
			"so that they know that messages may be missing. resubscribe: they stay, and ringmaster subscribes again as soon as the " +
			"server can be reached; if the server then refuses, they are closed. Until then UNSUBSCRIBE works, and a new SUBSCRIBE " +
			"to a channel of that server gets the error that the server is down, even while other clients wait for the same " +
			"channel. With several servers, a new PSUBSCRIBE goes to those that are up, and to the others when they are back.",
		Choose: "With resubscribe clients do not learn that messages are missing; only ringmaster_server_subscriptions_lost_total and " +
			"..._restored_total show it. Use it for clients that do not reconnect by themselves and can miss messages.",
		Example: "lost-subscriptions: resubscribe",
		Words:   []string{"close", "resubscribe"},
		value:   word(func(c *Config) *bool { return &c.Resubscribe }, func(w string) bool { return w == "resubscribe" }),
	},
}

var limitSettings = []*Setting{
	{
		Name: "proto-max-bulk-len", Group: Limits, Unit: "size", Default: "512mb",
		Place: InListener, Change: Live,
		Help:    "Largest single argument of a command, as in Redis.",
		Raise:   "One client can make ringmaster hold a larger request.",
		Lower:   "Large values are refused with Redis's protocol error. Use the same value as the servers.",
		Example: "proto-max-bulk-len: 64mb",
		value:   size(func(c *Config) *int { return &c.MaxBulk }, 1<<20, 1<<40),
	},
	{
		Name: "query-buffer-limit", Group: Limits, Unit: "size", Default: "1gb",
		Place: InListener, Change: Live,
		Help: "Largest request of one client, and largest backlog of its requests that are not dispatched yet. A client over the " +
			"limit is closed. Redis calls it client-query-buffer-limit.",
		Raise:   "One client can make ringmaster hold more.",
		Lower:   "Clients with large pipelines after a command that waits are closed earlier.",
		Example: "query-buffer-limit: 256mb",
		value:   size(func(c *Config) *int { return &c.QueryBufferLimit }, 1<<20, 1<<40),
	},
	{
		Name: "client-output-limit", Group: Limits, Unit: "size", Default: "256mb",
		Place: InListener, Change: Live,
		Help: "Replies that one client may leave unread. Over the limit its further requests wait until it reads. A reply that has " +
			"begun is never cut, however large. A client that is over the limit is closed if it reads nothing for " +
			"client-read-timeout. It is also closed if output that it did not request (MONITOR, CLIENT TRACKING, replication) is " +
			"over the limit. Replies of more than 64 KB wait as soon as 4 MB of output are unread.",
		Raise:   "A client that writes a long pipeline before it reads holds more memory.",
		Lower:   "Such clients are paused earlier, and are closed if they never read.",
		Example: "client-output-limit: 64mb",
		value:   size(func(c *Config) *int { return &c.OutputLimit }, 64<<10, 1<<40),
	},
	{
		Name: "client-memory", Group: Limits, Unit: "size", Default: "1gb",
		Change: Live,
		Help: "Replies that all clients together may leave unread. Over the limit, the requests of clients with unread output wait " +
			"until they read; other clients go on. Above five quarters of the limit, the client with the most unread output is " +
			"closed if it has read nothing for a quarter of a second, or if it alone is over the limit. Redis calls it " +
			"maxmemory-clients. 0 means no limit.",
		Raise:   "Slow readers together hold more memory.",
		Lower:   "Large replies to several slow readers come one after the other. The largest single reply must fit.",
		Example: "client-memory: 512mb",
		value:   size(func(c *Config) *int { return &c.ClientMemory }, 0, 1<<40),
	},
	{
		Name: "client-read-timeout", Group: Limits, Unit: "duration", Default: "60s",
		Place: InListener, Change: Live,
		Help: "Closes a client that reads nothing for this long while it is over client-output-limit, or while all clients together " +
			"are over client-memory. 0 means never.",
		Raise:   "Clients that have stopped reading hold their unread output longer.",
		Lower:   "Clients that pause between reads are closed earlier.",
		Example: "client-read-timeout: 5m",
		value:   duration(func(c *Config) *time.Duration { return &c.ClientReadTimeout }, 0, 24*time.Hour),
	},
	{
		Name: "subscriber-output-limit", Group: Limits, Unit: "size", Default: "32mb",
		Place: InListener, Change: Live,
		Help: "Output that a client subscribed to channels may leave unread. A client over the limit is closed, because it has no way " +
			"to slow down its messages. Redis calls it client-output-buffer-limit pubsub.",
		Raise:   "A subscriber that reads slowly holds more memory.",
		Lower:   "Subscribers that pause are closed earlier.",
		Example: "subscriber-output-limit: 8mb",
		value:   size(func(c *Config) *int { return &c.SubscriberOutputLimit }, 64<<10, 1<<40),
	},
	{
		Name: "max-in-flight", Group: Limits, Unit: "number", Default: "1024",
		Place: InListener, Change: Live,
		Help:    "When a client has this many unanswered commands, ringmaster stops reading from it until half of them are answered.",
		Raise:   "A client with deep pipelines holds more memory and delays other clients more.",
		Lower:   "Deep pipelines take more rounds.",
		Example: "max-in-flight: 1024",
		value:   number(func(c *Config) *int { return &c.MaxInFlight }, 1, 1<<24),
	},
	{
		Name: "max-in-flight-bytes", Group: Limits, Unit: "size", Default: "16mb",
		Place: InListener, Change: Live,
		Help:    "The same limit in bytes: when the unanswered requests of a client reach it, ringmaster stops reading from the client.",
		Raise:   "As for max-in-flight.",
		Lower:   "As for max-in-flight.",
		Example: "max-in-flight-bytes: 4mb",
		value:   size(func(c *Config) *int { return &c.MaxInFlightBytes }, 16<<10, 1<<40),
	},
	{
		Name: "pinned-connections", Group: Limits, Unit: "number", Default: "4096",
		Change: Live,
		Help: "Dedicated connections to servers that each loop may lend to single clients, while they WATCH keys, wait in a blocking " +
			"command, or have state at a server such as CLIENT TRACKING. A command that needs one gets an error when none is " +
			"available.",
		Raise:   "Servers may see more connections. Keep the sum over loops and proxies below the servers' maxclients.",
		Lower:   "Fewer clients can watch or block at once.",
		Example: "pinned-connections: 1000",
		value:   number(func(c *Config) *int { return &c.PinnedConnections }, 0, 1<<20),
	},
	{
		Name: "upstream-pending-requests", Group: Limits, Unit: "number", Default: "1000000",
		Place: InUpstream, Change: Live,
		Help:    "Requests that may be unanswered on one connection to a server. Further ones fail at once with an error.",
		Raise:   "ringmaster holds more requests for a server that hangs, until they time out.",
		Lower:   "Many clients with deep pipelines get errors.",
		Example: "upstream-pending-requests: 100000",
		value:   number(func(c *Config) *int { return &c.PendingRequests }, 1, 1<<28),
	},
	{
		Name: "upstream-pending-limit", Group: Limits, Unit: "size", Default: "256mb",
		Place: InUpstream, Change: Live,
		Help: "Bytes of requests that may be unsent on one connection to a server. Further requests fail at once with an error, but a " +
			"request of 64 KB or more waits in its client's input for up to timeout. A single request that exceeds the limit passes " +
			"while nothing else waits.",
		Raise:   "A server that hangs costs more memory.",
		Lower:   "Bursts of large values get errors.",
		Example: "upstream-pending-limit: 64mb",
		value:   size(func(c *Config) *int { return &c.PendingBytes }, 64<<10, 1<<40),
	},
}
