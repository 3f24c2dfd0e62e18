package blocking

import (
	"bytes"
	"math"
	"strings"
	"time"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/stats"
)

// NotePause tells every loop of a CLIENT PAUSE with the words args, which is about to be sent. It ignores one that the server will refuse.
// Borrows args until return. Loop-only.
func NotePause(s *session.Session, args [][]byte) {
	ms, ok := parser.Int(args[2])
	if !ok || ms < 0 {
		return
	}
	if len(args) > 4 || len(args) == 4 && !strings.EqualFold(string(args[3]), "write") && !strings.EqualFold(string(args[3]), "all") {
		return
	}
	p := session.Pause{Until: s.Door.Pool.Now + min(ms, math.MaxInt64/4/int64(time.Millisecond))*int64(time.Millisecond), All: true}
	if len(args) > 3 && strings.EqualFold(string(args[3]), "write") {
		p.All = false
	}
	s.Door.AskLoops(func(e *session.Env) any {
		// As in Redis, the stricter pause stays.
		e.Pause = session.Pause{Until: max(p.Until, e.Pause.Until), All: p.All || e.Paused() && e.Pause.All}
		return nil
	}, func([]any) {})
}

// NoteUnpause tells every loop of a CLIENT UNPAUSE that is about to be sent. Loop-only.
func NoteUnpause(s *session.Session) {
	s.Door.AskLoops(func(e *session.Env) any {
		e.Pause = session.Pause{}
		e.Tick()
		return nil
	}, func([]any) {})
}

// Postpones reports whether the servers would keep a command waiting now that writes, or does not. While they keep all commands waiting,
// it is not called. Loop-only.
func Postpones(e *session.Env, writes bool) bool { return writes && e.Paused() }

// MayWrite reports whether a server treats a command as one that may change data or reach replicas. Loop-only.
func MayWrite(e *session.Env, spec *command.Spec) bool {
	return spec.Flags.Has(command.FlagWrite) || spec.Traits.Has(command.TraitReplicates)
}

// KeptWaiting reports whether the servers would keep a command waiting that goes over a shared connection. Loop-only.
func KeptWaiting(s *session.Session, spec *command.Spec, class command.Class) bool {
	e := s.Door
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
	return !e.Replaying && Postpones(e.Env, MayWrite(e.Env, spec))
}

// postponed is a command that the servers keep waiting, a passage. It goes over the session's own connections, as a blocking command does. If
// the pool can't lend any, it waits for them.
type postponed struct {
	session.Passage
	spec *command.Spec
	raw  []byte
	run  func(*session.Session) // carries it out; nil: raw is sent
	sent bool
}

// Postpone carries out a command that the servers keep waiting. Borrows raw until return. Loop-only.
func Postpone(s *session.Session, spec *command.Spec, raw []byte) {
	s.Begin(&postponed{spec: spec, raw: bytes.Clone(raw)})
}

// PostponeRun is Postpone for EXEC, which run carries out. Loop-only.
func PostponeRun(s *session.Session, run func(*session.Session)) { s.Begin(&postponed{run: run}) }

// Step is passage.
func (p *postponed) Step(s *session.Session, _ session.Wait) {
	if p.sent {
		p.End()
		Unblocked(s)
		return
	}
	if s.EOF { // nobody will read the reply
		s.CloseAs(stats.ClientClosed)
		return
	}
	if s.Door.Paused() && !s.Pin.WatchLost() {
		pin, full := s.PinToReachable()
		if full {
			p.Await(session.Tick)
			return
		}
		if pin != nil {
			pin.Blocks = true
		}
	}
	if p.run == nil {
		p.send(s)
		return
	}
	p.End()
	if p.run(s); !s.HeldUp() && s.Owed() == 0 {
		Unblocked(s) // it was refused
	}
}

// send sends the command and waits for its reply.
func (p *postponed) send(s *session.Session) {
	p.sent = true
	s.Door.Replaying = true
	s.Door.Route(s, p.spec, p.raw)
	s.Door.Replaying = false
	switch {
	case p.Over():
	case s.Owed() > 0:
		p.Await(session.Replies)
	default:
		p.End()
		Unblocked(s)
	}
}

// Cancel is passage.
func (p *postponed) Cancel(*session.Session) (unanswered bool) { return !p.sent }
