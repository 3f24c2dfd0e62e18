package config

import "time"

var clientSettings = []*Setting{
	{
		Name: "listen", Group: Clients, Unit: "addr", Default: "127.0.0.1:6380", list: true,
		Place: InListener, Change: Live,
		Help: "Where clients connect: HOST:PORT, or unix:///PATH. May be given several times. " +
			"An empty host or 0.0.0.0 is every address of the machine.",
		Choose:  "An address that is not loopback needs --password, or --protected-mode=false.",
		Example: "listen:\n  - 127.0.0.1:6380\n  - unix:///run/ringmaster/redis.sock",
		value:   value{applyListen, of(func(c *Config) *[]string { return &c.Listen })},
	},
	{
		Name: "password", Group: Clients, Unit: "text", Env: "RINGMASTER_PASSWORD",
		Place: InListener, Change: Live,
		Help: "What clients must give to AUTH or HELLO, as user \"default\". Not set: no password is asked; given and empty: an error. " +
			"Every user of the machine can read a flag; prefer --password-file or $RINGMASTER_PASSWORD.",
		Choose: "Clients authenticate to ringmaster only; it logs in to the servers with --upstream-password. After about 20 failures in a row " +
			"from one address (one /64 of IPv6), each further one lets attempts from there wait 100 ms longer, 2 s at most; nobody else waits.",
		Example: "password: correct-horse",
		value:   secret(func(c *Config) *Secret { return &c.Password }),
	},
	{
		Name: "password-file", Group: Clients, Unit: "file",
		Place: InListener, Change: Live,
		Help:    "File whose first line is the password for clients.",
		Choose:  "Read at the start and at each reload. Give either this or the password, not both.",
		Example: "password-file: /etc/ringmaster/password",
		value:   value{text(func(c *Config) *string { return &c.passwordFile }).apply, of(func(c *Config) *Secret { return &c.Password })},
	},
	{
		Name: "protected-mode", Group: Clients, Unit: "bool", Default: "true",
		Place: InListener, Change: Live,
		Help: "Refuse to start without a password on an address that is not loopback, and with --pprof on " +
			"an admin address that is not loopback.",
		Choose:  "false opens the servers behind to everybody who reaches the address; only where the network keeps others out.",
		Example: "protected-mode: false",
		value:   boolean(func(c *Config) *bool { return &c.ProtectedMode }),
	},
	{
		Name: "admin-commands", Group: Clients, Unit: "word", Default: "deny",
		Place: InListener, Change: Live,
		Help: "Whether clients may give commands that act on whole servers or show what others do, such as CONFIG SET, DEBUG, SHUTDOWN, " +
			"MONITOR, ACL LIST, and others that servers call admin or dangerous: deny answers NOPERM, " +
			"and leaves passwords in CONFIG GET blank; allow sends them to the servers, to all of them where there are several.",
		Choose:  "allow makes every client an administrator of every server. What would lock ringmaster itself out is refused even so.",
		Example: "admin-commands: allow",
		Words:   []string{"deny", "allow"},
		value:   word(func(c *Config) *bool { return &c.AdminCommands }, func(w string) bool { return w == "allow" }),
	},
	{
		Name: "cluster-facade", Group: Clients, Unit: "word", Default: "auto",
		Place: InListener, Change: Live,
		Help: "Whether CLUSTER, READONLY, INFO and HELLO are answered as by a node of a Redis Cluster, so that cluster-aware clients can " +
			"connect. They are never redirected: any proxy takes every key. auto: on in front of several servers, or of a cluster.",
		Choose: "Plain clients work either way. Cluster clients put keys with the same {tag} into one transaction or script: " +
			"give --hash-tag '{}' for them.",
		Example: "cluster-facade: on",
		Words:   []string{"auto", "on", "off"},
		value:   value{last(func(c *Config, w string) error { c.clusterFacade = w; return nil }), of(func(c *Config) *bool { return &c.ClusterFacade })},
	},
	{
		Name: "cluster-announce", Group: Clients, Unit: "addr", list: true,
		Place: InListener, Change: Live,
		Help: "Addresses HOST:PORT of the proxies that cluster-aware clients are told of, this one first. Each is said to hold a part of the slots, " +
			"so that clients spread over them. Not set: only this proxy, at the address where the client reached it.",
		Choose: "Needed for several proxies, and where clients reach the proxy through NAT. All proxies list the same addresses, " +
			"and the same servers behind. Each answers for all keys: a client that adds up DBSIZE over the nodes, or " +
			"scans each, sees every key once for each proxy.",
		Example: "cluster-announce: [10.0.0.1:6380, 10.0.0.2:6380]",
		value:   value{applyAnnounce, of(func(c *Config) *[]string { return &c.ClusterAnnounce })},
	},
	{
		Name: "deny-commands", Group: Clients, Unit: "name", list: true,
		Place: InListener, Change: Live,
		Help: "Commands that clients may not give: they are answered NOPERM. A command with subcommands stands for all of them; " +
			"one of them is written as in client|kill. Commands of modules can be denied too; a command that servers have renamed " +
			"is denied by its real name. May be given several times, and with commas.",
		Choose: "Deny what can hurt the servers, such as keys, and what nobody needs. Scripts can give what is denied here: see " +
			"deny-scripts.",
		Example: "deny-commands: [keys, flushall, flushdb, client|kill, graph.delete]",
		value:   value{applyDeny, of(func(c *Config) *[]string { return &c.DenyCommands })},
	},
	{
		Name: "deny-scripts", Group: Clients, Unit: "bool", Default: "false",
		Place: InListener, Change: Live,
		Help: "Refuse scripts and functions with NOPERM: EVAL, EVALSHA, FCALL and their like, SCRIPT LOAD, FUNCTION LOAD and RESTORE. " +
			"What a script does inside a server ringmaster does not see: it runs with the rights of upstream-username.",
		Choose: "Needed for denied commands to stay denied where clients are not trusted; or give upstream-username a user that " +
			"may not run them: docs/security.md.",
		Example: "deny-scripts: true",
		value:   boolean(func(c *Config) *bool { return &c.DenyScripts }),
	},
	{
		Name: "rename-command", Group: Clients, Unit: "old=new", list: true,
		Place: InListener, Change: Live,
		Help: "Commands that clients know by another name, as redis.conf's rename-command: the new name works, the old one is an " +
			"unknown command, and servers get the old one. Nothing behind the = disables the command. May be given several times, " +
			"and with commas.",
		Choose: "A name that nobody guesses is no lock: deny-commands, or nothing behind the =, keeps everybody out. The other " +
			"settings call the command by its old name.",
		Example: "rename-command: [config=b840fc02, flushall=]",
		value:   value{applyRename, of(func(c *Config) *map[string]string { return &c.RenameCommands })},
	},
	{
		Name: "max-clients", Group: Clients, Unit: "number", Default: "10000",
		Change: Live,
		Help: "Client connections served at once; one more is refused with Redis's error. Lowered, " +
			"with a warning, when the system allows too few descriptors.",
		Raise:   "More memory (about 1.5 KB for an idle client) and descriptors.",
		Lower:   "Clients are refused earlier.",
		Example: "max-clients: 50000",
		value:   number(func(c *Config) *int { return &c.MaxClients }, 1, 10_000_000),
	},
	{
		Name: "tcp-keepalive", Group: Clients, Unit: "duration", Default: "300s",
		Place: InListener, Change: NewConnections,
		Help:    "Idle time after which a client's connection is probed, so that clients that vanished are noticed. 0 is off.",
		Raise:   "Dead clients hold their connection longer.",
		Lower:   "More packets on idle connections.",
		Example: "tcp-keepalive: 60s",
		value:   duration(func(c *Config) *time.Duration { return &c.TCPKeepAlive }, 0, 24*time.Hour),
	},
	{
		Name: "idle-timeout", Group: Clients, Unit: "duration", Default: "0s",
		Place: InListener, Change: Live,
		Help: "Closes clients that have been idle this long, as Redis's timeout does, within a second; except those in a blocking command, " +
			"subscribed, or in MONITOR. 0 means never.",
		Raise:   "Clients that were forgotten hold their connection longer.",
		Lower:   "Clients with pools of connections find more of them closed.",
		Example: "idle-timeout: 5m",
		value:   duration(func(c *Config) *time.Duration { return &c.IdleTimeout }, 0, 365*24*time.Hour),
	},
	{
		Name: "lost-subscriptions", Group: Clients, Unit: "word", Default: "close",
		Place: InUpstream, Change: Live,
		Help: "What becomes of subscribers when the connection to a server over which their messages come is lost: close closes them, so that " +
			"they know that messages may be missing; resubscribe lets them stay, and subscribes again as soon as the server can be " +
			"reached. They are closed if it refuses then. Meanwhile UNSUBSCRIBE works, and a new SUBSCRIBE to what comes from that " +
			"server gets the error that the server is down, even where other clients wait for the same channel. Of several servers those that " +
			"are up take a new PSUBSCRIBE, and the others are asked for it when they are back.",
		Choose: "With resubscribe no client hears that messages are missing; only ringmaster_server_subscriptions_lost_total and " +
			"..._restored_total tell. For clients that do not reconnect by themselves and can miss messages.",
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
		Lower:   "Large values are refused, with Redis's protocol error. Set it as on the servers.",
		Example: "proto-max-bulk-len: 64mb",
		value:   size(func(c *Config) *int { return &c.MaxBulk }, 1<<20, 1<<40),
	},
	{
		Name: "query-buffer-limit", Group: Limits, Unit: "size", Default: "1gb",
		Place: InListener, Change: Live,
		Help: "Largest request, and largest backlog of requests not dispatched yet, of one client; beyond " +
			"it the client is closed. Redis calls it client-query-buffer-limit.",
		Raise:   "One client can make ringmaster hold more.",
		Lower:   "Large pipelines behind a waiting command are closed earlier.",
		Example: "query-buffer-limit: 256mb",
		value:   size(func(c *Config) *int { return &c.QueryBufferLimit }, 1<<20, 1<<40),
	},
	{
		Name: "client-output-limit", Group: Limits, Unit: "size", Default: "256mb",
		Place: InListener, Change: Live,
		Help: "Replies that one client may leave unread; beyond it its further requests wait until it reads. A reply that has begun is " +
			"never cut, however large it is. A client is closed when it reads nothing for client-read-timeout while it is over the limit, " +
			"or when what it did not ask for (MONITOR, CLIENT TRACKING, replication) is over it. Replies of more than 64 KB wait " +
			"from 4 MB of unread output on.",
		Raise:   "A client that writes a long pipeline before it reads holds more memory.",
		Lower:   "Such clients wait for their own reading earlier, and are closed if they never read.",
		Example: "client-output-limit: 64mb",
		value:   size(func(c *Config) *int { return &c.OutputLimit }, 64<<10, 1<<40),
	},
	{
		Name: "client-memory", Group: Limits, Unit: "size", Default: "1gb",
		Change: Live,
		Help: "Replies that all clients together may leave unread; beyond it the requests of those that have something unread wait until " +
			"they read, and the others go on. Above five quarters of it the client with the most unread is closed if it has read nothing " +
			"for a quarter of a second, or if it is over the limit alone. Redis calls it maxmemory-clients. 0 means no limit.",
		Raise:   "Clients that read slowly hold more memory together.",
		Lower:   "Large replies to several slow readers come one after the other; a single reply must fit.",
		Example: "client-memory: 512mb",
		value:   size(func(c *Config) *int { return &c.ClientMemory }, 0, 1<<40),
	},
	{
		Name: "client-read-timeout", Group: Limits, Unit: "duration", Default: "60s",
		Place: InListener, Change: Live,
		Help: "A client that reads nothing for so long, while it is over client-output-limit or all are over client-memory, is closed. " +
			"0 means never.",
		Raise:   "Clients that stand still hold their unread output longer.",
		Lower:   "Clients that pause in their reading are closed earlier.",
		Example: "client-read-timeout: 5m",
		value:   duration(func(c *Config) *time.Duration { return &c.ClientReadTimeout }, 0, 24*time.Hour),
	},
	{
		Name: "subscriber-output-limit", Group: Limits, Unit: "size", Default: "32mb",
		Place: InListener, Change: Live,
		Help: "Output that a client which subscribes to channels may leave unread; beyond it the client is closed, since nothing that it does slows what it gets. Redis calls it " +
			"client-output-buffer-limit pubsub.",
		Raise:   "A subscriber that reads slowly holds more memory.",
		Lower:   "Subscribers that pause are closed earlier.",
		Example: "subscriber-output-limit: 8mb",
		value:   size(func(c *Config) *int { return &c.SubscriberOutputLimit }, 64<<10, 1<<40),
	},
	{
		Name: "max-in-flight", Group: Limits, Unit: "number", Default: "1024",
		Place: InListener, Change: Live,
		Help: "Unanswered commands of one client above which reading from it pauses until half of them " +
			"are answered.",
		Raise:   "A client with deep pipelines holds more memory and delays its neighbours more.",
		Lower:   "Deep pipelines are cut into more rounds.",
		Example: "max-in-flight: 1024",
		value:   number(func(c *Config) *int { return &c.MaxInFlight }, 1, 1<<24),
	},
	{
		Name: "max-in-flight-bytes", Group: Limits, Unit: "size", Default: "16mb",
		Place: InListener, Change: Live,
		Help:    "The same in bytes: unanswered requests of one client above which reading from it pauses.",
		Raise:   "As for max-in-flight.",
		Lower:   "As for max-in-flight.",
		Example: "max-in-flight-bytes: 4mb",
		value:   size(func(c *Config) *int { return &c.MaxInFlightBytes }, 16<<10, 1<<40),
	},
	{
		Name: "pinned-connections", Group: Limits, Unit: "number", Default: "4096",
		Change: Live,
		Help: "Connections to servers that each loop may lend to single clients: while they WATCH keys, wait in a " +
			"blocking command, or have state at a server such as CLIENT TRACKING. A command that finds none free gets an error.",
		Raise:   "Servers may see more connections: keep the sum over loops and proxies below their maxclients.",
		Lower:   "Fewer clients can watch or block at once.",
		Example: "pinned-connections: 1000",
		value:   number(func(c *Config) *int { return &c.PinnedConnections }, 0, 1<<20),
	},
	{
		Name: "upstream-pending-requests", Group: Limits, Unit: "number", Default: "1000000",
		Place: InUpstream, Change: Live,
		Help: "Requests that one connection to a server may have unanswered; beyond it further ones fail " +
			"at once with an error.",
		Raise:   "A server that hangs makes ringmaster hold more requests until they time out.",
		Lower:   "Many clients with deep pipelines get errors.",
		Example: "upstream-pending-requests: 100000",
		value:   number(func(c *Config) *int { return &c.PendingRequests }, 1, 1<<28),
	},
	{
		Name: "upstream-pending-limit", Group: Limits, Unit: "size", Default: "256mb",
		Place: InUpstream, Change: Live,
		Help: "Bytes of requests that one connection to a server may have unsent; beyond it further ones fail at " +
			"once with an error, but one of 64 KB or more waits in its client's input for up to timeout. A single larger request passes while nothing else waits.",
		Raise:   "A server that hangs costs more memory.",
		Lower:   "Bursts of large values get errors.",
		Example: "upstream-pending-limit: 64mb",
		value:   size(func(c *Config) *int { return &c.PendingBytes }, 64<<10, 1<<40),
	},
}
