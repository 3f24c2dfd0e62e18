package conn

import (
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// What a connection can that is lent to one owner at a time.

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
	if f := c.Admit(len(raw), 0); f != nil {
		return f
	}
	c.out.Write(raw)
	c.queued += uint64(len(raw))
	c.MarkDirty()
	return nil
}

// overstays reports whether an own connection must end because its server is gone. Owners have the dial timeout to give it back, or to
// end what waits there. One that was taken out of a fixed list also answers what it runs.
func (c *Conn) overstays(now int64) bool {
	s := c.server
	return s.GoneAt > 0 && now-s.GoneAt > int64(c.Up.Config.DialTimeout) && !(s.Left && c.works())
}

// works reports whether somebody waits for what the server runs: a command that ends by itself, and that none which blocks is before.
func (c *Conn) works() bool {
	for i := c.Ring.Head; i != c.Ring.Tail; i++ {
		e := c.Ring.At(i)
		if e.Is.Has(queue.Blocking) {
			return false
		}
		if _, unwanted := e.Recv.(Swallowed); e.Recv != nil && !unwanted {
			return true
		}
	}
	return false
}

// Rekey tells that SELECT or HELLO have been sent on a connection of an owner. Loop-only.
func (c *Conn) Rekey(key Key) { c.Group.ForKey = key }

// Own reports whether the connection belongs to one session at a time. Loop-only.
func (c *Conn) Own() bool { return c.own }

// ServerID is what the server calls this connection, as CLIENT ID would; 0: it has not said.
func (c *Conn) ServerID() int64 { return c.serverID }

// loseOwn is lose for an own connection.
func (c *Conn) loseOwn(reason stats.DisconnectReason, cause error) {
	if c.Owner != nil || c.state != Ready {
		c.Up.Log.lost(c, reason, cause)
	}
	c.transition(Retired) // first: those whose requests end may give the connection back
	c.end(cause)
	c.Up.Keeper.Disowned(c, &ask.Failure{Kind: ask.Lost, Sent: true, Server: c.server.Name, Cause: cause})
}

// IsFirst reports whether it is the first of the connections that every session begins with.
func (c *Conn) IsFirst() bool { return !c.own && c.Nth == 0 && c.Group.First }

// Return gives the connection back. A clean one, on which the server keeps no state of the owner, is lent
// again; otherwise it is closed, which ends whatever it still does at the server. Loop-only.
func (c *Conn) Return(clean bool) { c.Up.Keeper.Returned(c, clean) }

// Unblock asks the server to end the command that waits on a connection of a session. how is the last word of CLIENT UNBLOCK: TIMEOUT or
// ERROR. It goes over a connection that clients share, also to a server that has left the list. Loop-only.
func (c *Conn) Unblock(how string) { c.Up.Keeper.Unblock(c, how) }

// Rejoin has a lent connection to a server that has left the list go on as one to that server, which is on the list again under its number;
// false: it is not, or the connection is gone. Loop-only.
func (c *Conn) Rejoin() bool { return c.Up.Keeper.Rejoin(c) }

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
	c := New(u, s, &Group{ForKey: key, Works: true}, 0)
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
