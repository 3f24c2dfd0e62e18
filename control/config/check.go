package config

import (
	"net"
	"slices"
	"strings"

	"ringmaster/shard"
)

// finish checks the settings against each other and decides the open ones.
func (c *Config) finish(l *Loader, ps *Problems) {
	given := l.Upstreams != nil
	if given {
		c.Upstream, c.UpstreamUsername, c.UpstreamPassword = l.Upstreams, "", ""
	}
	c.unfold()
	defer c.fold()
	c.nameListeners(ps)
	c.checkListens(ps)
	c.checkTLS(ps)
	c.checkProtected(ps)
	for _, u := range c.Upstreams {
		u.checkUpstream(given, ps)
	}
	c.checkSpareReplicas(ps)
	c.chooseUpstreams(given, ps)
	if len(*ps) > 0 {
		return // what clients see depends on the unknown upstream
	}
	for _, l := range c.Listeners {
		l.checkFacade(c.Used(l).Single(), ps)
		if l.flat() {
			return // the others have the same settings
		}
	}
}

// checkUpstream checks the settings of one upstream. given says that its servers come from the loader.
func (c *Config) checkUpstream(given bool, ps *Problems) {
	c.checkTimes(ps)
	c.checkServers(ps)
	if !given {
		c.checkSentinel(ps)
	}
	c.checkCluster(ps)
	c.checkReplicas(ps)
	if c.UpstreamUsername != "" && c.UpstreamPassword == "" {
		c.complain(ps, "upstream-username", "%s", c.say(
			"there is no upstream password; give one with --upstream-password-file or $RINGMASTER_UPSTREAM_PASSWORD",
			"there is no password; give one with password-file"))
	}
}

func (c *Config) checkListens(ps *Problems) {
	for i, l := range c.Listeners {
		if anyPort(l.Address) {
			continue
		}
		if slices.ContainsFunc(c.Listeners[:i], func(o Listener) bool { return o.Address == l.Address }) {
			l.complain(ps, "listen", "%s is given twice", l.Address)
		}
		if l.Address == c.Admin {
			l.complain(ps, "listen", "%s is the admin address too; give one of them another port", l.Address)
		}
		for _, u := range c.Upstreams {
			for _, s := range u.Config.Upstream {
				if s.Addr == l.Address {
					l.complain(ps, "listen", "%s is %s too: ringmaster would be its own client", l.Address,
						u.say("an upstream", "a server of upstream "+u.Name))
				}
			}
		}
	}
}

func anyPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && strings.Trim(port, "0") == ""
}

func (c *Config) checkProtected(ps *Problems) {
	for _, l := range c.Listeners {
		certified := l.TLS() && l.TLSAuthClients == TLSAuthYes
		if l.ProtectedMode && l.Password == "" && !certified && !Loopback(l.Address) {
			l.complain(ps, "listen", "%s can be reached from other machines, and no password is set (protected mode); %s", l.Address, l.say(
				"set one with --password-file or $RINGMASTER_PASSWORD, or listen on 127.0.0.1, or, if the network keeps others out, "+
					"give --protected-mode=false",
				"set one with password-file or $RINGMASTER_PASSWORD, or use 127.0.0.1, or, if the network keeps others out, "+
					"give protected-mode: false"))
		}
	}
	if c.ProtectedMode && c.Pprof && c.Admin != "" && !Loopback(c.Admin) {
		c.complain(ps, "pprof", "the admin address %s can be reached from other machines (protected mode); "+
			"use 127.0.0.1 for --admin, or leave --pprof out, or give --protected-mode=false", c.Admin)
	}
}

func (c *Config) checkTimes(ps *Problems) {
	if c.BackoffMin > c.BackoffMax {
		c.complainAt(c.first("backoff-min", "backoff-max"), ps, "backoff-min", "%s is longer than backoff-max, %s",
			short(c.BackoffMin), short(c.BackoffMax))
	}
	if c.origin["stall-timeout"] == "" { // a longer timeout raises the default
		c.StallTimeout = max(c.StallTimeout, c.Timeout)
		if c.Timeout == 0 {
			c.StallTimeout = 0
		}
	}
	if c.StallTimeout > 0 && (c.Timeout == 0 || c.StallTimeout < c.Timeout) {
		c.complainAt(c.first("stall-timeout", "timeout"), ps, "stall-timeout",
			"%s is shorter than timeout, %s: connections would be closed before their commands time out; "+
				"want at least the timeout, or 0 for never", short(c.StallTimeout), forever(c.Timeout.String()))
	}
}

func forever(d string) string {
	if d == "0s" {
		return "0 (no limit)"
	}
	return d
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
			c.complain(ps, "topology", "standalone means one server, and %s names %d; want topology sharded, or one server", c.keyHere("upstream"), n)
		}
	}
	if c.Topology == Cluster || c.Topology == Sentinel {
		return
	}
	if _, err := c.Map(); err != nil {
		c.complain(ps, "upstream", "%s", strings.TrimPrefix(err.Error(), "shard: "))
	}
}

var sentinelOnly = []string{"sentinel-masters", "sentinel-username", "sentinel-password", "sentinel-password-file"}

// checkSentinel checks what only topology sentinel has.
func (c *Config) checkSentinel(ps *Problems) {
	if c.Topology != Sentinel {
		c.refuseSentinel(ps)
		return
	}
	if c.SentinelUsername != "" && c.SentinelPassword == "" {
		c.complain(ps, "sentinel-username", "there is no sentinel password; give one with %s", c.say(
			"--sentinel-password-file or $RINGMASTER_SENTINEL_PASSWORD", "sentinel-password-file"))
	}
	for _, s := range c.Upstream {
		if !plain(s) || strings.HasPrefix(s.Addr, "unix:") {
			c.complain(ps, "upstream", "%s: with topology sentinel these are sentinels; want HOST:PORT", s.Addr)
		}
	}
	if len(c.SentinelMasters) == 0 {
		c.complainAt(c.origin["topology"], ps, "sentinel-masters", "no master's name is given; want the names in \"sentinel monitor NAME ...\"")
		return
	}
	p := c.Placement()
	for _, name := range c.SentinelMasters {
		p.Servers = append(p.Servers, shard.Server{Name: name, Addr: name, Weight: 1})
	}
	if _, err := shard.New(p); err != nil {
		c.complain(ps, "sentinel-masters", "%s", strings.TrimPrefix(err.Error(), "shard: "))
	}
}

// refuseSentinel refuses settings that only matter for sentinels. A default for all upstreams may be meant for
// others.
func (c *Config) refuseSentinel(ps *Problems) {
	for _, name := range sentinelOnly {
		if c.own(name) && !c.fromEnvironment(name) {
			c.complain(ps, name, "is not used with topology %s; to use it give %s", c.Topology, c.say(
				"--topology sentinel, and the sentinels as --upstream", "topology: sentinel, and the sentinels as servers"))
			return
		}
	}
	if !c.flat() {
		c.SentinelMasters, c.SentinelUsername, c.SentinelPassword, c.sentinelPasswordFile = nil, "", "", ""
		for _, name := range sentinelOnly {
			c.forget(name)
		}
	}
}

// checkCluster refuses settings that a cluster decides by itself. A default for all upstreams may be meant for
// others.
func (c *Config) checkCluster(ps *Problems) {
	if c.Topology != Cluster {
		return
	}
	for _, s := range c.Upstream {
		if !plain(s) {
			c.complain(ps, "upstream", "%s: nodes of a cluster take no weights or names; want HOST:PORT", s.Addr)
		}
	}
	for _, name := range []string{"distribution", "hash", "hash-tag"} {
		switch {
		case name == "hash-tag" && c.HashTag == "{}":
		case c.own(name):
			c.complain(ps, name, "a cluster places keys by its own rules; leave this out")
		case c.origin[name] != "":
			c.reset(name)
		}
	}
}

// reset gives a setting of text or words its default.
func (c *Config) reset(name string) {
	s := find(name)
	if err := s.set(c, []string{s.Default}); err != nil {
		panic("config: default of " + name + ": " + err.Error()) // a bug in the table
	}
	c.forget(name)
}

// plain reports whether s was given without a weight and a name.
func plain(s shard.Server) bool {
	same, err := shard.ParseServers(s.Addr)
	return err == nil && same[0] == s
}

// checkFacade decides whether clients see a cluster. single says that one server is behind the listener.
func (c *Config) checkFacade(single bool, ps *Problems) {
	c.settleFacade(single)
	for i, addr := range c.ClusterAnnounce {
		if slices.Contains(c.ClusterAnnounce[:i], addr) {
			c.complain(ps, "cluster-announce", "%s is given twice", addr)
		}
	}
	switch {
	case len(c.ClusterAnnounce) == 0 || c.ClusterFacade:
	case c.own("cluster-announce"):
		c.complain(ps, "cluster-announce", "has no effect while the cluster facade is off; give %s", c.say("--cluster-facade on", "cluster-facade: on"))
	default: // meant for other listeners
		c.ClusterAnnounce = nil
		c.forget("cluster-announce")
	}
}

// settleFacade decides the value auto.
func (c *Config) settleFacade(single bool) {
	c.ClusterFacade = c.clusterFacade == "on" || c.clusterFacade == "auto" && !single
}
