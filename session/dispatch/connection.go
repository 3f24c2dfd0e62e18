package dispatch

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/gather"
	"ringmaster/session/pubsub"
	"ringmaster/session/texts"
	"ringmaster/session/tracking"
	"ringmaster/session/transaction"
)

func ping(s *session.Session, spec *command.Spec, req *parser.Request) {
	if pubsub.IsLimited(s) && len(req.Args) <= 2 {
		b := append(s.Door.Scratch[:0], "*2\r\n$4\r\npong\r\n"...)
		s.Door.Scratch = parser.AppendBulk(b, bytes.Join(req.Args[1:], nil))
		s.Answer(s.Door.Scratch)
		return
	}
	if tracking.IsOn(s) && len(req.Args) <= 2 {
		gather.AllShards(s, spec, req) // its answer must come after the servers' invalidations
		return
	}
	switch len(req.Args) {
	case 1:
		s.AnswerString("+PONG\r\n")
	case 2:
		s.AnswerBulk(req.Args[1])
	default:
		s.Refuse(texts.WrongArity(spec.Name))
	}
}

func echo(s *session.Session, _ *command.Spec, req *parser.Request) { s.AnswerBulk(req.Args[1]) }

func selectDB(s *session.Session, spec *command.Spec, req *parser.Request) {
	n, ok := parser.Int(req.Args[1])
	if !ok {
		s.Refuse(texts.NotInteger)
		return
	}
	if n != int64(int32(n)) {
		s.Refuse(texts.IntRange)
		return
	}
	if n < 0 {
		s.Refuse(texts.DBRange)
		return
	}
	s.CrossTo(pool.Key{Proto: int(s.Protocol), DB: int(n)}, func(s *session.Session) { s.AnswerString("+OK\r\n") })
}

func reset(s *session.Session, _ *command.Spec, _ *parser.Request) {
	transaction.Drop(s)
	if s.ReplyMode == session.ReplyOff {
		s.ReplyMode = session.ReplyOn
	}
	if s.Subscriptions != nil {
		pubsub.Reset(s, resetRest)
		return
	}
	resetRest(s)
}

// resetRest does the rest of RESET when the client subscribes to nothing.
func resetRest(s *session.Session) {
	if s.Pin == nil {
		resetShared(s)
		return
	}
	s.Begin(&session.Errand{Send: func(*session.Session) {}, Done: func(s *session.Session) {
		s.Unpin(false)
		resetShared(s)
	}})
}

func resetShared(s *session.Session) {
	s.CrossTo(pool.Key{Proto: 2}, func(s *session.Session) {
		if s.Identity != nil {
			s.Identity.Name = "" // what CLIENT SETINFO said stays (Redis 7.2)
		}
		s.LoggedIn = s.Door.Policy.Open()
		s.Input.Parser.Unauthenticated = !s.LoggedIn
		s.AnswerString("+RESET\r\n")
	})
}

func clientID(s *session.Session, _ *command.Spec, _ *parser.Request) {
	s.Door.Scratch = parser.AppendInt(s.Door.Scratch[:0], int64(s.ID()))
	s.Answer(s.Door.Scratch)
}

func clientGetName(s *session.Session, _ *command.Spec, _ *parser.Request) {
	if s.Identity == nil || s.Identity.Name == "" {
		s.Door.Scratch = parser.AppendNull(s.Door.Scratch[:0], int(s.Protocol))
		s.Answer(s.Door.Scratch)
		return
	}
	s.AnswerBulk([]byte(s.Identity.Name))
}

func clientSetName(s *session.Session, spec *command.Spec, req *parser.Request) {
	if text := badName(req.Args[2]); text != "" {
		s.Refuse(text)
		return
	}
	identity(s).Name = string(req.Args[2])
	s.AnswerString("+OK\r\n")
}

// clientSetInfo takes the attributes that Redis 7.2 takes. Client libraries send them when they connect.
func clientSetInfo(s *session.Session, spec *command.Spec, req *parser.Request) {
	attr, value := req.Args[2], req.Args[3]
	var field *string
	switch {
	case bytes.EqualFold(attr, []byte("lib-name")):
		field = &identity(s).LibName
	case bytes.EqualFold(attr, []byte("lib-ver")):
		field = &identity(s).LibVersion
	default:
		s.Refuse(texts.UnknownOption(attr))
		return
	}
	if len(value) > maxName {
		s.Refuse(texts.LongName)
		return
	}
	if !printable(value) {
		s.Refuse(texts.BadInfo(attr))
		return
	}
	*field = string(value)
	s.AnswerString("+OK\r\n")
}

// clientCapa accepts any capability, as Valkey 8.0 does. It ignores REDIRECT, because the proxy follows redirects itself.
func clientCapa(s *session.Session, spec *command.Spec, req *parser.Request) {
	if !s.Door.Valkey(8) {
		s.Refuse(texts.UnknownSubcommand(s.Door.ShownName(req.Args[0]), req.Args[1]))
		return
	}
	s.AnswerString("+OK\r\n")
}

// maxName bounds a client's name, bytes; Redis has no bound.
const maxName = 4096

// badName says why a client can't have the name b; "": it can.
func badName(b []byte) (text string) {
	switch {
	case !printable(b):
		return texts.ClientName
	case len(b) > maxName:
		return texts.LongName
	}
	return ""
}

// printable reports whether b is printable ASCII without spaces.
func printable(b []byte) bool {
	for _, c := range b {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}

func identity(s *session.Session) *session.Identity {
	if s.Identity == nil {
		s.Identity = &session.Identity{}
	}
	return s.Identity
}
