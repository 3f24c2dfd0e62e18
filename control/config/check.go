package config

import (
	"net"
	"slices"
	"strings"

	"ringmaster/shard"
)

// finish checks the settings against each other and settles what is left open.
func (c *Config) finish(l *Loader, ps *Problems) {
	if l.Upstreams != nil {
		c.Upstream, c.UpstreamUsername, c.UpstreamPassword = l.Upstreams, "", ""
	}
	c.checkListens(ps)
	c.checkProtected(ps)
	c.checkTimes(ps)
	c.checkServers(ps)
	if l.Upstreams == nil {
		c.checkSentinel(ps)
	}
	c.checkCluster(ps)
	c.checkFacade(ps)
	c.checkReplicas(ps)
	if c.UpstreamUsername != "" && c.UpstreamPassword == "" {
		ps.add(c.origin["upstream-username"], "upstream-username",
			"there is no upstream password; give one with --upstream-password-file or $RINGMASTER_UPSTREAM_PASSWORD")
	}
}

func (c *Config) checkListens(ps *Problems) {
	where := c.origin["listen"]
	for i, addr := range c.Listen {
		if anyPort(addr) {
			continue
		}
		if slices.Contains(c.Listen[:i], addr) {
			ps.add(where, "listen", "%s is given twice", addr)
		}
		if addr == c.Admin {
			ps.add(where, "listen", "%s is the admin address too; give one of them another port", addr)
		}
		for _, s := range c.Upstream {
			if s.Addr == addr {
				ps.add(where, "listen", "%s is an upstream too: ringmaster would be its own client", addr)
			}
		}
	}
}

func anyPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && strings.Trim(port, "0") == ""
}

func (c *Config) checkProtected(ps *Problems) {
	if !c.ProtectedMode {
		return
	}
	for _, addr := range c.Listen {
		if c.Password == "" && !Loopback(addr) {
			ps.add(c.origin["listen"], "listen", "%s can be reached from other machines, and no password is set (protected mode); "+
				"set one with --password-file or $RINGMASTER_PASSWORD, or listen on 127.0.0.1, or, if the network keeps others out, "+
				"give --protected-mode=false", addr)
		}
	}
	if c.Pprof && c.Admin != "" && !Loopback(c.Admin) {
		ps.add(c.origin["pprof"], "pprof", "the admin address %s can be reached from other machines (protected mode); "+
			"use 127.0.0.1 for --admin, or leave --pprof out, or give --protected-mode=false", c.Admin)
	}
}

func (c *Config) checkTimes(ps *Problems) {
	if c.BackoffMin > c.BackoffMax {
		ps.add(c.first("backoff-min", "backoff-max"), "backoff-min", "%s is longer than backoff-max, %s",
			short(c.BackoffMin), short(c.BackoffMax))
	}
	if c.origin["stall-timeout"] == "" { // a longer timeout takes the default along
		c.StallTimeout = max(c.StallTimeout, c.Timeout)
		if c.Timeout == 0 {
			c.StallTimeout = 0
		}
	}
	if c.StallTimeout > 0 && (c.Timeout == 0 || c.StallTimeout < c.Timeout) {
		ps.add(c.first("stall-timeout", "timeout"), "stall-timeout",
			"%s is shorter than timeout, %s: connections would be closed before their commands time out; "+
				"want at least the timeout, or 0 for never", short(c.StallTimeout), forever(c.Timeout.String()))
	}
}

func forever(d string) string {
	if d == "0s" {
		return "0 (for ever)"
	}
	return d
}

// first is where the first of the settings that was given stands.
func (c *Config) first(names ...string) string {
	for _, n := range names {
		if c.origin[n] != "" {
			return c.origin[n]
		}
	}
	return ""
}

func (c *Config) checkServers(ps *Problems) {
	if len(c.Upstream) == 0 {
		ps.add("", "upstream", "no server is given; want --upstream HOST:PORT[,HOST:PORT...], "+
			"or \"upstream:\" in the file that --config names")
		return
	}
	switch c.Topology {
	case "auto":
		c.Topology = Sharded
		if len(c.Upstream) == 1 {
			c.Topology = Standalone
		}
	case Standalone:
		if n := len(c.Upstream); n != 1 {
			ps.add(c.origin["topology"], "topology", "standalone means one server, and upstream names %d; want topology sharded, or one server", n)
		}
	}
	if c.Topology == Cluster || c.Topology == Sentinel {
		return
	}
	if _, err := c.Map(); err != nil {
		ps.add(c.origin["upstream"], "upstream", "%s", strings.TrimPrefix(err.Error(), "shard: "))
	}
}

// checkSentinel checks what only topology sentinel has.
func (c *Config) checkSentinel(ps *Problems) {
	if c.Topology != Sentinel {
		for _, name := range []string{"sentinel-masters", "sentinel-username", "sentinel-password", "sentinel-password-file"} {
			if where := c.origin[name]; where != "" && where[0] != '$' {
				ps.add(c.origin[name], name, "nobody is asked for it with topology %s; give --topology sentinel, and the sentinels as --upstream", c.Topology)
				return
			}
		}
		return
	}
	if c.SentinelUsername != "" && c.SentinelPassword == "" {
		ps.add(c.origin["sentinel-username"], "sentinel-username",
			"there is no sentinel password; give one with --sentinel-password-file or $RINGMASTER_SENTINEL_PASSWORD")
	}
	for _, s := range c.Upstream {
		if !plain(s) || strings.HasPrefix(s.Addr, "unix:") {
			ps.add(c.origin["upstream"], "upstream", "%s: with topology sentinel these are sentinels; want HOST:PORT", s.Addr)
		}
	}
	if len(c.SentinelMasters) == 0 {
		ps.add(c.origin["topology"], "sentinel-masters", "no name of a master is given; want those of \"sentinel monitor NAME ...\"")
		return
	}
	p := c.Placement()
	for _, name := range c.SentinelMasters {
		p.Servers = append(p.Servers, shard.Server{Name: name, Addr: name, Weight: 1})
	}
	if _, err := shard.New(p); err != nil {
		ps.add(c.origin["sentinel-masters"], "sentinel-masters", "%s", strings.TrimPrefix(err.Error(), "shard: "))
	}
}

// checkCluster refuses what a cluster decides by itself.
func (c *Config) checkCluster(ps *Problems) {
	if c.Topology != Cluster {
		return
	}
	for _, s := range c.Upstream {
		if !plain(s) {
			ps.add(c.origin["upstream"], "upstream", "%s: the nodes of a cluster have no weights and names here; want HOST:PORT", s.Addr)
		}
	}
	for _, name := range []string{"distribution", "hash", "hash-tag"} {
		if c.origin[name] != "" && (name != "hash-tag" || c.HashTag != "{}") {
			ps.add(c.origin[name], name, "a cluster places keys by rules of its own; leave this out")
		}
	}
}

// plain reports whether s was given without a weight and a name.
func plain(s shard.Server) bool {
	same, err := shard.ParseServers(s.Addr)
	return err == nil && same[0] == s
}

// checkFacade settles whether clients see a cluster.
func (c *Config) checkFacade(ps *Problems) {
	c.ClusterFacade = c.clusterFacade == "on" || c.clusterFacade == "auto" && !c.Single()
	for i, addr := range c.ClusterAnnounce {
		if slices.Contains(c.ClusterAnnounce[:i], addr) {
			ps.add(c.origin["cluster-announce"], "cluster-announce", "%s is given twice", addr)
		}
	}
	if len(c.ClusterAnnounce) > 0 && !c.ClusterFacade {
		ps.add(c.origin["cluster-announce"], "cluster-announce", "clients see no cluster here; give --cluster-facade on")
	}
}
