package pool

import "ringmaster/shard"

// Configure has the connections go by cfg from now on, those that are there too: requests that wait are timed by its Timeout and
// StallTimeout. A dial under way keeps its DialTimeout. Connections, ScriptPolicy, Cluster, Resend, Fixed, and whether Reads is
// [shard.ReadPrimary], stay as they were. With another password the next logins use it, and those that were refused are tried at once.
// With another user, or with a login where there was none, or the reverse, all connections are made again: see renew.go. Those that
// sessions have stay until they are returned. Loop-only.
func (p *Pool) Configure(cfg Config) {
	old := p.cfg
	cfg.Connections, cfg.ScriptPolicy = old.Connections, old.ScriptPolicy
	cfg.Cluster, cfg.Resend, cfg.Fixed = old.Cluster, old.Resend, old.Fixed
	if (cfg.Reads == shard.ReadPrimary) != (old.Reads == shard.ReadPrimary) {
		cfg.Reads = old.Reads
	}
	p.cfg = &cfg
	p.hurry()
	switch {
	case old.user() != cfg.user():
		p.changeUser()
		p.logInAgain()
	case old.Password != cfg.Password:
		p.logInAgain()
	}
}

// user is whom connections log in as; "": they do not log in.
func (c *Config) user() string {
	if c.Password != "" && c.Username == "" {
		return "default"
	}
	if c.Password == "" {
		return ""
	}
	return c.Username
}

// hurry has no pause go on for longer than BackoffMax.
func (p *Pool) hurry() {
	last := p.Now + int64(p.cfg.BackoffMax)
	for _, r := range p.rings {
		for _, c := range r.conns {
			c.retryAt = min(c.retryAt, last)
		}
	}
	for _, l := range p.lanes {
		l.retryAt = min(l.retryAt, last)
	}
}

// changeUser has connections be made again that are logged in as another user, and forgets what holds for that user only.
func (p *Pool) changeUser() {
	p.logins++
	p.forgetDatabases()
	for _, s := range p.servers {
		s.forgetUser()
	}
	for _, r := range p.rings {
		for _, c := range r.conns {
			c.outlive(otherLogin)
		}
	}
	for c := range p.own.all {
		if c.lane != nil || c.Probes() {
			c.outlive(otherLogin)
		}
	}
	for at, spare := range p.own.spare {
		delete(p.own.spare, at)
		for _, c := range spare {
			c.retire()
		}
	}
}

// forgetUser forgets what a server has let its user do. Where that user could not ask whether it escapes, it counts as one that does
// not until the next login has asked.
func (s *Server) forgetUser() {
	s.unsure = s.unsure || s.noScripts
	s.probed, s.noScripts, s.noEcho, s.refusedUntil = false, false, false, 0
}

// logInAgain has every login that is under way, or was refused, begin again now.
func (p *Pool) logInAgain() {
	p.each(func(c *Conn) {
		if c.state == Handshaking {
			c.redial()
		}
	})
	for _, r := range p.rings {
		if !r.usable {
			r.cause, r.failure = nil, nil
		}
		for _, c := range r.conns {
			c.tried = c.tried && r.usable
			if !c.denied {
				continue
			}
			c.denied, c.waitForDial, c.backoff = false, true, 0
			if c.state == Closed {
				c.dial()
			}
			c.server.updateState(p)
		}
	}
	for _, l := range p.lanes {
		l.pause, l.retryAt = 0, 0
		l.pump()
	}
}
