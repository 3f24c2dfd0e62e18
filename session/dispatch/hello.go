package dispatch

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/facade"
	"ringmaster/session/guard"
	"ringmaster/session/texts"
	"ringmaster/session/transaction"
)

// hello carries out HELLO. It changes the protocol, and may log in and name the client. The checks come in Redis's order (networking.c,
// helloCommand).
func hello(s *session.Session, spec *command.Spec, req *parser.Request) {
	if guard.LogsIn(spec, req.Args) && guard.WaitAtGate(s, spec, req, transaction.AfterGate) {
		return
	}
	args := req.Args[1:]
	proto := int64(s.Protocol)
	if len(args) > 0 {
		var ok bool
		if proto, ok = parser.Int(args[0]); !ok {
			s.Refuse(texts.ProtoInt)
			return
		}
		if proto < 2 || proto > 3 {
			s.Refuse(texts.ProtoRange)
			return
		}
		args = args[1:]
	}
	steps := []helloStep{helloLogin | helloName} // before 7.2, options before a mistake stay in force
	if s.Door.ServerIs(7, 2) {
		steps = []helloStep{helloCheck, helloLogin}
	}
	for _, step := range steps {
		if text := helloOptions(s, args, step); text != "" {
			s.Refuse(text)
			return
		}
	}
	if !s.LoggedIn {
		text := texts.HelloNoAuth
		if s.Door.ServerIs(7, 2) {
			text = texts.HelloNoAuth72
		}
		s.Refuse(text)
		return
	}
	_ = helloOptions(s, args, helloName)
	s.CrossTo(pool.Key{Proto: int(proto), DB: s.Database()}, answerHello)
}

// helloStep says what helloOptions does besides looking for mistakes.
type helloStep uint8

const (
	helloCheck helloStep = 0
	helloLogin helloStep = 1 << (iota - 1)
	helloName
)

// helloOptions goes through HELLO's options. It returns the error for a mistake; "": there is none.
func helloOptions(s *session.Session, args [][]byte, step helloStep) (text string) {
	for len(args) > 0 {
		switch more := len(args) - 1; {
		case more >= 2 && bytes.EqualFold(args[0], []byte("auth")):
			if step&helloLogin != 0 && !login(s, args[1], args[2]) {
				return texts.WrongPass
			}
			args = args[3:]
		case more >= 1 && bytes.EqualFold(args[0], []byte("setname")):
			if text := badName(args[1]); text != "" {
				return text
			}
			if step&helloName != 0 {
				identity(s).Name = string(args[1])
			}
			args = args[2:]
		default:
			return texts.HelloSyntax(args[0])
		}
	}
	return ""
}

// answerHello answers HELLO with the version and modules of the servers.
func answerHello(s *session.Session) {
	b := s.Door.Scratch[:0]
	if s.Protocol == 3 {
		b = parser.AppendMap(b, 7)
	} else {
		b = parser.AppendArray(b, 14)
	}
	b = parser.AppendBulkString(b, "server")
	if name := s.Door.HelloField(int(s.Protocol), "server"); name != nil {
		b = append(b, name...)
	} else {
		b = parser.AppendBulkString(b, "redis")
	}
	b = parser.AppendBulkString(b, "version")
	b = appendVersion(b, s.Door.Pool.Version())
	b = parser.AppendBulkString(b, "proto")
	b = parser.AppendInt(b, int64(s.Protocol))
	b = parser.AppendBulkString(b, "id")
	b = parser.AppendInt(b, int64(s.ID()))
	b = parser.AppendBulkString(b, "mode")
	b = parser.AppendBulkString(b, facade.RedisMode(s.Door))
	b = parser.AppendBulkString(b, "role")
	b = parser.AppendBulkString(b, "master")
	b = parser.AppendBulkString(b, "modules")
	if modules := s.Door.HelloField(int(s.Protocol), "modules"); modules != nil {
		b = guard.AppendModules(s.Door, b, modules)
	} else {
		b = parser.AppendArray(b, 0)
	}
	s.Door.Scratch = b
	s.Answer(b)
}

// knownVersion is the version in HELLO's answer before a server has given its own. Clients expect a number.
const knownVersion = "7.0.0"

// appendVersion appends the servers' version; empty: it is not known.
func appendVersion(b, version []byte) []byte {
	if len(version) == 0 {
		return parser.AppendBulkString(b, knownVersion)
	}
	return parser.AppendBulk(b, version)
}
