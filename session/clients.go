package session

import (
	"slices"
	"strings"

	"ringmaster/command"
	"ringmaster/parser"
)

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
			if w := waitingAt(s.pin); w != nil && w.moving {
				w.told = true // whoever was first
			}
			s.pin.soiled = true // the word may reach the server when the client has gone on
			o.conn.Unblock(how)
		}
	}
	return found
}

// clientReply is CLIENT REPLY ON|OFF|SKIP. It is never sent on: on a shared connection it would swallow
// other clients' replies.
func (s *Session) clientReply(spec *command.Spec, req *parser.Request) {
	exec := s.env.answering
	switch strings.ToLower(string(req.Args[2])) {
	case "on":
		switch {
		case exec == nil:
			s.replyMode = replyOn
		case s.replyMode == replyOff:
			s.replyMode, exec.muted = replyOn, false
		default: // SKIP in the same transaction counts for what comes after it
			exec.muted = false
		}
		s.answerString("+OK\r\n")
	case "off":
		if s.replyMode = replyOff; exec != nil {
			exec.muted = true
		} else {
			s.endsUnanswered()
		}
	case "skip":
		if s.replyMode != replyOff {
			s.replyMode = replySkip
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
