package pool

import (
	"ringmaster/pool/conn"
	"ringmaster/shard"
)

// Configure has the connections go by cfg from now on, those that are there too: requests that wait are timed by its Timeout and
// StallTimeout. A dial under way keeps its DialTimeout. Connections, ScriptPolicy, Cluster, Resend, Fixed, and whether Reads is
// [shard.ReadPrimary], stay as they were. With another password the next logins use it, and those that were refused are tried at once.
// With another user, or with a login where there was none, or the reverse, all connections are made again: see conn/upkeep.go. Those that
// sessions have stay until they are returned. Loop-only.
func (p *Pool) Configure(cfg conn.Config) {
	old := p.Config
	cfg.Connections, cfg.ScriptPolicy = old.Connections, old.ScriptPolicy
	cfg.Cluster, cfg.Resend, cfg.Fixed = old.Cluster, old.Resend, old.Fixed
	if (cfg.Reads == shard.ReadPrimary) != (old.Reads == shard.ReadPrimary) {
		cfg.Reads = old.Reads
	}
	p.Config = &cfg
	p.hurry()
	switch {
	case old.User() != cfg.User():
		p.changeUser()
		p.logInAgain()
	case old.Password != cfg.Password:
		p.logInAgain()
	}
}

// hurry has no pause go on for longer than BackoffMax.
func (p *Pool) hurry() {
	last := p.Now + int64(p.Config.BackoffMax)
	for _, r := range p.rings {
		for _, c := range r.conns {
			c.DialBy(last)
		}
	}
	for _, l := range p.lanes {
		l.retryAt = min(l.retryAt, last)
	}
}

// changeUser has connections be made again that are logged in as another user, and forgets what holds for that user only.
func (p *Pool) changeUser() {
	p.Logins++
	p.forgetDatabases()
	for _, s := range p.servers {
		forgetUser(s)
	}
	for _, r := range p.rings {
		for _, c := range r.conns {
			c.Outlive(conn.OtherLogin)
		}
	}
	for c := range p.own.all {
		if c.IsLane || c.Probes() {
			c.Outlive(conn.OtherLogin)
		}
	}
	for at, spare := range p.own.spare {
		delete(p.own.spare, at)
		for _, c := range spare {
			c.Retire()
		}
	}
}

// forgetUser forgets what a server has let its user do. Where that user could not ask whether it escapes, it counts as one that does
// not until the next login has asked.
func forgetUser(s *conn.Server) {
	s.Unsure = s.Unsure || s.NoScripts
	s.Probed, s.NoScripts, s.NoEcho, s.RefusedUntil = false, false, false, 0
}

// logInAgain has every login that is under way, or was refused, begin again now.
func (p *Pool) logInAgain() {
	p.each(func(c *conn.Conn) {
		if c.State() == conn.Handshaking {
			c.Redial()
		}
	})
	for _, r := range p.rings {
		if !r.Works {
			r.cause, r.failure = nil, nil
		}
		for _, c := range r.conns {
			c.Tried = c.Tried && r.Works
			c.Forgive()
		}
	}
	for _, l := range p.lanes {
		l.pause, l.retryAt = 0, 0
		l.pump()
	}
}
