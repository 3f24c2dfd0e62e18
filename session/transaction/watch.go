package transaction

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/blocking"
	"ringmaster/session/texts"
	"ringmaster/session/tracking"
)

// watch ties keys to a connection of the session's own until EXEC, DISCARD or UNWATCH.
func watch(s *session.Session, spec *command.Spec, req *parser.Request) {
	if s.Transaction != nil {
		s.Refuse(texts.WatchInMulti)
		return
	}
	server, ok := s.OneShard(spec, req)
	if !ok {
		return
	}
	if p := s.Pin; p != nil && p.Watches && p.Conn != nil && p.Server != server {
		switch {
		case movedAway(p):
			s.AnswerString("+OK\r\n")
			return
		case !hasSlotOf(p, req.Args[1]):
			s.Refuse(texts.CrossSlot)
			return
		}
		server = p.Server
	}
	if p := s.Pin; p != nil {
		if c := p.To(server); c != nil && (p.Watches || p.Dirty && c.TakesMulti()) {
			p.Server, p.Conn = server, c
			if !p.Watches {
				p.Key = bytes.Clone(req.Args[1])
			}
			p.Watch()
			watchMore(s, server, req.Raw)
			return
		}
	}
	raw, version := bytes.Clone(req.Raw), s.Door.Version
	s.Begin(&session.Errand{
		Send: func(s *session.Session) {
			if s.Door.Version != version {
				s.Door.Route(s, spec, raw)
				return
			}
			if s.Door.Pool.Resends() {
				blocking.SendApart(s, spec, raw, server)
				return
			}
			p, f := s.PinTo(server)
			if f != nil {
				s.Failed(len(raw), f)
				return
			}
			s.Door.Pool.KeepSpare(server, s.Rings.Key())
			p.Watch()
			tracking.PassRaw(s, server, raw)
		},
		Done: (*session.Session).SettlePin,
	})
}

// movedAway reports whether watched keys may be at another server than when the session began to watch: then nobody watches
// them any more.
func movedAway(p *session.Pin) bool {
	p.Lost = p.Lost || p.Version != p.Session.Door.Version
	return p.Lost
}

// watchesMoved takes notice of a map that is newer than what the session watches. A server of a cluster that has a watched key no more
// says so; others do not know.
func watchesMoved(s *session.Session) {
	if p := s.Pin; p != nil && p.Watches && !s.Door.Map.Slotted() {
		movedAway(p)
	}
}

// hasSlotOf reports whether the hash slot of key is that of the first watched key. A node may have sent the session to where the slot
// is before the map knows.
func hasSlotOf(p *session.Pin, key []byte) bool {
	m := p.Session.Door.Map
	return p.Key != nil && key != nil && m.Slotted() && m.Together(key, p.Key)
}

// watchMore watches further keys over the connection that watches, or keeps state.
func watchMore(s *session.Session, server int, raw []byte) {
	w := &watching{s: s, tag: s.Expect(len(raw))}
	if f := s.Conn(server).Enqueue(&pool.Request{Raw: raw, Recv: w, Manner: pool.Here}); f != nil {
		s.Fail(w.tag, f)
	}
}

// watching receives the reply to a WATCH that follows another.
type watching struct {
	s   *session.Session
	tag uint64
}

// Reply is pool.Receiver.
func (w *watching) Reply(_ uint64, b []byte, piece pool.Piece) {
	if p := w.s.Pin; p != nil && piece == pool.Whole && pool.NamesNode(b) {
		p.Lost = p.Watches // the keys are elsewhere: EXEC answers null
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
func forgetWatches(s *session.Session) {
	p := s.Pin
	if p == nil || !p.Watches {
		return
	}
	p.Watches, p.Lost = false, false
	if p.Conn != nil && p.Conn.Tell("UNWATCH") != nil {
		p.Soiled = true
	}
	settlePinLater(s)
}

// settlePinLater is settlePin once what was sent over the connection is answered: what comes next goes
// over the shared one and must not overtake it.
func settlePinLater(s *session.Session) {
	if s.Owed() == 0 {
		s.SettlePin()
		return
	}
	if !s.HeldUp() {
		s.Begin(session.Standstill((*session.Session).SettlePin))
	}
}
