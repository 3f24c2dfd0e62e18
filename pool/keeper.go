package pool

import (
	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
)

// keepConns has the pool be told of its connections.
func (p *Pool) keepConns() {
	p.Keeper = conn.Keeper{
		Ready: p.ready, Failed: p.connFailed, NoDatabase: p.noDatabase, Hello: p.noteHello, Ended: p.endProbe,
		Disowned: p.disowned, Returned: p.returned, Unblock: p.unblock, Rejoin: p.rejoin, Drained: p.drained, Remade: p.remade, Ticked: p.ticked,
		LaneFreed: p.laneFreed,
		Lane:      func(c *conn.Conn, r ask.Request) *ask.Failure { return p.laneOf(c).put(c, &r) },
		Detour:    p.detour, ReadLater: p.readLater, Save: p.save, Refuses: p.refuses, Redirect: p.redirect, Ran: p.ran,
		RefusedWrite: p.refusedWrite, Unescaped: p.noteUnescaped, Changed: p.updateState,
	}
}

// newConn makes a connection to a server, the nth of its group to that.
func (p *Pool) newConn(s *conn.Server, g *conn.Group, nth int) *conn.Conn {
	return conn.New(&p.Upstream, s, g, nth)
}

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
	if r := &c.Server().Renewal; (r.Doubt || r.Check) && c.State() == conn.Ready {
		p.askRole(c)
	}
	if !c.Own() {
		p.watchScripts(c, p.Now)
	}
}
