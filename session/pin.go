package session

import (
	"bytes"
	"slices"
	"strconv"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Pin is what a session has connections of its own for: to one server, or to each where every server must keep
// its state. Requests go over them for as long as it lasts, and to other servers over the shared ones.
type Pin struct {
	Session *Session
	Owns    []*own
	// The one that watches or blocks, and its server. conn is nil when it was lost.
	Server int
	Conn   *pool.Conn
	// Why the session has it. Without a reason it is given back.
	Watches bool   // keys are watched
	Version uint16 // of the map by which the first of them was placed
	Key     []byte // the first of them, in front of a cluster
	Lost    bool   // keys were watched on a connection that is gone
	Dirty   bool   // the servers keep other state on it, for as long as the client stays
	Blocks  bool   // a blocking command is under way
	Waiting any    // that command, where servers are on a list (blocked.go); nil: it is another's
	Soiled  bool   // a server may still watch: nobody else may have it

	Refusal  []byte  // what the server said against MULTI; nil: nothing
	Tunnel   bool    // it carries a replication stream
	NoEvict  bool    // CLIENT NO-EVICT is on
	NoTouch  bool    // CLIENT NO-TOUCH is on
	Tracking *Keeper // for CLIENT TRACKING; nil: it was not used
}

// Keeper is what a feature has to do with a client's connections of its own while it keeps something there.
type Keeper struct {
	Of any // what it keeps
	// Push is what the client gets for a push.
	Push func(b []byte) []byte
	// Next tells that the client's next request goes over c.
	Next func(server int, c *pool.Conn)
	// Left tells that servers may have been taken off the list.
	Left func(old *shard.Map)
	// End tells that the connections are given back.
	End func()
}

// own is one connection of a session's own. It is its pool.Owner.
type own struct {
	pool.Unplaced
	p      *Pin
	Server int
	Conn   *pool.Conn // nil: lost
	buf    []byte     // an unfinished push
	deaf   bool       // HELLO is under way: pushes are dropped
	left   bool       // the server was taken off the list: package pool closes it when nothing is owed
	moving int        // answers to HELLO and SELECT that it waits for
}

// Client is pool.Owner and pool.Receiver.
func (o *own) Client() pool.Client { return o.p.Session }

// Pushed is pool.Owner.
func (o *own) Pushed(b []byte, piece pool.Piece) {
	if b = Whole(o.p.Session, &o.buf, b, piece); b == nil || o.deaf || o.left {
		return
	}
	if k := o.p.Tracking; k != nil {
		b = k.Push(b)
	}
	o.p.Session.Push(b)
}

// Whole gathers the pieces of a push for a client, between which another connection's may come; nil: there is more to come.
// What is gathered counts as output of the client.
func Whole(s *Session, buf *[]byte, b []byte, piece pool.Piece) []byte {
	if piece == pool.Whole || s.State == Closed {
		return b
	}
	*buf = append(*buf, b...)
	s.CountHeld(len(b))
	if piece&pool.Last == 0 {
		return nil
	}
	b, *buf = *buf, nil
	s.CountHeld(-len(b))
	return b
}

// OwnLost is pool.Owner.
func (o *own) OwnLost(c *pool.Conn, _ *pool.Failure) {
	p := o.p
	p.Session.CountHeld(-len(o.buf))
	o.Conn, o.buf = nil, nil
	if p.Conn == c {
		p.Conn, p.Lost = nil, p.Watches
	}
	if o.left {
		p.Owns = slices.DeleteFunc(p.Owns, func(other *own) bool { return other == o })
		return
	}
	if p.Dirty {
		// What the server kept for the client is gone, and there is no other way to tell it.
		p.Session.CloseAs(stats.StateLost)
	}
}

// leave lets go of the servers that were taken off the list. What they still owe comes, and what they keep for the client counts no
// more: no key is there.
func (p *Pin) leave(old *shard.Map) {
	m := p.Session.Door.Map
	if m.Slotted() {
		return // those who keep state for a client may be part of the cluster again
	}
	p.Owns = slices.DeleteFunc(p.Owns, func(o *own) bool {
		if o.Server >= old.Len() || old.Server(o.Server).Addr == "" || m.Server(o.Server).Addr != "" {
			return false
		}
		if o.left = true; p.Blocks {
			return false // until the client has its answer
		}
		if p.Conn == o.Conn {
			p.Conn, p.Lost = nil, p.Watches
		}
		return true
	})
	if k := p.Tracking; k != nil {
		k.Left(old)
	}
}

// Arrive lets go of what has left while a command was waiting.
func (p *Pin) Arrive() {
	p.Owns = slices.DeleteFunc(p.Owns, func(o *own) bool {
		if o.left && o.Conn != nil {
			if p.Conn == o.Conn {
				p.Conn, p.Lost = nil, p.Watches
			}
			o.Conn.Return(false)
		}
		return o.left
	})
}

// To is the connection to server; nil: there is none, or it was lost. One that was made before the server left the list and came back is
// none.
func (p *Pin) To(server int) *pool.Conn {
	for _, o := range p.Owns {
		if o.Server == server && !o.left {
			return o.Conn
		}
	}
	return nil
}

// Everywhere reports whether there is a connection to every shard, to the server that it is at now.
func (p *Pin) Everywhere() bool {
	for _, i := range p.Session.Door.Map.Shards() {
		if c := p.To(i); c == nil || !shard.SameAddr(c.Server().Addr, p.Session.Door.Map.Server(i).Addr) {
			return false
		}
	}
	return true
}

// Complete reports whether none of the connections was lost.
func (p *Pin) Complete() bool {
	for _, o := range p.Owns {
		if o.Conn == nil {
			return false
		}
	}
	return true
}

// Conn is the connection over which the session's requests go to server.
func (s *Session) Conn(server int) *pool.Conn {
	if s.Pin != nil {
		return s.Pin.connTo(server)
	}
	return s.Rings.Pick(server, s.ConnIndex)
}

// connTo is Session.Conn for a session that has connections of its own.
func (p *Pin) connTo(server int) *pool.Conn {
	if c := p.To(server); c != nil {
		p.Sends(server, c)
		return c
	}
	return p.Session.Rings.Pick(server, p.Session.ConnIndex)
}

// Sends prepares for the client's next request, which goes over c to server.
func (p *Pin) Sends(server int, c *pool.Conn) {
	if k := p.Tracking; k != nil {
		k.Next(server, c)
	}
}

// PinTo gives the session a connection of its own to server, the one that watches or blocks from now on. It has one until SettlePin finds
// no reason for it, or Unpin. A failure says why there is none: the session is as it was.
func (s *Session) PinTo(server int) (*Pin, *pool.Failure) {
	p := s.Pin
	if p == nil {
		p = &Pin{Session: s}
	}
	conn, f := p.lend(server)
	if f != nil {
		return nil, f
	}
	p.Server, p.Conn = server, conn
	s.Pin = p
	return p, nil
}

// PinToAll gives the session a connection of its own to every server, or fails as PinTo does.
func (s *Session) PinToAll() (*Pin, *pool.Failure) {
	p := s.Pin
	if p == nil {
		p = &Pin{Session: s}
	}
	for _, i := range s.Door.Map.Shards() {
		if _, f := p.lend(i); f != nil {
			if s.Pin == nil {
				p.giveBack(true)
			}
			return nil, f
		}
	}
	if s.Pin == nil {
		p.Server = s.Door.Home()
		p.Conn = p.To(p.Server)
	}
	s.Pin = p
	return p, nil
}

// PinToReachable is PinToAll without the servers that are down, whose commands fail anyway; full: no connection was free. The
// pin is nil when none is reachable.
func (s *Session) PinToReachable() (p *Pin, full bool) {
	if p = s.Pin; p == nil {
		p = &Pin{Session: s}
	}
	for _, i := range s.Door.Map.Shards() {
		if _, f := p.lend(i); f != nil && f.Kind == pool.NoneFree {
			if s.Pin == nil {
				p.giveBack(true)
			}
			return nil, true
		}
	}
	if s.Pin == nil && len(p.Owns) > 0 {
		p.Server = p.Owns[0].Server
		p.Conn = p.Owns[0].Conn
		s.Pin = p
	}
	return s.Pin, false
}

// lend is the pin's connection to server, lent if there is none.
func (p *Pin) lend(server int) (*pool.Conn, *pool.Failure) {
	if c := p.To(server); c != nil {
		return c, nil
	}
	o := &own{p: p, Server: server}
	conn, f := p.Session.Door.Pool.Lend(server, p.Session.Rings.Key(), o)
	if f != nil {
		return nil, f
	}
	o.Conn = conn
	for i := range p.Owns {
		if p.Owns[i].Server == server && !p.Owns[i].left {
			p.Owns[i] = o
			return conn, nil
		}
	}
	p.Owns = append(p.Owns, o)
	return conn, nil
}

// SettlePin gives the connections back when there is no reason left to have them.
func (s *Session) SettlePin() {
	if p := s.Pin; p != nil && !p.Watches && !p.Dirty && !p.Blocks {
		s.Unpin(!p.Soiled)
	}
}

// Unpin gives the connections back. clean: the servers keep nothing of the session on them.
func (s *Session) Unpin(clean bool) {
	if p := s.Pin; p != nil {
		s.Pin = nil
		p.giveBack(clean)
	}
}

func (p *Pin) giveBack(clean bool) {
	if k := p.Tracking; k != nil {
		k.End()
	}
	for _, o := range p.Owns {
		p.Session.CountHeld(-len(o.buf))
		o.buf = nil
		if o.Conn != nil {
			o.Conn.Return(clean && o.moving == 0)
		}
	}
}

// follow brings the connections to where the session has crossed; p may be nil.
func (p *Pin) follow(from, to pool.Key) {
	if p == nil {
		return
	}
	for _, o := range p.Owns {
		if o.Conn != nil {
			o.follow(from, to)
		}
	}
}

func (o *own) follow(from, to pool.Key) {
	var f *pool.Failure
	if from.Proto != to.Proto {
		o.deaf = true // pushes of the old protocol are nothing for a client of the new one
		f = o.tell("HELLO", strconv.Itoa(to.Proto))
	}
	if f == nil && from.DB != to.DB {
		f = o.tell("SELECT", strconv.Itoa(to.DB))
	}
	if f == nil {
		o.Conn.Rekey(to)
		return
	}
	conn := o.Conn
	o.OwnLost(conn, f)
	conn.Return(false)
}

func (o *own) tell(words ...string) *pool.Failure {
	o.moving++
	return o.Conn.Enqueue(&pool.Request{Raw: parser.AppendRequest(nil, words...), Recv: o, Manner: pool.Here})
}

// Reply is pool.Receiver for HELLO and SELECT. A connection that was refused them, as by a server that a script keeps busy, is not
// where the session is.
func (o *own) Reply(_ uint64, b []byte, piece pool.Piece) {
	if conn := o.Conn; piece&pool.First != 0 && b[0] == '-' && conn != nil {
		o.OwnLost(conn, nil)
		conn.Return(false)
		return
	}
	if piece&pool.Last != 0 {
		o.moving--
		o.deaf = false
	}
}

// Fail is pool.Receiver. Where the server has not answered in time nobody knows in which database the connection is, or what it
// says; of a loss OwnLost tells.
func (o *own) Fail(_ uint64, f *pool.Failure) {
	if conn := o.Conn; f.Kind == pool.TimedOut && conn != nil {
		o.OwnLost(conn, f)
		conn.Return(false)
	}
}

// Proved is for pool.Conn.ProveMulti: what the server says against MULTI is for EXEC to tell.
func (p *Pin) Proved(refusal []byte, _ *pool.Failure) { p.Refusal = bytes.Clone(refusal) }

// WatchLost reports whether keys were watched on a connection that is gone; not if p is nil.
func (p *Pin) WatchLost() bool { return p != nil && p.Lost }

// Watch prepares the connection for WATCH. Whether the server takes MULTI must be known before: asking for
// it ends what is watched.
func (p *Pin) Watch() {
	if !p.Conn.TakesMulti() && !p.Conn.LoginProves() && !p.Watches {
		_ = p.Conn.ProveMulti(p.Proved)
	}
	if !p.Watches {
		p.Version = p.Session.Door.Version
	}
	p.Watches = true
}
