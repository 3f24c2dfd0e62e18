package session

import (
	"ringmaster/command"
	"ringmaster/parser"
)

func (s *Session) auth(spec *command.Spec, req *parser.Request) {
	if len(req.Args) > 3 {
		s.refuse(errSyntax)
		return
	}
	user, password := []byte("default"), req.Args[len(req.Args)-1]
	if len(req.Args) == 3 {
		user = req.Args[1]
	} else if s.env.Policy.Open() {
		s.refuse(errNoPassword)
		return
	}
	if s.waitAtGate(spec, req, (*Session).afterGate) {
		return
	}
	if !s.login(user, password) {
		s.refuse(errWrongPass)
		return
	}
	s.answerString("+OK\r\n")
}

// login lets the client in if the credentials are right; a failure keeps who it was.
func (s *Session) login(user, password []byte) bool {
	if !s.env.Policy.Check(user, password) {
		s.env.Stats.LoginsFailed++
		s.charge()
		s.notify(LoginFailed, user)
		return false
	}
	s.authed, s.parser.Unauthenticated = true, false
	return true
}
