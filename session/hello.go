package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
)

// hello changes the protocol, and may log in and name the client on the way. The order of its checks is
// Redis's (networking.c, helloCommand).
func (s *Session) hello(spec *command.Spec, req *parser.Request) {
	if logsIn(spec, req.Args) && s.waitAtGate(spec, req, (*Session).afterGate) {
		return
	}
	args := req.Args[1:]
	proto := int64(s.proto)
	if len(args) > 0 {
		var ok bool
		if proto, ok = parser.Int(args[0]); !ok {
			s.refuse(errProtoInt)
			return
		}
		if proto < 2 || proto > 3 {
			s.refuse(errProtoRange)
			return
		}
		args = args[1:]
	}
	steps := []helloStep{helloLogin | helloName} // Redis leaves in force what came before a mistake
	if s.env.serverIs(7, 2) {
		steps = []helloStep{helloCheck, helloLogin}
	}
	for _, step := range steps {
		if text := s.helloOptions(args, step); text != "" {
			s.refuse(text)
			return
		}
	}
	if !s.authed {
		text := errHelloNoAuth
		if s.env.serverIs(7, 2) {
			text = errHelloNoAuth72
		}
		s.refuse(text)
		return
	}
	_ = s.helloOptions(args, helloName)
	s.crossTo(pool.Key{Proto: int(proto), DB: s.db()}, (*Session).answerHello)
}

// helloStep is what is done about HELLO's options, beside looking for mistakes.
type helloStep uint8

const (
	helloCheck helloStep = 0
	helloLogin helloStep = 1 << (iota - 1)
	helloName
)

// helloOptions goes through the options; text is the error, if any.
func (s *Session) helloOptions(args [][]byte, step helloStep) (text string) {
	for len(args) > 0 {
		switch more := len(args) - 1; {
		case more >= 2 && bytes.EqualFold(args[0], []byte("auth")):
			if step&helloLogin != 0 && !s.login(args[1], args[2]) {
				return errWrongPass
			}
			args = args[3:]
		case more >= 1 && bytes.EqualFold(args[0], []byte("setname")):
			if text := badName(args[1]); text != "" {
				return text
			}
			if step&helloName != 0 {
				s.identity().name = string(args[1])
			}
			args = args[2:]
		default:
			return helloSyntax(args[0])
		}
	}
	return ""
}

// answerHello describes the proxy as the Redis it stands for.
func (s *Session) answerHello() {
	b := s.env.scratch[:0]
	if s.proto == 3 {
		b = parser.AppendMap(b, 7)
	} else {
		b = parser.AppendArray(b, 14)
	}
	b = parser.AppendBulkString(b, "server")
	if name := s.env.helloField(int(s.proto), "server"); name != nil {
		b = append(b, name...)
	} else {
		b = parser.AppendBulkString(b, "redis")
	}
	b = parser.AppendBulkString(b, "version")
	b = appendVersion(b, s.env.Pool.Version())
	b = parser.AppendBulkString(b, "proto")
	b = parser.AppendInt(b, int64(s.proto))
	b = parser.AppendBulkString(b, "id")
	b = parser.AppendInt(b, int64(s.ID()))
	b = parser.AppendBulkString(b, "mode")
	b = parser.AppendBulkString(b, s.env.mode())
	b = parser.AppendBulkString(b, "role")
	b = parser.AppendBulkString(b, "master")
	b = parser.AppendBulkString(b, "modules")
	if modules := s.env.helloField(int(s.proto), "modules"); modules != nil {
		b = s.env.appendModules(b, modules)
	} else {
		b = parser.AppendArray(b, 0)
	}
	s.env.scratch = b
	s.answer(b)
}

// knownVersion is what the proxy calls itself before a server has said what it is: clients read a
// number there.
const knownVersion = "7.0.0"

func appendVersion(b, version []byte) []byte {
	if len(version) == 0 {
		return parser.AppendBulkString(b, knownVersion)
	}
	return parser.AppendBulk(b, version)
}
