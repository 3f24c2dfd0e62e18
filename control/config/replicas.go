package config

import (
	"maps"

	"ringmaster/shard"
)

// checkReplicas checks the settings of replicas against each other.
func (c *Config) checkReplicas(ps *Problems) {
	if c.ReadPolicy == shard.ReadNearest && c.Zone == "" {
		c.complain(ps, "read-policy", "nearest needs the zone of ringmaster; give %s", c.say("--zone", "zone"))
	}
	if c.Topology == Cluster || c.Topology == Sentinel {
		switch {
		case len(c.Replicas) == 0:
		case c.own("replicas"):
			c.complain(ps, "replicas", "a cluster and sentinels report replicas themselves; leave this out")
		default:
			c.Replicas = nil
			c.forget("replicas")
		}
		return
	}
	primaries := c.primaries()
	if !c.own("replicas") { // those of other upstreams are named there too
		c.Replicas = maps.Clone(c.Replicas)
		maps.DeleteFunc(c.Replicas, func(primary string, _ []shard.Server) bool { return !primaries[primary] })
		if len(c.Replicas) == 0 {
			c.Replicas = nil
			c.forget("replicas")
		}
	}
	for primary, replicas := range c.Replicas {
		if !primaries[primary] {
			c.complain(ps, "replicas", "there is no %s %q", c.say("upstream", "server"), primary)
		}
		for _, r := range replicas {
			if primaries[r.Addr] {
				c.complain(ps, "replicas", "%s is %s itself", r.Addr, c.say("an upstream", "a server"))
			}
		}
	}
}

// primaries returns the names and addresses of c's servers.
func (c *Config) primaries() map[string]bool {
	names := map[string]bool{}
	for _, s := range c.Upstream {
		names[s.Name], names[s.Addr] = true, true
	}
	return names
}

// checkSpareReplicas refuses replicas at the top level whose primary is in no upstream.
func (c *Config) checkSpareReplicas(ps *Problems) {
	known := map[string]bool{}
	for _, u := range c.Upstreams {
		if u.flat() {
			return // checked
		}
		maps.Copy(known, u.primaries())
	}
	for primary := range c.Replicas {
		if !known[primary] {
			c.complain(ps, "replicas", "no upstream has a server %q", primary)
		}
	}
}
