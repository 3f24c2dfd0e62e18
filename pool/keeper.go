package pool

import "ringmaster/pool/conn"

// ready: c has logged in.
func (p *Pool) ready(c *conn.Conn) {
	if c.Group.First {
		p.forgetDatabases()
	}
	if r := p.ringsOf(c); r != nil {
		r.opened()
	}
	if c.Own() && c.Owner == nil {
		p.warmed(c)
	}
	c.Adapt()
	if c.IsLane {
		c.Group.IdleSince = p.Now
		p.lanesOf(c).pump()
	}
	if c.Server().Replica && c.HealthStale() {
		p.Hint()
	}
	if !c.Own() && c.Server().GoneAt > 0 {
		c.Leave()
		return
	}
	c.MarkDirty()
}

// connFailed: c could not be made because of cause.
func (p *Pool) connFailed(c *conn.Conn, cause error) {
	if r := p.ringsOf(c); r != nil {
		r.failed(c, cause)
	}
}

// noDatabase: the server has refused the database of c with these words.
func (p *Pool) noDatabase(c *conn.Conn, reply []byte) {
	if r := p.ringsOf(c); r != nil {
		r.refuse(reply)
	}
}

// drained: c takes nothing any more and owes nothing.
func (p *Pool) drained(c *conn.Conn) {
	if !p.staysOpen(c) {
		c.Retire()
	}
}

// lanesOf are those to which a lane belongs.
func (p *Pool) lanesOf(c *conn.Conn) *lanes {
	l, _ := c.Owner.(*lanes)
	return l
}

// laneFreed: c, a lane, has nothing under way any more.
func (p *Pool) laneFreed(c *conn.Conn) {
	if l := p.lanesOf(c); l != nil {
		l.freed(c)
	}
}

// remade: c is being made again.
func (p *Pool) remade(c *conn.Conn) {
	p.endProbe(c)
	if c.Server().Replica {
		p.withdrawFrom(c) // a replica is asked first whether it may be read from over the new connection
	}
}

// ticked: a tick has looked at c, which is connected.
func (p *Pool) ticked(c *conn.Conn) {
	if r := &c.Server().Renewal; (r.Doubt || r.Recheck) && c.State() == conn.Ready {
		p.askRole(c)
	}
	if !c.Own() {
		p.watchScripts(c, p.Now)
	}
}
