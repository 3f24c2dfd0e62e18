package clients

import (
	"slices"
	"strings"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/blocking"
	"ringmaster/session/texts"
)

// Unblock is CLIENT UNBLOCK id [TIMEOUT|ERROR]. It sends the command to the blocked client's server, with the ID that
// the server gave to the client's own connection.
func Unblock(s *session.Session, spec *command.Spec, req *parser.Request) {
	how := "TIMEOUT"
	if len(req.Args) > 4 {
		s.Refuse(texts.WrongWords(req.Args[0], req.Args[1]))
		return
	}
	if len(req.Args) == 4 {
		if how = strings.ToUpper(string(req.Args[3])); how != "TIMEOUT" && how != "ERROR" {
			s.Refuse(texts.UnblockReason)
			return
		}
	}
	id, ok := parser.Int(req.Args[2])
	if !ok {
		s.Refuse(texts.NotInteger)
		return
	}
	m := s.Emit(0)
	s.Door.AskLoops(func(e *session.Env) any { return unblock(e, uint64(id), how) }, func(answers []any) {
		found := slices.Contains(answers, any(true))
		m.Give([]byte(map[bool]string{true: ":1\r\n", false: ":0\r\n"}[found]), true)
	})
}

func unblock(e *session.Env, id uint64, how string) (found bool) {
	s := e.Roster.Find(id)
	if s == nil || !blocking.Blocked(s) || e.Paused() {
		return false // Redis 7.0 crashes on UNBLOCK for a client that waits for the end of CLIENT PAUSE
	}
	for _, o := range s.Pin.Owns {
		if o.Conn != nil && o.Conn.ServerID() > 0 {
			found = true
			blocking.NoteUnblock(s)
			s.Pin.Soiled = true // the word may reach the server when the client has gone on
			o.Conn.Unblock(how)
		}
	}
	return found
}

// SetReplyMode is CLIENT REPLY ON|OFF|SKIP. No server gets it, because on a shared connection it would suppress other
// clients' replies.
func SetReplyMode(s *session.Session, spec *command.Spec, req *parser.Request) {
	exec := s.Door.Answering
	switch strings.ToLower(string(req.Args[2])) {
	case "on":
		switch {
		case exec == nil:
			s.ReplyMode = session.ReplyOn
		case s.ReplyMode == session.ReplyOff:
			s.ReplyMode, exec.Muted = session.ReplyOn, false
		default: // SKIP in the same transaction counts for what comes after it
			exec.Muted = false
		}
		s.AnswerString("+OK\r\n")
	case "off":
		if s.ReplyMode = session.ReplyOff; exec != nil {
			exec.Muted = true
		} else {
			s.EndsUnanswered()
		}
	case "skip":
		if s.ReplyMode != session.ReplyOff {
			s.ReplyMode = session.ReplySkip
		}
		if exec == nil {
			s.EndsUnanswered()
		}
	default:
		s.Refuse(texts.Syntax)
	}
}

// WhoAmI is ACL WHOAMI. It reports the proxy's user and not the servers'.
func WhoAmI(s *session.Session, _ *command.Spec, _ *parser.Request) { s.AnswerBulk([]byte("default")) }
