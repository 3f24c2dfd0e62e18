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

// watch carries out WATCH. The session needs its own connection until EXEC, DISCARD or UNWATCH.
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
		case watchOutdated(p):
			s.AnswerString("+OK\r\n")
			return
		case !inWatchedSlot(p, req.Args[1]):
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
				blocking.SendPinned(s, spec, raw, server)
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

// watchOutdated reports whether watched keys may have moved to another server, where nothing watches them. If so it marks the watch as
// lost.
func watchOutdated(p *session.Pin) bool {
	p.Lost = p.Lost || p.Version != p.Session.Door.Version
	return p.Lost
}

// noteNewMap marks the watch as lost if the map is newer than the watch. In front of a cluster it does nothing, because there a server
// reports that a watched key has left it.
func noteNewMap(s *session.Session) {
	if p := s.Pin; p != nil && p.Watches && !s.Door.Map.Slotted() {
		watchOutdated(p)
	}
}

// inWatchedSlot reports whether key and the first watched key have one hash slot. A node may have redirected the session to the slot's
// server before the map knows.
func inWatchedSlot(p *session.Pin, key []byte) bool {
	m := p.Session.Door.Map
	return p.Key != nil && key != nil && m.Slotted() && m.Together(key, p.Key)
}

// watchMore watches more keys over the session's own connection.
func watchMore(s *session.Session, server int, raw []byte) {
	w := &watching{s: s, tag: s.Expect(len(raw))}
	if f := s.Conn(server).Enqueue(&pool.Request{Raw: raw, Recv: w, Manner: pool.Here}); f != nil {
		s.Fail(w.tag, f)
	}
}

// watching receives the reply to a WATCH that came after another.
type watching struct {
	s   *session.Session
	tag uint64
}

// Reply is pool.Receiver.
func (w *watching) Reply(_ uint64, b []byte, piece pool.Piece) {
	if p := w.s.Pin; p != nil && piece == pool.Whole && pool.NamesNode(b) {
		p.Lost = p.Watches // the keys are elsewhere, so EXEC answers null
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

// forgetWatches ends the watch of all keys, if there is one.
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

// settlePinLater gives up the session's own connection, if it is not needed, after all requests over it are answered. The next requests
// go over the shared connection and must not overtake those.
func settlePinLater(s *session.Session) {
	if s.Owed() == 0 {
		s.SettlePin()
		return
	}
	if !s.HeldUp() {
		s.Begin(session.Standstill((*session.Session).SettlePin))
	}
}

// endTransaction forgets the transaction and the watched keys.
func endTransaction(s *session.Session) {
	Drop(s)
	forgetWatches(s)
}
