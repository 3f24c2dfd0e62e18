package pool

import (
	"slices"
	"strconv"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
	"ringmaster/shard"
)

const (
	// maxSpare bounds the connections that wait to be lent again, for each server, protocol and database.
	maxSpare = 64
	// idleSpare is how long one waits before it is closed, ns.
	idleSpare = 60e9
)

// Lend gives owner a connection of its own to server: a spare one, or one that is being dialled, on which
// requests wait. nil with a Failure: MaxOwn are lent already. Loop-only.
func (p *Pool) Lend(server int, key conn.Key, owner conn.Owner) (*conn.Conn, *ask.Failure) {
	if p.Stopped {
		return nil, p.servers[server].Stopping
	}
	if p.lent-p.unpinned >= p.MaxOwn {
		return nil, &ask.Failure{Kind: ask.NoneFree, Server: p.servers[server].Name}
	}
	if shared := p.Default().Pick(server, 0); shared.State() != conn.Ready && !shared.WaitsForDial() {
		return nil, shared.Down() // it is dialled again in its own time
	}
	p.lent++
	p.Counters.OwnLent++
	at := spareKey{server, key}
	// One that still owes a reply that nobody waits for, such as UNWATCH's, is left to settle.
	if spare := p.own.spare[at]; len(spare) > 0 && spare[len(spare)-1].Ring.Len() == 0 {
		c := spare[len(spare)-1]
		spare[len(spare)-1] = nil
		p.own.spare[at] = spare[:len(spare)-1]
		c.Owner = owner
		return c, nil
	}
	if warm := p.own.warm[at]; len(warm) > 0 {
		c := warm[0]
		p.cool(c)
		c.Owner = owner
		return c, nil
	}
	c := p.newOwn(p.servers[server], key)
	c.Owner = owner
	return c, nil
}

// KeepSpare has connections dialled for who blocks or watches next, as many as Config.Spare. Loop-only.
func (p *Pool) KeepSpare(server int, key conn.Key) {
	if p.servers[server].Addr == "" {
		return
	}
	at := spareKey{server, key}
	for len(p.own.spare[at])+len(p.own.warm[at]) < p.Config.Spare && len(p.own.all) < p.MaxOwn {
		if p.own.warm == nil {
			p.own.warm = map[spareKey][]*conn.Conn{}
		}
		p.own.warm[at] = append(p.own.warm[at], p.newOwn(p.servers[server], key))
	}
}

// cool takes a connection off the list of those that are being dialled for nobody.
func (p *Pool) cool(c *conn.Conn) (was bool) {
	at := spareKey{c.Server().Index(), c.Group.ForKey}
	i := slices.Index(p.own.warm[at], c)
	if i < 0 {
		return false
	}
	if p.own.warm[at] = slices.Delete(p.own.warm[at], i, i+1); len(p.own.warm[at]) == 0 {
		delete(p.own.warm, at)
	}
	return true
}

// warmed puts a connection that was dialled for nobody among those that can be lent.
func (p *Pool) warmed(c *conn.Conn) {
	if p.cool(c) {
		c.Group.IdleSince = p.Now
		at := spareKey{c.Server().Index(), c.Group.ForKey}
		p.own.spare[at] = append(p.own.spare[at], c)
	}
}

// newOwn dials a connection for an owner.
func (p *Pool) newOwn(s *conn.Server, key conn.Key) *conn.Conn {
	c := conn.NewOwn(&p.Upstream, s, key)
	p.own.all[c] = struct{}{}
	p.Counters.OwnOpened++
	p.Counters.OwnOpen++
	c.Dial()
	return c
}

// returned is what Return of a connection does.
func (p *Pool) returned(c *conn.Conn, clean bool) {
	if c.Owner == nil {
		return
	}
	c.Owner = nil
	p.lent--
	p.Counters.OwnLent--
	at := spareKey{c.Server().Index(), c.Group.ForKey}
	if !clean || !c.Reusable() || p.servers[at.server] != c.Server() || len(p.own.spare[at]) >= maxSpare || p.Stopped {
		if c.State() != conn.Retired {
			c.Retire()
		}
		return
	}
	c.Group.IdleSince = p.Now
	p.own.spare[at] = append(p.own.spare[at], c)
}

// tickOwn looks at the connections that the rings do not list.
func (p *Pool) tickOwn() {
	for c := range p.own.all {
		c.Tick()
	}
	for at, spare := range p.own.spare {
		for len(spare) > 0 && p.Now-spare[0].Group.IdleSince > idleSpare {
			c := spare[0]
			spare = spare[1:]
			p.own.spare[at] = spare
			c.Retire()
		}
		if len(spare) == 0 {
			delete(p.own.spare, at)
		}
	}
}

// disowned ends an own connection: what it owed has failed, and it is not dialled again.
func (p *Pool) disowned(c *conn.Conn, f *ask.Failure) {
	if _, open := p.own.all[c]; open {
		delete(p.own.all, c)
		p.Counters.OwnOpen--
	}
	if owner := c.Owner; owner != nil {
		c.Owner = nil
		p.lent--
		p.Counters.OwnLent--
		p.TellOwner(owner, c, f)
		return
	}
	if p.cool(c) {
		return
	}
	at := spareKey{c.Server().Index(), c.Group.ForKey}
	spare := p.own.spare[at]
	for i, o := range spare {
		if o == c {
			p.own.spare[at] = append(spare[:i:i], spare[i+1:]...)
			return
		}
	}
}

// unblock is what Unblock of a connection does.
func (p *Pool) unblock(c *conn.Conn, how string) {
	words := []string{"CLIENT", "UNBLOCK", strconv.FormatInt(c.ServerID(), 10), how}
	if shard.SameAddr(p.servers[c.Server().Index()].Addr, c.Server().Addr) { // also if it has left and is back
		_ = p.Default().Pick(c.Server().Index(), 0).Tell(words...)
		return
	}
	for _, to := range p.leaving {
		if shard.SameAddr(to.Server().Addr, c.Server().Addr) && to.State() == conn.Draining && to.IsFirst() {
			to.Slip(words...)
			return
		}
	}
}

// rejoin is what Rejoin of a connection does.
func (p *Pool) rejoin(c *conn.Conn) bool {
	was, is := c.Server(), p.servers[c.Server().Index()]
	if !c.Own() || c.State() == conn.Retired || is.Addr == "" || !shard.SameAddr(was.Addr, is.Addr) {
		return false
	}
	c.BelongTo(is)
	return true
}

// staysOpen reports whether a connection that drains, or will once it is ready, is kept for Unblock: something waits at its server, which was
// taken off the list.
func (p *Pool) staysOpen(c *conn.Conn) bool {
	if c.State() == conn.Closed || c.State() == conn.Retired || !c.Server().Left || !c.IsFirst() {
		return false
	}
	for o := range p.own.all {
		if o.Server().Index() == c.Server().Index() && shard.SameAddr(o.Server().Addr, c.Server().Addr) && o.Owner != nil && o.Waits() {
			return true
		}
	}
	return false
}
