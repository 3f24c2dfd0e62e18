package conn

import "ringmaster/pool/ask"

// A connection that works may have to be made again: its server is no primary any more, or it is logged in as a user
// that the settings do not name any more. Nothing of that may be lost or overtaken, so what comes meanwhile waits.
//
//	stale ─ all is sent ▸ frozen ─ what is owed has come ▸ closed, dialled ▸ what waits is sent
//
// Own connections are not made again: they end once they owe nothing.

// Renew goes on with a connection that is to be made again. Called with every tick while Ready, and when replies have come.
func (c *Conn) Renew() {
	if c.own {
		if c.Ring.Len() == 0 {
			reason, err := c.stale.reason()
			c.server.Stats.Disconnects[reason]++
			c.transition(Retired)
			c.end(err)
			c.Up.Keeper.Disowned(c, &ask.Failure{Kind: ask.Lost, Sent: true, Server: c.server.Name, Cause: err})
		}
		return
	}
	if l := c.Up.Loop; !c.frozen && c.out.Size == 0 && l.frozen < AtOnce {
		c.frozen, c.frozenAt = true, c.Ring.Tail
		l.frozen++
	}
	if !c.frozen || c.Ring.Head < c.frozenAt {
		return
	}
	reason, _ := c.stale.reason()
	c.server.Stats.Disconnects[reason]++
	if c.stale == OtherLogin { // nothing is wrong with the server
		c.server.GraceUntil = c.Up.Loop.Now + int64(c.Up.Config.DialTimeout)
		c.Up.Log.otherLogin(c)
	}
	c.endRenewal()
	c.multi, c.unsent, c.waitForDial = false, 0, true
	c.refusal, c.headerCut = nil, false
	c.Redial()
	c.Up.Keeper.Remade(c)
}
