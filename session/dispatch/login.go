package dispatch

import (
	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/guard"
	"ringmaster/session/texts"
	"ringmaster/session/transaction"
)

func auth(s *session.Session, spec *command.Spec, req *parser.Request) {
	if len(req.Args) > 3 {
		s.Refuse(texts.Syntax)
		return
	}
	user, password := []byte("default"), req.Args[len(req.Args)-1]
	if len(req.Args) == 3 {
		user = req.Args[1]
	} else if s.Door.Policy.Open() {
		s.Refuse(texts.NoPassword)
		return
	}
	if guard.WaitAtGate(s, spec, req, transaction.AfterGate) {
		return
	}
	if !login(s, user, password) {
		s.Refuse(texts.WrongPass)
		return
	}
	s.AnswerString("+OK\r\n")
}

// login logs the client in if the credentials are right. After a failure the client stays what it was.
func login(s *session.Session, user, password []byte) bool {
	if !s.Door.Policy.Check(user, password) {
		s.Door.Stats.LoginsFailed++
		guard.CountFailure(s)
		s.Report(session.LoginFailed, user)
		return false
	}
	s.LoggedIn, s.Input.Parser.Unauthenticated = true, false
	return true
}
