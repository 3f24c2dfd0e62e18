package conn

import (
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
)

// What a connection can that is lent to one owner at a time.

// HandOver gives the replies to commands that wait at the server to the receivers that wrap makes of theirs, except a reply that has begun. It
// reports whether the server still owes any. Loop-only.
func (c *Conn) HandOver(wrap func(ask.Receiver) ask.Receiver) (owed bool) {
	for i := c.Ring.Head; i != c.Ring.Tail; i++ {
		e := c.Ring.At(i)
		if !e.Is.Has(queue.Blocking) || e.Recv == nil || e.Size > 0 {
			continue
		}
		owed = true
		if e.Is.Carrier() == 0 && (i != c.Ring.Head || !c.Replying()) { // what a module replies is no word of the server
			e.Recv = wrap(e.Recv)
		}
	}
	return owed
}

// Waits reports whether a command waits at the server: one that may do so, and whose reply has not begun. Loop-only.
func (c *Conn) Waits() bool {
	return c.Ring.Len() > 0 && c.Ring.At(c.Ring.Head).Is.Has(queue.Blocking) && !c.Replying()
}

// Stream lets the server send what nobody asked for, which otherwise ends a connection: lines of MONITOR,
// or replies beside those that are owed. Loop-only.
func (c *Conn) Stream() { c.streams = true }

// Streams reports whether Stream was called. Loop-only.
func (c *Conn) Streams() bool { return c.streams }

// Tunnel makes the connection a stream of bytes: what the server sends from now on, RESP or not, goes to the
// owner as it comes. It is for replication (SYNC) and never ends. Loop-only.
func (c *Conn) Tunnel() { c.tunnel = true }

// Send writes a request that no reply will be owed to, as in a Tunnel. Borrows raw until return. Loop-only.
func (c *Conn) Send(raw []byte) *ask.Failure {
	if f := c.Admit(len(raw), 0); f != nil {
		return f
	}
	c.out.Write(raw)
	c.queued += uint64(len(raw))
	c.MarkDirty()
	return nil
}

// Rekey tells that SELECT or HELLO have been sent on a connection of an owner. Loop-only.
func (c *Conn) Rekey(key Key) { c.Group.ForKey = key }

// Own reports whether the connection belongs to one session at a time. Loop-only.
func (c *Conn) Own() bool { return c.own }

// ServerID is what the server calls this connection, as CLIENT ID would; 0: it has not said.
func (c *Conn) ServerID() int64 { return c.serverID }

// IsFirst reports whether it is the first of the connections that every session begins with.
func (c *Conn) IsFirst() bool { return !c.own && c.Nth == 0 && c.Group.First }

// Recall ends the connection, for another server has taken the number of its own. If it owes replies, its owner has them first.
func (c *Conn) Recall() {
	c.recalled = true
	if c.Drain(); c.state == Draining {
		c.down = &ask.Failure{Kind: ask.Down, Server: c.server.Name, Cause: ErrGone}
	}
}

// Reusable reports whether another may have the connection, as far as can be told here.
func (c *Conn) Reusable() bool {
	return !c.Outdated() && !c.streams && !c.tunnel && c.state == Ready && !c.Replying()
}

// NewOwn makes a connection for one owner at a time, and dials it.
func NewOwn(u *Upstream, s *Server, key Key) *Conn {
	// The database is known to exist: the owner is on rings of the same key.
	c := NewConn(u, s, &Group{ForKey: key, Works: true}, 0)
	c.own = true
	return c
}

// Free reports whether a lane has nothing under way and may have something.
func (c *Conn) Free() bool {
	return c.state == Ready && c.stale == fresh && c.Ring.Len() == 0 && c.out.Size == 0
}

// Slip sends a request of the proxy's own, though the connection takes nothing else any more.
func (c *Conn) Slip(args ...string) {
	raw := AppendCommand(nil, args...)
	c.out.Write(raw)
	c.owe(len(raw), Swallowed{}, 0)
}
