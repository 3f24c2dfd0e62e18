package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
)

// watch ties keys to a connection of the session's own until EXEC, DISCARD or UNWATCH.
func (s *Session) watch(spec *command.Spec, req *parser.Request) {
	if s.tx != nil {
		s.refuse(errWatchInMulti)
		return
	}
	server, ok := s.oneShard(spec, req)
	if !ok {
		return
	}
	if p := s.pin; p != nil && p.watches && p.conn != nil && p.server != server {
		switch {
		case p.movedAway():
			s.answerString("+OK\r\n")
			return
		case !p.hasSlotOf(req.Args[1]):
			s.refuse(errCrossSlot)
			return
		}
		server = p.server
	}
	if p := s.pin; p != nil {
		if c := p.to(server); c != nil && (p.watches || p.dirty && c.TakesMulti()) {
			p.server, p.conn = server, c
			if !p.watches {
				p.key = bytes.Clone(req.Args[1])
			}
			p.watch()
			s.watchMore(server, req.Raw)
			return
		}
	}
	raw, version := bytes.Clone(req.Raw), s.env.version
	s.begin(&errand{
		send: func(s *Session) {
			if s.env.version != version {
				s.env.Route(s, spec, raw)
				return
			}
			if s.env.Pool.Resends() {
				s.sendApart(spec, raw, server)
				return
			}
			p, f := s.pinTo(server)
			if f != nil {
				s.failed(len(raw), f)
				return
			}
			s.env.Pool.KeepSpare(server, s.rings.Key())
			p.watch()
			s.passRaw(server, raw)
		},
		done: (*Session).settlePin,
	})
}

// movedAway reports whether watched keys may be at another server than when the session began to watch: then nobody watches
// them any more.
func (p *pin) movedAway() bool {
	p.lost = p.lost || p.version != p.s.env.version
	return p.lost
}

// watchesMoved takes notice of a map that is newer than what the session watches. A server of a cluster that has a watched key no more
// says so; others do not know.
func (s *Session) watchesMoved() {
	if p := s.pin; p != nil && p.watches && !s.env.Map.Slotted() {
		p.movedAway()
	}
}

// hasSlotOf reports whether the hash slot of key is that of the first watched key. A node may have sent the session to where the slot
// is before the map knows.
func (p *pin) hasSlotOf(key []byte) bool {
	m := p.s.env.Map
	return p.key != nil && key != nil && m.Slotted() && m.Together(key, p.key)
}

// watchMore watches further keys over the connection that watches, or keeps state.
func (s *Session) watchMore(server int, raw []byte) {
	w := &watching{s: s, tag: s.expect(len(raw))}
	if f := s.conn(server).Enqueue(&pool.Request{Raw: raw, Recv: w, Manner: pool.Here}); f != nil {
		s.Fail(w.tag, f)
	}
}

// watching receives the reply to a WATCH that follows another.
type watching struct {
	s   *Session
	tag uint64
}

// Reply is pool.Receiver.
func (w *watching) Reply(_ uint64, b []byte, piece pool.Piece) {
	if p := w.s.pin; p != nil && piece == pool.Whole && pool.NamesNode(b) {
		p.lost = p.watches // the keys are elsewhere: EXEC answers null
		w.s.Reply(w.tag, []byte("+OK\r\n"), piece)
		return
	}
	w.s.Reply(w.tag, b, piece)
}

// Client is pool.Receiver.
func (w *watching) Client() pool.Client { return w.s }

// Place is pool.Receiver.
func (w *watching) Place(uint64) uint64 { return w.tag }

// Fail is pool.Receiver.
func (w *watching) Fail(_ uint64, f *pool.Failure) { w.s.Fail(w.tag, f) }

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
