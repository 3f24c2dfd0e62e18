package session

import (
	"slices"
	"strings"

	"ringmaster/command"
	"ringmaster/parser"
)

// askLoops runs question on every loop, this one included, and gives all answers to done.
func (e *Env) askLoops(question func(*Env) any, done func(answers []any)) {
	e.askLoopsFor(e.asking, question, done)
}

// askLoopsFor is askLoops for a client, which is closed if done panics; nil: for nobody alone.
func (e *Env) askLoopsFor(client *Session, question func(*Env) any, done func(answers []any)) {
	own := question(e)
	if e.Peers == nil {
		done([]any{own})
		return
	}
	e.askOthers(client, question, func(answers []any) { done(append(answers, own)) })
}

// askOthers is askLoopsFor without this loop.
func (e *Env) askOthers(client *Session, question func(*Env) any, done func(answers []any)) {
	if client == nil {
		e.Peers.Ask(question, done)
		return
	}
	e.Peers.Ask(question, func(answers []any) {
		defer client.guard()
		done(answers)
	})
}

// askLoopsSlowly is askLoopsFor for a question that takes a loop several turns: it answers when it can. A loop in which it has
// panicked has no answer.
func (e *Env) askLoopsSlowly(client *Session, question func(e *Env, answer func(any)), done func(answers []any)) {
	var all []any
	waits := 1
	if e.Peers != nil {
		waits++
	}
	heard := func(answers ...any) {
		for _, a := range answers {
			if a != nil {
				all = append(all, a)
			}
		}
		if waits--; waits == 0 {
			defer client.guard()
			done(all)
		}
	}
	if e.Peers != nil {
		e.Peers.AskSlowly(question, func(answers []any) { heard(answers...) })
	}
	question(e, func(answer any) { heard(answer) })
}

// clientUnblock is CLIENT UNBLOCK id [TIMEOUT|ERROR]: the server of the blocked client is told, by the number
// that it gave to the client's own connection.
func (s *Session) clientUnblock(spec *command.Spec, req *parser.Request) {
	how := "TIMEOUT"
	if len(req.Args) > 4 {
		s.refuse(wrongWords(req.Args[0], req.Args[1]))
		return
	}
	if len(req.Args) == 4 {
		if how = strings.ToUpper(string(req.Args[3])); how != "TIMEOUT" && how != "ERROR" {
			s.refuse(errUnblockReason)
			return
		}
	}
	id, ok := parser.Int(req.Args[2])
	if !ok {
		s.refuse(errNotInteger)
		return
	}
	m := s.emit(0)
	s.env.askLoops(func(e *Env) any { return e.unblock(uint64(id), how) }, func(answers []any) {
		found := slices.Contains(answers, any(true))
		m.put([]byte(map[bool]string{true: ":1\r\n", false: ":0\r\n"}[found]), true)
	})
}

func (e *Env) unblock(id uint64, how string) (found bool) {
	s := e.roster.find(id)
	if s == nil || !s.Blocked() || e.paused() {
		return false // Redis 7.0 dies of UNBLOCK for a client that CLIENT PAUSE keeps waiting
	}
	for _, o := range s.pin.owns {
		if o.conn != nil && o.conn.ServerID() > 0 {
			found = true
			if w := s.pin.waiting; w != nil && w.moving {
				w.told = true // whoever was first
			}
			s.pin.soiled = true // the word may reach the server when the client has gone on
			o.conn.Unblock(how)
		}
	}
	return found
}

// mute is which replies the client does not want.
type mute uint8

const (
	heard    mute = iota
	skipNext      // not the next command's
	silent        // none
)

// clientReply is CLIENT REPLY ON|OFF|SKIP. It is never sent on: on a shared connection it would swallow
// other clients' replies.
func (s *Session) clientReply(spec *command.Spec, req *parser.Request) {
	exec := s.env.answering
	switch strings.ToLower(string(req.Args[2])) {
	case "on":
		switch {
		case exec == nil:
			s.mute = heard
		case s.mute == silent:
			s.mute, exec.muted = heard, false
		default: // SKIP in the same transaction counts for what comes after it
			exec.muted = false
		}
		s.answerString("+OK\r\n")
	case "off":
		if s.mute = silent; exec != nil {
			exec.muted = true
		} else {
			s.endsUnanswered()
		}
	case "skip":
		if s.mute != silent {
			s.mute = skipNext
		}
		if exec == nil {
			s.endsUnanswered()
		}
	default:
		s.refuse(errSyntax)
	}
}

// aclWhoAmI is ACL WHOAMI: the proxy's users are its own.
func (s *Session) aclWhoAmI(*command.Spec, *parser.Request) { s.answerBulk([]byte("default")) }
