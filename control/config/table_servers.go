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
		Help: "The Redis servers: HOST:PORT[:WEIGHT][@NAME],... Weight is the server's share of the keys (1). " +
			"Ketama and maglev place keys by NAME (HOST:PORT when not given), so a server keeps its keys when it moves.",
		Choose: "Changing names, weights or the number of servers moves keys. Taken over from twemproxy, names and " +
			"weights keep every key where it is. A hostname is resolved anew for every connection that is made: when its address " +
			"changes, connections stay where they are for as long as the old address serves them.",
		Example: "upstream:\n  - 10.0.0.1:6379:1@alpha\n  - 10.0.0.2:6379:1@beta",
		value:   value{applyUpstream, of(func(c *Config) *[]shard.Server { return &c.Upstream })},
	},
	{
		Name: "topology", Group: Servers, Unit: "word", Default: "auto",
		Place: InUpstream, Change: Live,
		Except: "between fixed servers, cluster and sentinel it needs a restart, and so does then all that changes in this upstream", restarts: otherServers,
		Help: "standalone: one server, to which every command goes. sharded: keys are spread over the servers. " +
			"cluster: the servers are nodes of a Redis Cluster to begin with; ringmaster finds the others and follows its changes. " +
			"sentinel: the servers are sentinels; keys are spread over the primaries of --sentinel-masters, which are followed through failovers. " +
			"auto: standalone for one server, sharded for more.",
		Choose: "sharded with one server keeps the rules of sharding, so that a second can be added without surprises. With cluster and sentinel " +
			"ringmaster does not start, with exit status 1, while none of the servers given can be asked; with the others it does, and serves once they can be reached.",
		Example: "topology: sharded",
		Words:   []string{"auto", Standalone, Sharded, Cluster, Sentinel},
		value:   text(func(c *Config) *string { return &c.Topology }),
	},
	{
		Name: "distribution", Group: Servers, Unit: "word", Default: "ketama",
		Place: InUpstream, Change: Live,
		Except: "with topology sentinel it needs a restart", restarts: underSentinel,
		Help: "How keys are spread: ketama (consistent hashing as in twemproxy), maglev (consistent, more even), modula " +
			"(hash modulo servers), random (any server; for caches only).",
		Choose:  "With ketama and maglev a new server takes its share of keys and moves few others; with modula most keys move. A cluster decides this, hash and hash-tag by itself.",
		Example: "distribution: maglev",
		Words:   shard.Distributions(),
		value:   word(func(c *Config) *shard.Distribution { return &c.Distribution }, known(shard.ParseDistribution)),
	},
	{
		Name: "hash", Group: Servers, Unit: "word", Default: "fnv1a_64",
		Place: InUpstream, Change: Live,
		Except: "with topology sentinel it needs a restart", restarts: underSentinel,
		Help: "The hash of the key, as twemproxy computes it: " + strings.Join(shard.Hashes(), ", ") + ".",
		Choose: "Taking over from twemproxy, use what its pool uses. The fnv hashes tend to put keys that differ in " +
			"their last characters only on the same server; murmur and md5 part them. Changing it moves keys.",
		Example: "hash: murmur",
		Words:   shard.Hashes(),
		value:   word(func(c *Config) *shard.Hash { return &c.Hash }, known(shard.ParseHash)),
	},
	{
		Name: "hash-tag", Group: Servers, Unit: "pair",
		Place: InUpstream, Change: Live,
		Except: "with topology sentinel it needs a restart", restarts: underSentinel,
		Help: "Two characters, such as '{}': only what stands between them in a key is hashed, so that keys with the " +
			"same tag live on the same server. Empty: the whole key.",
		Choose:  "Commands over several keys, such as RENAME or SUNION, work when their keys share a tag. Changing it moves keys.",
		Example: "hash-tag: '{}'",
		value:   value{last(applyHashTag), of(func(c *Config) *string { return &c.HashTag })},
	},
	{
		Name: "upstream-username", Group: Servers, Unit: "text",
		Place: InUpstream, Change: Live,
		Help:    "User for the servers (ACL). Not set: the default user.",
		Choose:  "Needs an upstream password.",
		Example: "upstream-username: proxy",
		value:   text(func(c *Config) *string { return &c.UpstreamUsername }),
	},
	{
		Name: "upstream-password", Group: Servers, Unit: "text", Env: "RINGMASTER_UPSTREAM_PASSWORD",
		Place: InUpstream, Change: NewConnections,
		Help: "Password for the servers. Every user of the machine can read a flag; prefer " +
			"--upstream-password-file or $RINGMASTER_UPSTREAM_PASSWORD.",
		Choose:  "The same for all servers. A server that refuses it is logged and counts as down.",
		Example: "upstream-password: battery-staple",
		value:   secret(func(c *Config) *Secret { return &c.UpstreamPassword }),
	},
	{
		Name: "upstream-password-file", Group: Servers, Unit: "file",
		Place: InUpstream, Change: NewConnections,
		Help:    "File whose first line is the password for the servers.",
		Choose:  "Read at the start and at each reload. Give either this or the password, not both.",
		Example: "upstream-password-file: /etc/ringmaster/upstream-password",
		value:   value{text(func(c *Config) *string { return &c.upstreamPasswordFile }).apply, of(func(c *Config) *Secret { return &c.UpstreamPassword })},
	},
	{
		Name: "sentinel-masters", Group: Servers, Unit: "name", list: true,
		Place: InUpstream, Change: Restart,
		Help: "With topology sentinel: the names of the masters that the sentinels watch. One name: its primary takes every command. Several: " +
			"each is a shard, and keys are placed by these names, so that a failover moves no key. May be given several times, and with commas.",
		Choose:  "Adding, removing or renaming one moves keys.",
		Example: "sentinel-masters: [alpha, beta]",
		value:   value{applySentinelMasters, of(func(c *Config) *[]string { return &c.SentinelMasters })},
	},
	{
		Name: "sentinel-username", Group: Servers, Unit: "text",
		Place: InUpstream, Change: Live,
		Help:    "User for the sentinels (ACL). Not set: the default user.",
		Choose:  "Needs a sentinel password.",
		Example: "sentinel-username: watcher",
		value:   text(func(c *Config) *string { return &c.SentinelUsername }),
	},
	{
		Name: "sentinel-password", Group: Servers, Unit: "text", Env: "RINGMASTER_SENTINEL_PASSWORD",
		Place: InUpstream, Change: Live,
		Help: "Password for the sentinels; not set: they want none. Every user of the machine can read a flag; prefer " +
			"--sentinel-password-file or $RINGMASTER_SENTINEL_PASSWORD.",
		Choose:  "Apart from the upstream password, which the sentinels are never sent.",
		Example: "sentinel-password: correct-horse",
		value:   secret(func(c *Config) *Secret { return &c.SentinelPassword }),
	},
	{
		Name: "sentinel-password-file", Group: Servers, Unit: "file",
		Place: InUpstream, Change: Live,
		Help:    "File whose first line is the password for the sentinels.",
		Choose:  "Read at the start and at each reload. Give either this or the password, not both.",
		Example: "sentinel-password-file: /etc/ringmaster/sentinel-password",
		value:   value{text(func(c *Config) *string { return &c.sentinelPasswordFile }).apply, of(func(c *Config) *Secret { return &c.SentinelPassword })},
	},
	{
		Name: "scripts", Group: Servers, Unit: "word", Default: ScriptsAuto,
		Place: InUpstream, Change: Restart,
		Help: "Over which connections scripts and functions go. auto: over the shared ones, each followed by a fence (ECHO of a random word), but what loads them over connections of their own; " +
			"at a server that does not escape line breaks in the errors of scripts (CVE-2025-67733), which is found out at the login, over connections of their own. " +
			"shared: always over the shared ones, with fences. own: always over connections of their own.",
		Choose: "With own, and at such a server, a client's scripts run one after the other, at most 16 at a time for each loop, server and database. With shared, a hostile script at such a " +
			"server breaks the connection under every client that shares it; no client gets another's reply in any case.",
		Example: "scripts: own",
		Words:   []string{ScriptsAuto, ScriptsShared, ScriptsOwn},
		value:   text(func(c *Config) *string { return &c.Scripts }),
	},
	{
		Name: "upstream-connections", Group: Servers, Unit: "number", Default: "1",
		Place: InUpstream, Change: Restart,
		Help: "Connections that each loop keeps to each server. A client always uses the same one.",
		Raise: "Smaller batches, so more work for ringmaster and the servers; servers with I/O threads, or long " +
			"replies that hold up others, may gain.",
		Lower:   "One is the fewest.",
		Example: "upstream-connections: 2",
		value:   number(func(c *Config) *int { return &c.UpstreamConnections }, 1, 1024),
	},
}

const longest = 24 * time.Hour

var timingSettings = []*Setting{
	{
		Name: "timeout", Group: Timing, Unit: "duration", Default: "5s",
		Place: InUpstream, Change: Live,
		Help: "Longest wait for the reply to a command; then its client gets an error, which says that a write may " +
			"have run. Scripts that one client has under way count together: n of them have n times the timeout, but no more than " +
			"stall-timeout. A reply that the client has a part of, and one that comes in, are not cut. 0 means no limit.",
		Raise:   "Clients of a server that hangs wait longer.",
		Lower:   "Slow commands and scripts fail although they run.",
		Example: "timeout: 1s",
		value:   duration(func(c *Config) *time.Duration { return &c.Timeout }, 0, longest),
	},
	{
		Name: "dial-timeout", Group: Timing, Unit: "duration", Default: "1s",
		Place: InUpstream, Change: NewConnections,
		Help: "Longest time to connect and log in to a server. A connection that is silent for so long, while the server's system " +
			"does not even acknowledge what was sent to it, is closed and made anew.",
		Raise:   "A server that does not answer is noticed later, and so is one that can be reached again.",
		Lower:   "Servers far away or busy seem down.",
		Example: "dial-timeout: 500ms",
		value:   duration(func(c *Config) *time.Duration { return &c.DialTimeout }, time.Millisecond, longest),
	},
	{
		Name: "stall-timeout", Group: Timing, Unit: "duration", Default: "30s",
		Place: InUpstream, Change: Live,
		Help: "A connection to a server that owes replies and sends nothing for so long is closed and made anew. A client that " +
			"has a part of a reply is closed with it. Not shorter than timeout, and raised to it when not given. 0 is never.",
		Raise:   "A server behind a dead link is tried anew later.",
		Lower:   "A script that keeps a server busy for longer loses its connection, and every request on it fails.",
		Example: "stall-timeout: 1m",
		value:   duration(func(c *Config) *time.Duration { return &c.StallTimeout }, 0, longest),
	},
	{
		Name: "backoff-min", Group: Timing, Unit: "duration", Default: "10ms",
		Place: InUpstream, Change: Live,
		Help:    "Pause after the first failed attempt to connect to a server; it doubles, with jitter, up to backoff-max.",
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
		Help: "On SIGTERM or SIGINT, how long clients, new ones too, are still served while /readyz answers 503, so that load balancers stop " +
			"sending clients here first. After it drain-timeout begins. A second signal, half a second or more later, ends at once.",
		Raise:   "Stopping takes longer. In Kubernetes terminationGracePeriodSeconds must exceed this and drain-timeout together.",
		Lower:   "Load balancers that have not noticed send clients to a closed port.",
		Example: "shutdown-delay: 15s",
		value:   duration(func(c *Config) *time.Duration { return &c.ShutdownDelay }, 0, longest),
	},
	{
		Name: "drain-timeout", Group: Timing, Unit: "duration", Default: "10s",
		Change:  Live,
		Help:    "On SIGTERM or SIGINT, how long commands in flight may take to finish before clients are closed. A second signal, half a second or more later, ends at once.",
		Raise:   "Stopping may take longer.",
		Lower:   "Slow commands are cut off.",
		Example: "drain-timeout: 30s",
		value:   duration(func(c *Config) *time.Duration { return &c.DrainTimeout }, 0, longest),
	},
}
