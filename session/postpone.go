package session

import (
	"bytes"
	"math"
	"strings"
	"time"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/stats"
)

// notePause takes notice, on every loop, of a CLIENT PAUSE that is about to be sent; one that is wrong is left to the server.
func (s *Session) notePause(args [][]byte) {
	ms, ok := parser.Int(args[2])
	if !ok || ms < 0 {
		return
	}
	if len(args) > 4 || len(args) == 4 && !strings.EqualFold(string(args[3]), "write") && !strings.EqualFold(string(args[3]), "all") {
		return
	}
	p := pause{until: s.env.Pool.Now + min(ms, math.MaxInt64/4/int64(time.Millisecond))*int64(time.Millisecond), all: true}
	if len(args) > 3 && strings.EqualFold(string(args[3]), "write") {
		p.all = false
	}
	s.env.askLoops(func(e *Env) any {
		// As in Redis, what is stricter stays.
		e.pause = pause{until: max(p.until, e.pause.until), all: p.all || e.paused() && e.pause.all}
		return nil
	}, func([]any) {})
}

// noteUnpause is notePause for CLIENT UNPAUSE.
func (s *Session) noteUnpause() {
	s.env.askLoops(func(e *Env) any {
		e.pause = pause{}
		e.Tick()
		return nil
	}, func([]any) {})
}

// postpones reports whether the servers would keep a command waiting now. Nothing comes here while they keep all waiting.
func (e *Env) postpones(writes bool) bool { return writes && e.paused() }

// mayWrite reports whether a server treats a command as one that may change data or reach replicas.
func (e *Env) mayWrite(spec *command.Spec) bool {
	return spec.Flags.Has(command.FlagWrite) || spec.Traits.Has(command.TraitReplicates)
}

// keptWaiting reports whether a command would be kept waiting on a shared connection.
func (s *Session) keptWaiting(spec *command.Spec, class command.Class) bool {
	e := s.env
	switch class {
	case command.ClassSingle, command.ClassSameShard, command.ClassSplit, command.ClassAnyShard, command.ClassScan:
	case command.ClassAllShards:
		if spec.ID == command.IDClientPause || spec.Traits.Has(command.TraitEndsWaits) {
			return false
		}
	case command.ClassPubSub:
		if !spec.Traits.Has(command.TraitPublishes) {
			return false
		}
	default:
		return false
	}
	return !e.replaying && e.postpones(e.mayWrite(spec))
}

// postponed is a command that the servers keep waiting, a passage. It goes over connections of the session's own, as a
// blocking command does; without any to be had it waits here.
type postponed struct {
	spec *command.Spec
	raw  []byte
	run  func(*Session) // carries it out instead of sending raw: for EXEC; nil: raw is sent
	sent bool
}

// postpone carries out a command that the servers keep waiting.
func (s *Session) postpone(spec *command.Spec, raw []byte) {
	s.begin(&postponed{spec: spec, raw: bytes.Clone(raw)})
}

func (p *postponed) step(s *Session) {
	if s.Owed() > 0 {
		return
	}
	if p.sent {
		s.endPassage()
		s.unblocked()
		return
	}
	if s.eof { // nobody will ever read it
		s.closeAs(stats.ClientClosed)
		return
	}
	if s.env.paused() && !s.watchLost() {
		pin, full := s.pinToReachable()
		if full {
			s.env.held = append(s.env.held, s)
			return
		}
		if pin != nil {
			pin.blocks = true
		}
	}
	if p.run != nil {
		s.endPassage()
		p.run(s)
		if s.passage == nil && s.Owed() == 0 {
			s.unblocked() // it was refused
		}
		return
	}
	p.sent = true
	s.env.replaying = true
	s.env.Route(s, p.spec, p.raw)
	s.env.replaying = false
	if s.passage == p && s.state == open && s.Owed() == 0 {
		p.step(s)
	}
}

func (p *postponed) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	return !p.sent
}
