package session

import (
	"bytes"
	"slices"

	"ringmaster/pool"
	"ringmaster/shard"
	"ringmaster/stats"
)

// pin is what a session has connections of its own for: to one server, or to each where every server must keep
// its state. Requests go over them for as long as it lasts, and to other servers over the shared ones.
type pin struct {
	s    *Session
	owns []*own
	// The one that watches or blocks, and its server. conn is nil when it was lost.
	server int
	conn   *pool.Conn
	// Why the session has it. Without a reason it is given back.
	watches bool   // keys are watched
	version uint16 // of the map by which the first of them was placed
	key     []byte // the first of them, in front of a cluster
	lost    bool   // keys were watched on a connection that is gone
	dirty   bool   // the servers keep other state on it, for as long as the client stays
	blocks  bool   // a blocking command is under way
	waiting any    // that command, where servers are on a list (blocked.go); nil: it is another's
	soiled  bool   // a server may still watch: nobody else may have it

	refusal  []byte  // what the server said against MULTI; nil: nothing
	tunnel   bool    // it carries a replication stream
	noEvict  bool    // CLIENT NO-EVICT is on
	noTouch  bool    // CLIENT NO-TOUCH is on
	tracking *keeper // for CLIENT TRACKING; nil: it was not used
}

// keeper is what a feature has to do with a client's connections of its own while it keeps something there.
type keeper struct {
	of any // what it keeps
	// push is what the client gets for a push.
	push func(b []byte) []byte
	// next tells that the client's next request goes over c.
	next func(server int, c *pool.Conn)
	// left tells that servers may have been taken off the list.
	left func(old *shard.Map)
	// end tells that the connections are given back.
	end func()
}

// own is one connection of a session's own. It is its pool.Owner.
type own struct {
	pool.Unplaced
	p      *pin
	server int
	conn   *pool.Conn // nil: lost
	buf    []byte     // an unfinished push
	deaf   bool       // HELLO is under way: pushes are dropped
	left   bool       // the server was taken off the list: package pool closes it when nothing is owed
	moving int        // answers to HELLO and SELECT that it waits for
}

// Client is pool.Owner and pool.Receiver.
func (o *own) Client() pool.Client { return o.p.s }

// Pushed is pool.Owner.
func (o *own) Pushed(b []byte, piece pool.Piece) {
	if b = whole(o.p.s, &o.buf, b, piece); b == nil || o.deaf || o.left {
		return
	}
	if k := o.p.tracking; k != nil {
		b = k.push(b)
	}
	o.p.s.push(b)
}

// whole gathers the pieces of a push for a client, between which another connection's may come; nil: there is more to come.
// What is gathered counts as output of the client.
func whole(s *Session, buf *[]byte, b []byte, piece pool.Piece) []byte {
	if piece == pool.Whole || s.state == closed {
		return b
	}
	*buf = append(*buf, b...)
	s.countHeld(len(b))
	if piece&pool.Last == 0 {
		return nil
	}
	b, *buf = *buf, nil
	s.countHeld(-len(b))
	return b
}

// OwnLost is pool.Owner.
func (o *own) OwnLost(c *pool.Conn, _ *pool.Failure) {
	p := o.p
	p.s.countHeld(-len(o.buf))
	o.conn, o.buf = nil, nil
	if p.conn == c {
		p.conn, p.lost = nil, p.watches
	}
	if o.left {
		p.owns = slices.DeleteFunc(p.owns, func(other *own) bool { return other == o })
		return
	}
	if p.dirty {
		// What the server kept for the client is gone, and there is no other way to tell it.
		p.s.closeAs(stats.StateLost)
	}
}

// leave lets go of the servers that were taken off the list. What they still owe comes, and what they keep for the client counts no
// more: no key is there.
func (p *pin) leave(old *shard.Map) {
	m := p.s.env.Map
	if m.Slotted() {
		return // those who keep state for a client may be part of the cluster again
	}
	p.owns = slices.DeleteFunc(p.owns, func(o *own) bool {
		if o.server >= old.Len() || old.Server(o.server).Addr == "" || m.Server(o.server).Addr != "" {
			return false
		}
		if o.left = true; p.blocks {
			return false // until the client has its answer
		}
		if p.conn == o.conn {
			p.conn, p.lost = nil, p.watches
		}
		return true
	})
	if k := p.tracking; k != nil {
		k.left(old)
	}
}

// arrive lets go of what has left while a command was waiting.
func (p *pin) arrive() {
	p.owns = slices.DeleteFunc(p.owns, func(o *own) bool {
		if o.left && o.conn != nil {
			if p.conn == o.conn {
				p.conn, p.lost = nil, p.watches
			}
			o.conn.Return(false)
		}
		return o.left
	})
}

// to is the connection to server; nil: there is none, or it was lost. One that was made before the server left the list and came back is
// none.
func (p *pin) to(server int) *pool.Conn {
	for _, o := range p.owns {
		if o.server == server && !o.left {
			return o.conn
		}
	}
	return nil
}

// everywhere reports whether there is a connection to every shard, to the server that it is at now.
func (p *pin) everywhere() bool {
	for _, i := range p.s.env.Map.Shards() {
		if c := p.to(i); c == nil || !shard.SameAddr(c.Server().Addr, p.s.env.Map.Server(i).Addr) {
			return false
		}
	}
	return true
}

// complete reports whether none of the connections was lost.
func (p *pin) complete() bool {
	for _, o := range p.owns {
		if o.conn == nil {
			return false
		}
	}
	return true
}

// conn is the connection over which the session's requests go to server.
func (s *Session) conn(server int) *pool.Conn {
	if s.pin != nil {
		return s.pinnedConn(server)
	}
	return s.rings.Pick(server, s.seat)
}

// pinnedConn is conn for a session that has connections of its own.
func (s *Session) pinnedConn(server int) *pool.Conn {
	if c := s.pin.to(server); c != nil {
		s.pin.sends(server, c)
		return c
	}
	return s.rings.Pick(server, s.seat)
}

// sends prepares for the client's next request, which goes over c to server.
func (p *pin) sends(server int, c *pool.Conn) {
	if k := p.tracking; k != nil {
		k.next(server, c)
	}
}

// pinTo gives the session a connection of its own to server, the one that watches or blocks from now on.
func (s *Session) pinTo(server int) (*pin, *pool.Failure) {
	p := s.pin
	if p == nil {
		p = &pin{s: s}
	}
	conn, f := p.lend(server)
	if f != nil {
		return nil, f
	}
	p.server, p.conn = server, conn
	s.pin = p
	return p, nil
}

// pinToAll gives the session a connection of its own to every server.
func (s *Session) pinToAll() (*pin, *pool.Failure) {
	p := s.pin
	if p == nil {
		p = &pin{s: s}
	}
	for _, i := range s.env.Map.Shards() {
		if _, f := p.lend(i); f != nil {
			if s.pin == nil {
				p.giveBack(true)
			}
			return nil, f
		}
	}
	if s.pin == nil {
		p.server = s.env.home()
		p.conn = p.to(p.server)
	}
	s.pin = p
	return p, nil
}

// pinToReachable is pinToAll without the servers that are down, whose commands fail anyway; full: no connection was free. The
// pin is nil when none is reachable.
func (s *Session) pinToReachable() (p *pin, full bool) {
	if p = s.pin; p == nil {
		p = &pin{s: s}
	}
	for _, i := range s.env.Map.Shards() {
		if _, f := p.lend(i); f != nil && f.Kind == pool.NoneFree {
			if s.pin == nil {
				p.giveBack(true)
			}
			return nil, true
		}
	}
	if s.pin == nil && len(p.owns) > 0 {
		p.server = p.owns[0].server
		p.conn = p.owns[0].conn
		s.pin = p
	}
	return s.pin, false
}

// lend is the pin's connection to server, lent if there is none.
func (p *pin) lend(server int) (*pool.Conn, *pool.Failure) {
	if c := p.to(server); c != nil {
		return c, nil
	}
	o := &own{p: p, server: server}
	conn, f := p.s.env.Pool.Lend(server, p.s.rings.Key(), o)
	if f != nil {
		return nil, f
	}
	o.conn = conn
	for i := range p.owns {
		if p.owns[i].server == server && !p.owns[i].left {
			p.owns[i] = o
			return conn, nil
		}
	}
	p.owns = append(p.owns, o)
	return conn, nil
}

// settlePin gives the connections back when there is no reason left to have them.
func (s *Session) settlePin() {
	if p := s.pin; p != nil && !p.watches && !p.dirty && !p.blocks {
		s.unpin(!p.soiled)
	}
}

// unpin gives the connections back. clean: the servers keep nothing of the session on them.
func (s *Session) unpin(clean bool) {
	if p := s.pin; p != nil {
		s.pin = nil
		p.giveBack(clean)
	}
}

func (p *pin) giveBack(clean bool) {
	if k := p.tracking; k != nil {
		k.end()
	}
	for _, o := range p.owns {
		p.s.countHeld(-len(o.buf))
		o.buf = nil
		if o.conn != nil {
			o.conn.Return(clean && o.moving == 0)
		}
	}
}

// follow brings the connections of its own to where the session has crossed.
func (s *Session) follow(from, to pool.Key) {
	if s.pin == nil {
		return
	}
	for _, o := range s.pin.owns {
		if o.conn != nil {
			o.follow(from, to)
		}
	}
}

func (o *own) follow(from, to pool.Key) {
	var f *pool.Failure
	if from.Proto != to.Proto {
		o.deaf = true // pushes of the old protocol are nothing for a client of the new one
		f = o.tell("HELLO", itoa(to.Proto))
	}
	if f == nil && from.DB != to.DB {
		f = o.tell("SELECT", itoa(to.DB))
	}
	if f == nil {
		o.conn.Rekey(to)
		return
	}
	conn := o.conn
	o.OwnLost(conn, f)
	conn.Return(false)
}

func (o *own) tell(words ...string) *pool.Failure {
	o.moving++
	return o.conn.Enqueue(&pool.Request{Raw: appendRequest(nil, words...), Recv: o, Manner: pool.Here})
}

// Reply is pool.Receiver for HELLO and SELECT. A connection that was refused them, as by a server that a script keeps busy, is not
// where the session is.
func (o *own) Reply(_ uint64, b []byte, piece pool.Piece) {
	if conn := o.conn; piece&pool.First != 0 && b[0] == '-' && conn != nil {
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
	if conn := o.conn; f.Kind == pool.TimedOut && conn != nil {
		o.OwnLost(conn, f)
		conn.Return(false)
	}
}

// proved is for pool.Conn.ProveMulti: what the server says against MULTI is for EXEC to tell.
func (p *pin) proved(refusal []byte, _ *pool.Failure) { p.refusal = bytes.Clone(refusal) }

// watchLost reports whether keys were watched on a connection that is gone.
func (s *Session) watchLost() bool { return s.pin != nil && s.pin.lost }

// watch prepares the connection for WATCH. Whether the server takes MULTI must be known before: asking for
// it ends what is watched.
func (p *pin) watch() {
	if !p.conn.TakesMulti() && !p.conn.LoginProves() && !p.watches {
		_ = p.conn.ProveMulti(p.proved)
	}
	if !p.watches {
		p.version = p.s.env.version
	}
	p.watches = true
}
