package pool

import (
	"slices"
	"strconv"

	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Owner has a connection of its own: a session with state that the server ties to a connection, such as
// WATCH, or one that waits in a blocking command.
type Owner interface {
	// Pushed gives a piece of what the server sends without being asked: a push, a message, a line of
	// MONITOR. Borrows b until return. It must not call back into the Conn that calls it.
	Pushed(b []byte, p ask.Piece)
	// OwnLost tells that the connection is gone for good. What it owed has failed before.
	OwnLost(c *Conn, f *ask.Failure)
	// Client is who uses the connection; nil: nobody alone.
	Client() ask.Client
}

// owned is the connections of one loop that belong to one session each, and those that may be lent.
//
// Invariant: spare holds those without an owner, each Ready and owing nothing that anybody waits for.
type owned struct {
	all   map[*Conn]struct{}
	spare map[spareKey][]*Conn
	warm  map[spareKey][]*Conn // being dialled for nobody yet
}

// spareKey tells apart connections that may stand in for each other.
type spareKey struct {
	server int
	key    Key
}

const (
	// maxSpare bounds the connections that wait to be lent again, for each server, protocol and database.
	maxSpare = 64
	// idleSpare is how long one waits before it is closed, ns.
	idleSpare = 60e9
)

// Lend gives owner a connection of its own to server: a spare one, or one that is being dialled, on which
// requests wait. nil with a Failure: MaxOwn are lent already. Loop-only.
func (p *Pool) Lend(server int, key Key, owner Owner) (*Conn, *ask.Failure) {
	if p.stopped {
		return nil, p.servers[server].stopping
	}
	if p.lent-p.unpinned >= p.MaxOwn {
		return nil, &ask.Failure{Kind: ask.NoneFree, Server: p.servers[server].Name}
	}
	if shared := p.Default().Pick(server, 0); shared.state != Ready && !shared.waitForDial {
		return nil, shared.down // it is dialled again in its own time
	}
	p.lent++
	p.stats.OwnLent++
	at := spareKey{server, key}
	// One that still owes a reply that nobody waits for, such as UNWATCH's, is left to settle.
	if spare := p.own.spare[at]; len(spare) > 0 && spare[len(spare)-1].ring.Len() == 0 {
		c := spare[len(spare)-1]
		spare[len(spare)-1] = nil
		p.own.spare[at] = spare[:len(spare)-1]
		c.owner = owner
		return c, nil
	}
	if warm := p.own.warm[at]; len(warm) > 0 {
		c := warm[0]
		p.cool(c)
		c.owner = owner
		return c, nil
	}
	c := p.newOwn(p.servers[server], key)
	c.owner = owner
	return c, nil
}

// KeepSpare has connections dialled for who blocks or watches next, as many as Config.Spare. Loop-only.
func (p *Pool) KeepSpare(server int, key Key) {
	if p.servers[server].Addr == "" {
		return
	}
	at := spareKey{server, key}
	for len(p.own.spare[at])+len(p.own.warm[at]) < p.cfg.Spare && len(p.own.all) < p.MaxOwn {
		if p.own.warm == nil {
			p.own.warm = map[spareKey][]*Conn{}
		}
		p.own.warm[at] = append(p.own.warm[at], p.newOwn(p.servers[server], key))
	}
}

// cool takes a connection off the list of those that are being dialled for nobody.
func (p *Pool) cool(c *Conn) (was bool) {
	at := spareKey{c.server.index, c.rings.key}
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
func (p *Pool) warmed(c *Conn) {
	if p.cool(c) {
		c.rings.idleSince = p.Now
		at := spareKey{c.server.index, c.rings.key}
		p.own.spare[at] = append(p.own.spare[at], c)
	}
}

// newOwn dials a connection for an owner.
func (p *Pool) newOwn(s *Server, key Key) *Conn {
	// The database is known to exist: the owner is on rings of the same key.
	r := &Rings{key: key, pool: p, usable: true}
	c := &Conn{pool: p, server: s, rings: r, fences: fences{guard: noGuard}, waitForDial: true, down: s.lost, out: queue.NewOutput(&p.Buffers), own: true}
	r.conns = []*Conn{c}
	p.own.all[c] = struct{}{}
	p.stats.OwnOpened++
	p.stats.OwnOpen++
	c.dial()
	return c
}

// Return gives the connection back. A clean one, on which the server keeps no state of the owner, is lent
// again; else it is closed, which ends whatever it still does at the server. Loop-only.
func (c *Conn) Return(clean bool) {
	if c.owner == nil {
		return
	}
	p := c.pool
	c.owner = nil
	p.lent--
	p.stats.OwnLent--
	at := spareKey{c.server.index, c.rings.key}
	if !clean || c.outdated() || p.servers[at.server] != c.server || c.streams || c.tunnel || c.state != Ready || c.replying() || len(p.own.spare[at]) >= maxSpare || p.stopped {
		if c.state != Retired {
			c.retire()
		}
		return
	}
	c.rings.idleSince = p.Now
	p.own.spare[at] = append(p.own.spare[at], c)
}

// HandOver gives the replies to commands that wait at the server to the receivers that wrap makes of theirs, except a reply that has begun. It
// reports whether the server still owes any. Loop-only.
func (c *Conn) HandOver(wrap func(ask.Receiver) ask.Receiver) (owed bool) {
	for i := c.ring.Head; i != c.ring.Tail; i++ {
		e := c.ring.At(i)
		if !e.Is.Has(queue.Blocking) || e.Recv == nil || e.Size > 0 {
			continue
		}
		owed = true
		if e.Is.Carrier() == 0 && (i != c.ring.Head || !c.replying()) { // what a module replies is no word of the server
			e.Recv = wrap(e.Recv)
		}
	}
	return owed
}

// Waits reports whether a command waits at the server: one that may do so, and whose reply has not begun. Loop-only.
func (c *Conn) Waits() bool {
	return c.ring.Len() > 0 && c.ring.At(c.ring.Head).Is.Has(queue.Blocking) && !c.replying()
}

// Stream lets the server send what nobody asked for, which is else the end of a connection: lines of MONITOR,
// or replies beside those that are owed. Loop-only.
func (c *Conn) Stream() { c.streams = true }

// Streams reports whether Stream was called. Loop-only.
func (c *Conn) Streams() bool { return c.streams }

// Tunnel makes the connection a stream of bytes: what the server sends from now on, RESP or not, goes to the
// owner as it comes. It is for replication (SYNC) and never ends. Loop-only.
func (c *Conn) Tunnel() { c.tunnel = true }

// Send writes a request that no reply will be owed to, as in a Tunnel. Borrows raw until return. Loop-only.
func (c *Conn) Send(raw []byte) *ask.Failure {
	if f := c.admit(len(raw), 0); f != nil {
		return f
	}
	c.out.Write(raw)
	c.queued += uint64(len(raw))
	c.markDirty()
	return nil
}

// overstays reports whether an own connection must end because its server is gone. Owners have the dial timeout to give it back, or to
// end what waits there. One that was taken out of a fixed list also answers what it runs.
func (c *Conn) overstays(now int64) bool {
	s := c.server
	return s.goneAt > 0 && now-s.goneAt > int64(c.pool.cfg.DialTimeout) && !(s.left && c.works())
}

// works reports whether somebody waits for what the server runs: a command that ends by itself, and that none which blocks is before.
func (c *Conn) works() bool {
	for i := c.ring.Head; i != c.ring.Tail; i++ {
		e := c.ring.At(i)
		if e.Is.Has(queue.Blocking) {
			return false
		}
		if _, unwanted := e.Recv.(swallowed); e.Recv != nil && !unwanted {
			return true
		}
	}
	return false
}

// Rekey tells that SELECT or HELLO have been sent on a connection of an owner. Loop-only.
func (c *Conn) Rekey(key Key) { c.rings.key = key }

// Own reports whether the connection belongs to one session at a time. Loop-only.
func (c *Conn) Own() bool { return c.own }

// ServerID is what the server calls this connection, as CLIENT ID would; 0: it has not said.
func (c *Conn) ServerID() int64 { return c.serverID }

// tickOwn looks at the connections that the rings do not list.
func (p *Pool) tickOwn() {
	for c := range p.own.all {
		c.tick()
	}
	for at, spare := range p.own.spare {
		for len(spare) > 0 && p.Now-spare[0].rings.idleSince > idleSpare {
			c := spare[0]
			spare = spare[1:]
			p.own.spare[at] = spare
			c.retire()
		}
		if len(spare) == 0 {
			delete(p.own.spare, at)
		}
	}
}

// disown ends an own connection: what it owed has failed, and it is not dialled again.
func (c *Conn) disown(f *ask.Failure) {
	if _, open := c.pool.own.all[c]; open {
		delete(c.pool.own.all, c)
		c.pool.stats.OwnOpen--
	}
	if owner := c.owner; owner != nil {
		c.owner = nil
		c.pool.lent--
		c.pool.stats.OwnLent--
		c.pool.ownLost(owner, c, f)
		return
	}
	if c.pool.cool(c) {
		return
	}
	at := spareKey{c.server.index, c.rings.key}
	spare := c.pool.own.spare[at]
	for i, o := range spare {
		if o == c {
			c.pool.own.spare[at] = append(spare[:i:i], spare[i+1:]...)
			return
		}
	}
}

// loseOwn is lose for an own connection.
func (c *Conn) loseOwn(reason stats.DisconnectReason, cause error) {
	if c.owner != nil || c.state != Ready {
		c.pool.log.lost(c, reason, cause)
	}
	c.transition(Retired) // first: those whose requests end may give the connection back
	c.end(cause)
	c.disown(&ask.Failure{Kind: ask.Lost, Sent: true, Server: c.server.Name, Cause: cause})
}

// Unblock asks the server to end the command that waits on a connection of a session. how is the last word of CLIENT UNBLOCK: TIMEOUT or
// ERROR. It goes over a connection that clients share, also to a server that has left the list. Loop-only.
func (c *Conn) Unblock(how string) {
	p := c.pool
	words := []string{"CLIENT", "UNBLOCK", strconv.FormatInt(c.serverID, 10), how}
	if shard.SameAddr(p.servers[c.server.index].Addr, c.server.Addr) { // also if it has left and is back
		_ = p.Default().Pick(c.server.index, 0).Tell(words...)
		return
	}
	for _, to := range p.leaving {
		if shard.SameAddr(to.server.Addr, c.server.Addr) && to.state == Draining && to.isFirst() {
			raw := appendCommand(nil, words...)
			to.out.Write(raw) // it takes nothing else any more
			to.owe(len(raw), swallowed{}, 0)
			return
		}
	}
}

// Rejoin has a lent connection to a server that has left the list go on as one to that server, which is on the list again under its number;
// false: it is not, or the connection is gone. Loop-only.
func (c *Conn) Rejoin() bool {
	was, is := c.server, c.pool.servers[c.server.index]
	if !c.own || c.state == Retired || is.Addr == "" || !shard.SameAddr(was.Addr, is.Addr) {
		return false
	}
	if c.server = is; c.state == Ready {
		was.ready--
		is.ready++
		is.updateState(c.pool)
	}
	return true
}

// isFirst reports whether it is the first of the connections that every session begins with.
func (c *Conn) isFirst() bool { return !c.own && c.nth == 0 && c.rings == c.pool.Default() }

// staysOpen reports whether a connection that drains, or will once it is ready, is kept for Unblock: something waits at its server, which was
// taken off the list.
func (c *Conn) staysOpen() bool {
	if c.state == Closed || c.state == Retired || !c.server.left || !c.isFirst() {
		return false
	}
	for o := range c.pool.own.all {
		if o.server.index == c.server.index && shard.SameAddr(o.server.Addr, c.server.Addr) && o.owner != nil && o.Waits() {
			return true
		}
	}
	return false
}
