package config

import (
	"strings"
	"time"

	"ringmaster/shard"
)

var serverSettings = []*Setting{
	{
		Name: "upstream", Group: Servers, Unit: "servers", list: true,
		Place: InUpstream, Change: Live,
		Help: "The Redis servers: HOST:PORT[:WEIGHT][@NAME],... WEIGHT is the server's share of the keys (1 when not given). Ketama " +
			"and maglev place keys by NAME (HOST:PORT when not given), so a named server keeps its keys when its address changes.",
		Choose: "Changing names, weights or the number of servers moves keys. Names and weights taken over from twemproxy keep every " +
			"key where it is. A hostname is resolved again for every new connection; when its address changes, connections stay " +
			"where they are for as long as the old address serves them.",
		Example: "upstream:\n  - 10.0.0.1:6379:1@alpha\n  - 10.0.0.2:6379:1@beta",
		value:   value{applyUpstream, of(func(c *Config) *[]shard.Server { return &c.Upstream })},
	},
	{
		Name: "topology", Group: Servers, Unit: "word", Default: "auto",
		Place: InUpstream, Change: Live,
		Except: "a change between fixed servers, cluster and sentinel needs a restart, and then so do all other changes in this upstream", restarts: otherServers,
		Help: "standalone: one server gets every command. sharded: keys are spread over the servers. cluster: the servers are some " +
			"nodes of a Redis Cluster; ringmaster finds the others and follows its changes. sentinel: the servers are sentinels; " +
			"keys are spread over the primaries of --sentinel-masters, and ringmaster follows their failovers. auto: standalone for " +
			"one server, sharded for more.",
		Choose: "sharded with one server keeps the rules of sharding, so that adding a second brings no surprises. With cluster and " +
			"sentinel ringmaster exits at start, with status 1, if none of the given servers answers. With the others it starts, " +
			"and serves once the servers can be reached.",
		Example: "topology: sharded",
		Words:   []string{"auto", Standalone, Sharded, Cluster, Sentinel},
		value:   text(func(c *Config) *string { return &c.Topology }),
	},
	{
		Name: "distribution", Group: Servers, Unit: "word", Default: "ketama",
		Place: InUpstream, Change: Live,
		Except: "with topology sentinel it needs a restart", restarts: underSentinel,
		Help: "How keys are spread: ketama (consistent hashing as in twemproxy), maglev (consistent, more even), modula (hash modulo " +
			"servers), random (any server; for caches only).",
		Choose: "With ketama and maglev, a new server takes its share of the keys, and few other keys move; with modula most keys move. A " +
			"cluster decides distribution, hash and hash-tag itself.",
		Example: "distribution: maglev",
		Words:   shard.Distributions(),
		value:   word(func(c *Config) *shard.Distribution { return &c.Distribution }, known(shard.ParseDistribution)),
	},
	{
		Name: "hash", Group: Servers, Unit: "word", Default: "fnv1a_64",
		Place: InUpstream, Change: Live,
		Except: "with topology sentinel it needs a restart", restarts: underSentinel,
		Help: "The hash of the key, as twemproxy computes it: " + strings.Join(shard.Hashes(), ", ") + ".",
		Choose: "When taking over from twemproxy, use the hash of its pool. The fnv hashes tend to put keys that differ only in their " +
			"last characters on the same server; murmur and md5 spread them. Changing the hash moves keys.",
		Example: "hash: murmur",
		Words:   shard.Hashes(),
		value:   word(func(c *Config) *shard.Hash { return &c.Hash }, known(shard.ParseHash)),
	},
	{
		Name: "hash-tag", Group: Servers, Unit: "pair",
		Place: InUpstream, Change: Live,
		Except: "with topology sentinel it needs a restart", restarts: underSentinel,
		Help: "Two characters, such as '{}'. Only the part of a key between them is hashed, so that keys with the same tag are on the " +
			"same server. Empty: the whole key is hashed.",
		Choose: "Commands with several keys, such as RENAME or SUNION, work when their keys share a tag. Changing the hash tag moves " +
			"keys.",
		Example: "hash-tag: '{}'",
		value:   value{last(applyHashTag), of(func(c *Config) *string { return &c.HashTag })},
	},
	{
		Name: "upstream-username", Group: Servers, Unit: "text",
		Place: InUpstream, Change: Live,
		Help:    "ACL user for the servers. Not set: the default user.",
		Choose:  "Needs an upstream password.",
		Example: "upstream-username: proxy",
		value:   text(func(c *Config) *string { return &c.UpstreamUsername }),
	},
	{
		Name: "upstream-password", Group: Servers, Unit: "text", Env: "RINGMASTER_UPSTREAM_PASSWORD",
		Place: InUpstream, Change: NewConnections,
		Help: "Password for the servers. Every user of the machine can read a flag, so prefer --upstream-password-file or " +
			"$RINGMASTER_UPSTREAM_PASSWORD.",
		Choose:  "It is the same for all servers. A server that refuses it is logged and counts as down.",
		Example: "upstream-password: battery-staple",
		value:   secret(func(c *Config) *Secret { return &c.UpstreamPassword }),
	},
	{
		Name: "upstream-password-file", Group: Servers, Unit: "file",
		Place: InUpstream, Change: NewConnections,
		Help:    "File whose first line is the password for the servers.",
		Choose:  "Read at start and at each reload. Give either the file or the password, not both.",
		Example: "upstream-password-file: /etc/ringmaster/upstream-password",
		value:   value{text(func(c *Config) *string { return &c.upstreamPasswordFile }).apply, of(func(c *Config) *Secret { return &c.UpstreamPassword })},
	},
	{
		Name: "sentinel-masters", Group: Servers, Unit: "name", list: true,
		Place: InUpstream, Change: Restart,
		Help: "With topology sentinel: the names of the masters that the sentinels watch. With one name, its primary gets every " +
			"command. With several, each is a shard, and keys are placed by these names, so that a failover moves no key. May be " +
			"given several times, and with commas.",
		Choose:  "Adding, removing or renaming one moves keys.",
		Example: "sentinel-masters: [alpha, beta]",
		value:   value{applySentinelMasters, of(func(c *Config) *[]string { return &c.SentinelMasters })},
	},
	{
		Name: "sentinel-username", Group: Servers, Unit: "text",
		Place: InUpstream, Change: Live,
		Help:    "ACL user for the sentinels. Not set: the default user.",
		Choose:  "Needs a sentinel password.",
		Example: "sentinel-username: watcher",
		value:   text(func(c *Config) *string { return &c.SentinelUsername }),
	},
	{
		Name: "sentinel-password", Group: Servers, Unit: "text", Env: "RINGMASTER_SENTINEL_PASSWORD",
		Place: InUpstream, Change: Live,
		Help: "Password for the sentinels. Not set: they need none. Every user of the machine can read a flag, so prefer " +
			"--sentinel-password-file or $RINGMASTER_SENTINEL_PASSWORD.",
		Choose:  "It is separate from the upstream password, which is never sent to the sentinels.",
		Example: "sentinel-password: correct-horse",
		value:   secret(func(c *Config) *Secret { return &c.SentinelPassword }),
	},
	{
		Name: "sentinel-password-file", Group: Servers, Unit: "file",
		Place: InUpstream, Change: Live,
		Help:    "File whose first line is the password for the sentinels.",
		Choose:  "Read at start and at each reload. Give either the file or the password, not both.",
		Example: "sentinel-password-file: /etc/ringmaster/sentinel-password",
		value:   value{text(func(c *Config) *string { return &c.sentinelPasswordFile }).apply, of(func(c *Config) *Secret { return &c.SentinelPassword })},
	},
	{
		Name: "scripts", Group: Servers, Unit: "word", Default: ScriptsAuto,
		Place: InUpstream, Change: Restart,
		Help: "Which connections scripts and functions use. auto: the shared ones, with a fence (ECHO of a random word) after each " +
			"script; commands that load scripts use dedicated connections. For a server that does not escape line breaks in script " +
			"errors (CVE-2025-67733), auto is the same as own; ringmaster detects this at login. shared: always the shared connections, " +
			"with fences. own: always dedicated connections.",
		Choose: "With own, and for a server that does not escape line breaks, a client's scripts run one after the other, at most 16 at " +
			"a time for each loop, server and database. With shared, a hostile script at such a server breaks the connection for " +
			"every client that shares it. No client gets another client's reply in any case.",
		Example: "scripts: own",
		Words:   []string{ScriptsAuto, ScriptsShared, ScriptsOwn},
		value:   text(func(c *Config) *string { return &c.Scripts }),
	},
	{
		Name: "upstream-connections", Group: Servers, Unit: "number", Default: "1",
		Place: InUpstream, Change: Restart,
		Help: "Connections that each loop keeps to each server. A client always uses the same one.",
		Raise: "Batches get smaller, so ringmaster and the servers do more work. Servers with I/O threads, or with long replies that " +
			"hold up others, may gain.",
		Lower:   "1 is the minimum.",
		Example: "upstream-connections: 2",
		value:   number(func(c *Config) *int { return &c.UpstreamConnections }, 1, 1024),
	},
}

const longest = 24 * time.Hour

var timingSettings = []*Setting{
	{
		Name: "timeout", Group: Timing, Unit: "duration", Default: "5s",
		Place: InUpstream, Change: Live,
		Help: "Longest wait for the reply to a command. After it the client gets an error, which says that a write may have run. " +
			"Scripts that one client has under way count together: n of them have n times the timeout, but at most stall-timeout. A " +
			"reply that is arriving, or that the client already has a part of, is not cut. 0 means no limit.",
		Raise:   "Clients of a server that hangs wait longer.",
		Lower:   "Slow commands and scripts fail although they run.",
		Example: "timeout: 1s",
		value:   duration(func(c *Config) *time.Duration { return &c.Timeout }, 0, longest),
	},
	{
		Name: "dial-timeout", Group: Timing, Unit: "duration", Default: "1s",
		Place: InUpstream, Change: NewConnections,
		Help: "Longest time to connect and log in to a server. A connection is also replaced when it is silent for this long and the " +
			"server's system does not acknowledge the data sent to it.",
		Raise:   "ringmaster notices later that a server does not answer, and later that it can be reached again.",
		Lower:   "Distant or busy servers seem down.",
		Example: "dial-timeout: 500ms",
		value:   duration(func(c *Config) *time.Duration { return &c.DialTimeout }, time.Millisecond, longest),
	},
	{
		Name: "stall-timeout", Group: Timing, Unit: "duration", Default: "30s",
		Place: InUpstream, Change: Live,
		Help: "If a server owes replies on a connection and sends nothing for this long, ringmaster replaces the connection. A " +
			"client that already has a part of a reply is closed. This setting must not be shorter than timeout; if it is not " +
			"given, it is raised to timeout. 0 means never.",
		Raise:   "A server behind a dead link is tried again later.",
		Lower:   "A script that keeps a server busy for longer loses its connection, and every request on that connection fails.",
		Example: "stall-timeout: 1m",
		value:   duration(func(c *Config) *time.Duration { return &c.StallTimeout }, 0, longest),
	},
	{
		Name: "backoff-min", Group: Timing, Unit: "duration", Default: "10ms",
		Place: InUpstream, Change: Live,
		Help:    "Pause after the first failed attempt to connect to a server. It doubles, with jitter, up to backoff-max.",
		Raise:   "A server that restarts is found later.",
		Lower:   "More attempts against a server that is down.",
		Example: "backoff-min: 50ms",
		value:   duration(func(c *Config) *time.Duration { return &c.BackoffMin }, time.Millisecond, longest),
	},
	{
		Name: "backoff-max", Group: Timing, Unit: "duration", Default: "500ms",
		Place: InUpstream, Change: Live,
		Help:    "Longest pause between attempts to connect to a server.",
		Raise:   "A server that was down for long is found later.",
		Lower:   "More attempts, from every loop, against a server that is down.",
		Example: "backoff-max: 5s",
		value:   duration(func(c *Config) *time.Duration { return &c.BackoffMax }, time.Millisecond, longest),
	},
	{
		Name: "shutdown-delay", Group: Timing, Unit: "duration", Default: "0s",
		Change: Live,
		Help: "How long ringmaster still serves clients, including new ones, after SIGTERM or SIGINT, while /readyz answers 503 so " +
			"that load balancers send their clients elsewhere. drain-timeout begins after it. A second signal, half a second or " +
			"more later, ends ringmaster at once.",
		Raise:   "Stopping takes longer. In Kubernetes, terminationGracePeriodSeconds must exceed the sum of this and drain-timeout.",
		Lower:   "Load balancers that have not noticed send clients to a closed port.",
		Example: "shutdown-delay: 15s",
		value:   duration(func(c *Config) *time.Duration { return &c.ShutdownDelay }, 0, longest),
	},
	{
		Name: "drain-timeout", Group: Timing, Unit: "duration", Default: "10s",
		Change: Live,
		Help: "How long commands in flight may take to finish after SIGTERM or SIGINT, before clients are closed. A second signal, " +
			"half a second or more later, ends ringmaster at once.",
		Raise:   "Stopping may take longer.",
		Lower:   "Slow commands are cut off.",
		Example: "drain-timeout: 30s",
		value:   duration(func(c *Config) *time.Duration { return &c.DrainTimeout }, 0, longest),
	},
}
