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
	args := req.Args[1:]
	proto := int64(s.proto)
	if len(args) > 0 {
		var ok bool
		if proto, ok = parser.Int(args[0]); !ok {
			s.refuse(spec, errProtoInt)
			return
		}
		if proto < 2 || proto > 3 {
			s.refuse(spec, errProtoRange)
			return
		}
		args = args[1:]
	}
	opt, text := parseHello(args)
	if text != "" {
		s.refuse(spec, text)
		return
	}
	if opt.user != nil && !s.login(opt.user, opt.password) {
		s.refuse(spec, errWrongPass)
		return
	}
	if !s.authed {
		s.refuse(spec, errHelloNoAuth)
		return
	}
	if opt.name != nil {
		s.identity().name = string(opt.name)
	}
	s.crossTo(pool.Key{Proto: int(proto), DB: s.db}, (*Session).answerHello)
}

type helloOptions struct{ user, password, name []byte }

// parseHello reads what follows the version; text is the error, if any.
func parseHello(args [][]byte) (o helloOptions, text string) {
	for len(args) > 0 {
		switch more := len(args) - 1; {
		case more >= 2 && bytes.EqualFold(args[0], []byte("auth")):
			o.user, o.password = args[1], args[2]
			args = args[3:]
		case more >= 1 && bytes.EqualFold(args[0], []byte("setname")):
			if o.name = args[1]; !validName(o.name) {
				return o, errClientName
			}
			args = args[2:]
		default:
			return o, "ERR Syntax error in HELLO option '" + string(quoted(args[0], len(args[0]))) + "'"
		}
	}
	return o, ""
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
	b = parser.AppendBulkString(b, "redis")
	b = parser.AppendBulkString(b, "version")
	b = parser.AppendBulk(b, s.env.Pool.Version())
	b = parser.AppendBulkString(b, "proto")
	b = parser.AppendInt(b, int64(s.proto))
	b = parser.AppendBulkString(b, "id")
	b = parser.AppendInt(b, int64(s.id))
	b = parser.AppendBulkString(b, "mode")
	b = parser.AppendBulkString(b, "standalone")
	b = parser.AppendBulkString(b, "role")
	b = parser.AppendBulkString(b, "master")
	b = parser.AppendBulkString(b, "modules")
	b = parser.AppendArray(b, 0)
	s.env.scratch = b
	s.answer(b)
}
