package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/stats"
)

// pin is a session's connection of its own to one server. Requests to that server go over it for as long
// as it lasts; those to others over the shared ones.
type pin struct {
	s      *Session
	server int
	conn   *pool.Conn // nil: lost
	// Why the session has it. Without a reason it is given back.
	watches bool   // keys are watched
	lost    bool   // keys were watched on a connection that is gone
	dirty   bool   // the server keeps other state on it, for as long as the client stays
	blocks  bool   // a blocking command is under way
	soiled  bool   // the server may still watch: nobody else may have it
	buf     []byte // an unfinished push
	refusal []byte // what the server said against MULTI; nil: nothing
	tunnel  bool   // it carries a replication stream
	deaf    bool   // HELLO is under way: pushes are dropped
}

// Pushed is pool.Owner.
func (p *pin) Pushed(b []byte, piece pool.Piece) {
	if piece != pool.Whole {
		// Another connection's push may come meanwhile.
		p.buf = append(p.buf, b...)
		if piece&pool.Last == 0 {
			return
		}
		b, p.buf = p.buf, nil
	}
	if !p.deaf {
		p.s.push(b)
	}
}

// OwnLost is pool.Owner.
func (p *pin) OwnLost(*pool.Conn, *pool.Failure) {
	p.conn, p.lost, p.buf = nil, p.watches, nil
	if p.dirty {
		// What the server kept for the client is gone, and there is no other way to tell it.
		p.s.closeAs(stats.StateLost)
	}
}

// conn is the connection over which the session's requests go to server.
func (s *Session) conn(server int) *pool.Conn {
	if p := s.pin; p != nil && p.server == server && p.conn != nil {
		return p.conn
	}
	return s.rings.Pick(server, s.seat)
}

// pinTo gives the session a connection of its own to server. It has none, or one to that server.
func (s *Session) pinTo(server int) (*pin, *pool.Failure) {
	if s.pin != nil && s.pin.conn != nil {
		return s.pin, nil
	}
	p := s.pin
	if p == nil {
		p = &pin{s: s}
	}
	conn, f := s.env.Pool.Lend(server, s.rings.Key(), p)
	if f != nil {
		return nil, f
	}
	p.conn, p.server = conn, server
	s.pin = p
	return p, nil
}

// settlePin gives the connection back when there is no reason left to have it.
func (s *Session) settlePin() {
	if p := s.pin; p != nil && !p.watches && !p.dirty && !p.blocks {
		s.unpin(!p.soiled)
	}
}

// unpin gives the connection back. clean: the server keeps nothing of the session on it.
func (s *Session) unpin(clean bool) {
	p := s.pin
	if p == nil {
		return
	}
	s.pin = nil
	if p.conn != nil {
		p.conn.Return(clean)
	}
}

// follow brings the connection of its own to where the session has crossed.
func (s *Session) follow(from, to pool.Key) {
	if s.pin == nil || s.pin.conn == nil {
		return
	}
	p := s.pin
	var f *pool.Failure
	if from.Proto != to.Proto {
		p.deaf = true // pushes of the old protocol are nothing for a client of the new one
		f = p.conn.Enqueue(appendRequest(nil, "HELLO", itoa(to.Proto)), p, 0, pool.Part)
	}
	if f == nil && from.DB != to.DB {
		f = p.conn.Tell("SELECT", itoa(to.DB))
	}
	if f == nil {
		p.conn.Rekey(to)
		return
	}
	conn := p.conn
	p.OwnLost(conn, f)
	conn.Return(false)
}

// Reply is pool.Receiver for HELLO.
func (p *pin) Reply(_ uint64, _ []byte, piece pool.Piece) {
	if piece&pool.Last != 0 {
		p.deaf = false
	}
}

// Fail is pool.Receiver: OwnLost says what is to be done.
func (p *pin) Fail(uint64, *pool.Failure) {}

// pinned carries out a command that leaves state on its connection: from then on the session has one of its
// own until it ends.
func (s *Session) pinned(spec *command.Spec, req *parser.Request) {
	if !s.env.single() {
		s.refuse(spec, oneServerState(spec.Name))
		return
	}
	if s.pin != nil && s.pin.tunnel && s.pin.conn != nil {
		_ = s.pin.conn.Send(req.Raw) // REPLCONF ACK
		return
	}
	if spec.Name == "sync" || spec.Name == "psync" {
		raw := bytes.Clone(req.Raw)
		s.begin(&errand{send: func(s *Session) { s.replicate(spec, raw) }, done: func(*Session) {}})
		return
	}
	if s.pin != nil && s.pin.dirty {
		if spec.Name == "monitor" && s.pin.conn != nil {
			s.pin.conn.Stream()
		}
		s.pass(0, spec, req)
		return
	}
	raw := bytes.Clone(req.Raw)
	s.begin(&errand{
		send: func(s *Session) {
			p, f := s.pinTo(0)
			if f == nil && spec.Name == "monitor" {
				p.conn.Stream()
			}
			s.sendOver(p, f, raw, spec, false)
		},
		done: func(s *Session) {
			if s.pin != nil && s.pin.conn != nil {
				s.pin.dirty = true
			}
			s.settlePin()
		},
	})
}

// replicate makes the client a replica of the server: from now on the connection carries what is no RESP.
func (s *Session) replicate(spec *command.Spec, raw []byte) {
	p, f := s.pinTo(0)
	if f == nil {
		f = p.conn.Send(raw)
	}
	s.env.Stats.Call(spec.ID, 0)
	if f != nil {
		s.env.scratch = appendFailure(s.env.scratch[:0], f, s.env)
		s.answer(s.env.scratch)
		s.settlePin()
		return
	}
	p.dirty, p.tunnel = true, true
	p.conn.Tunnel()
}

// block carries out a command that may wait at the server, on a connection of its own: on a shared one it
// would keep everybody waiting.
func (s *Session) block(spec *command.Spec, req *parser.Request) {
	waits := spec.Name == "wait" || spec.Name == "waitaof"
	if waits && !s.env.single() {
		s.refuse(spec, oneServerOnly(spec.Name))
		return
	}
	server, ok := s.oneShard(spec, req)
	if !ok {
		return
	}
	raw := bytes.Clone(req.Raw)
	s.begin(&errand{
		send: func(s *Session) {
			if s.eof { // nobody will ever read it
				s.closeAs(stats.ClientClosed)
				return
			}
			if s.pin != nil && s.pin.server != server {
				s.refuse(spec, errPinnedElsewhere)
				return
			}
			p, f := s.pinTo(server)
			if f == nil {
				p.blocks = true
				if waits {
					// It asks for what the connection wrote last, which was over another one: any command makes the
					// server take the present offset for that.
					_ = p.conn.Tell("PING")
				}
			}
			s.sendOver(p, f, raw, spec, true)
		},
		done: func(s *Session) {
			if s.pin != nil {
				s.pin.blocks = false
			}
			s.settlePin()
		},
	})
}

// Blocked reports whether a blocking command is under way. Redis, too, frees such a client when it shuts its
// write half.
func (s *Session) Blocked() bool { return s.pin != nil && s.pin.blocks }

// sendOver sends a request over the session's own connection, or answers that there is none.
func (s *Session) sendOver(p *pin, f *pool.Failure, raw []byte, spec *command.Spec, blocks bool) {
	tag := s.expect(len(raw))
	if f == nil {
		if blocks {
			f = p.conn.EnqueueBlocking(raw, s, tag, spec.ID)
		} else {
			f = p.conn.Enqueue(raw, s, tag, spec.ID)
		}
	}
	if f != nil {
		s.countFailure(spec)
		s.Fail(tag, f)
	}
}
