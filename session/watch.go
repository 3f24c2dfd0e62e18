package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
)

// watch ties keys to a connection of the session's own until EXEC, DISCARD or UNWATCH.
func (s *Session) watch(spec *command.Spec, req *parser.Request) {
	if s.tx != nil {
		s.refuse(spec, errWatchInMulti)
		return
	}
	server, ok := s.oneShard(spec, req)
	if !ok {
		return
	}
	if p := s.pin; p != nil && p.watches && p.conn != nil {
		if server = p.watcher(server, req.Args[1]); p.server != server {
			s.refuse(spec, errCrossSlot)
			return
		}
	}
	if p := s.pin; p != nil && (p.dirty || !s.env.Map.Slotted()) {
		if c := p.to(server); c != nil && (p.watches || p.dirty && c.TakesMulti()) {
			p.server, p.conn = server, c
			if !p.watches {
				p.key = bytes.Clone(req.Args[1])
			}
			p.watch()
			s.pass(server, spec, req)
			return
		}
	}
	raw := bytes.Clone(req.Raw)
	s.begin(&errand{
		send: func(s *Session) {
			if s.env.Map.Slotted() {
				s.sendApart(spec, raw, server)
				return
			}
			p, f := s.pinTo(server)
			if f != nil {
				s.failed(spec, len(raw), f)
				return
			}
			s.env.Pool.KeepSpare(server, s.rings.Key())
			p.watch()
			s.passRaw(server, spec, raw)
		},
		done: (*Session).settlePin,
	})
}

// watcher is the server whose connection is to be asked about a key: that which watches, if it watches keys of the same hash slot,
// which has moved if that is not where it is; else server, which has the key now.
func (p *pin) watcher(server int, key []byte) int {
	if p.key != nil && key != nil && p.s.env.Map.Together(key, p.key) {
		return p.server
	}
	return server
}

// watch prepares the connection for WATCH. Whether the server takes MULTI must be known before: asking for
// it ends what is watched.
func (p *pin) watch() {
	if !p.conn.TakesMulti() && !p.conn.LoginProves() && !p.watches {
		_ = p.conn.ProveMulti(p)
	}
	p.watches = true
}

// forgetWatches frees the watched keys.
func (s *Session) forgetWatches() {
	p := s.pin
	if p == nil || !p.watches {
		return
	}
	p.watches, p.lost = false, false
	if p.conn != nil && p.conn.Tell("UNWATCH") != nil {
		p.soiled = true
	}
	s.settlePinLater()
}

// settlePinLater is settlePin once what was sent over the connection is answered: what comes next goes
// over the shared one and must not overtake it.
func (s *Session) settlePinLater() {
	if s.Owed() == 0 {
		s.settlePin()
		return
	}
	if s.passage == nil {
		s.begin(standstill((*Session).settlePin))
	}
}
