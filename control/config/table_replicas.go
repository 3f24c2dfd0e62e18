package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"ringmaster/shard"
)

var replicaSettings = []*Setting{
	{
		Name: "read-policy", Group: Servers, Unit: "word", Default: shard.ReadPrimary.String(),
		Place: InUpstream, Change: Live,
		Except: "from and to primary it needs a restart", restarts: replicasUsed,
		Help: "Which servers answer commands that only read: primary; prefer-primary (replicas while it is down); replica (never the " +
			"primary); prefer-replica (the primary when no replica is available); any (primary and replicas alike); nearest (both, " +
			"those in --zone first). Among equally good servers, ringmaster takes the one that owes the fewest replies.",
		Choose: "With every policy except primary, a client may miss its own last write, or see older data than a moment ago. A read " +
			"may also see a write that its client sent after it, because servers do not wait for each other. primary costs nothing. " +
			"prefer-primary reads old data only while a primary is down. replica and prefer-replica take reads off the primaries; " +
			"with replica, reads fail where no replica is fit. any spreads reads over all servers. nearest saves traffic between " +
			"zones. Each loop also connects to each replica. Transactions, scripts, scans and clients with state at the server " +
			"(WATCH, CLIENT TRACKING) stay at primaries.",
		Example: "read-policy: prefer-replica",
		Words:   shard.ReadPolicies(),
		value:   word(func(c *Config) *shard.ReadPolicy { return &c.ReadPolicy }, known(shard.ParseReadPolicy)),
	},
	{
		Name: "replicas", Group: Servers, Unit: "servers", list: true,
		Place: InUpstream, Change: Live,
		Help: "The replicas of fixed servers: PRIMARY=HOST:PORT,..., one entry for each replica. PRIMARY is the name or the address " +
			"of one of the servers. If none is listed for a primary, ringmaster asks the primary which replicas are connected. " +
			"A cluster and sentinels report replicas themselves.",
		Choose: "Needed where a primary does not know the addresses that ringmaster must use, or must not be asked. With read-policy " +
			"primary they are not used.",
		Example: "replicas:\n  - alpha=10.0.1.1:6379\n  - alpha=10.0.1.2:6379",
		value:   value{applyReplicas, of(func(c *Config) *map[string][]shard.Server { return &c.Replicas })},
	},
	{
		Name: "replica-max-lag", Group: Servers, Unit: "duration", Default: "5s",
		Place: InUpstream, Change: Live,
		Help: "A replica gets no reads while it lacks writes that its primary had for longer than this, or while its link to the " +
			"primary is down and the primary is up. ringmaster asks both for their replication offsets, every quarter of this time " +
			"and at least every second. 0 means no limit.",
		Raise: "Older data may be read.",
		Lower: "Replicas drop out sooner under load, and servers are asked more often. Lag is only as precise as the polling interval, " +
			"one second by default.",
		Example: "replica-max-lag: 2s",
		value:   duration(func(c *Config) *time.Duration { return &c.ReplicaMaxLag }, 0, 10*time.Minute),
	},
	{
		Name: "zone", Group: Servers, Unit: "text",
		Place: InUpstream, Change: Live,
		Help:    "The zone that this ringmaster runs in, for read-policy nearest.",
		Choose:  "If no server is in this zone, all zones are equal.",
		Example: "zone: eu-1a",
		value:   text(func(c *Config) *string { return &c.Zone }),
	},
	{
		Name: "server-zones", Group: Servers, Unit: "zones", list: true,
		Place: InUpstream, Change: Live,
		Help: "Zones of the servers, primaries and replicas: SERVER=ZONE,..., by name or address. A server that is not listed may " +
			"report its own zone (availability-zone of Valkey).",
		Choose:  "A zone given here overrides the one that the server reports.",
		Example: "server-zones:\n  - alpha=eu-1a\n  - 10.0.1.1:6379=eu-1b",
		value:   value{applyZones, of(func(c *Config) *map[string]string { return &c.ServerZones })},
	},
}

// maxServerPairs bounds the pairs of replicas and of zones.
const maxServerPairs = shard.MaxServers

func applyReplicas(c *Config, values []string) error {
	replicas := map[string][]shard.Server{}
	err := eachPair(values, "PRIMARY=HOST:PORT, such as alpha=10.0.1.1:6379", func(primary, addr string) error {
		servers, err := shard.ParseServers(addr)
		if err != nil {
			return errors.New(strings.TrimPrefix(err.Error(), "shard: "))
		}
		replicas[primary] = append(replicas[primary], servers...)
		return nil
	})
	c.Replicas = replicas
	return err
}

func applyZones(c *Config, values []string) error {
	zones := map[string]string{}
	err := eachPair(values, "SERVER=ZONE, such as 10.0.1.1:6379=eu-1a", func(server, zone string) error {
		if old := zones[server]; old != "" && old != zone {
			return fmt.Errorf("%s has two zones, %s and %s", server, old, zone)
		}
		zones[server] = zone
		return nil
	})
	c.ServerZones = zones
	return err
}

// eachPair reads lists of KEY=VALUE, separated by commas.
func eachPair(values []string, want string, f func(key, value string) error) error {
	n := 0
	for _, v := range values {
		for pair := range strings.SplitSeq(v, ",") {
			pair = strings.TrimSpace(pair)
			at := strings.LastIndexByte(pair, '=')
			if at <= 0 || at == len(pair)-1 {
				return fmt.Errorf("%q: want %s", pair, want)
			}
			if n++; n > maxServerPairs {
				return fmt.Errorf("more than %d", maxServerPairs)
			}
			if err := f(pair[:at], pair[at+1:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Groups returns c's servers with their given replicas.
func (c *Config) Groups() []shard.Group {
	groups := make([]shard.Group, len(c.Upstream))
	for i, s := range c.Upstream {
		groups[i] = shard.Group{Primary: s, Replicas: c.Replicas[s.Name]}
		if s.Addr != s.Name {
			groups[i].Replicas = append(groups[i].Replicas[:len(groups[i].Replicas):len(groups[i].Replicas)], c.Replicas[s.Addr]...)
		}
	}
	return groups
}
