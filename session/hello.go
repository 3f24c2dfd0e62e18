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
			s.deny(spec, errProtoInt)
			return
		}
		if proto < 2 || proto > 3 {
			s.deny(spec, errProtoRange)
			return
		}
		args = args[1:]
	}
	for len(args) > 0 {
		n, text := s.helloOption(args)
		if text != "" {
			s.deny(spec, text)
			return
		}
		args = args[n:]
	}
	if !s.authed {
		text := errHelloNoAuth
		if s.env.serverIs(7, 2) {
			text = errHelloNoAuth72
		}
		s.deny(spec, text)
		return
	}
	s.crossTo(pool.Key{Proto: int(proto), DB: s.db()}, (*Session).answerHello)
}

// helloOption carries out the option at the start of args and gives its length in words; text is the
// error, if any. Like Redis 7.0 it leaves in force what came before a mistake.
func (s *Session) helloOption(args [][]byte) (n int, text string) {
	switch more := len(args) - 1; {
	case more >= 2 && bytes.EqualFold(args[0], []byte("auth")):
		if !s.login(args[1], args[2]) {
			return 0, errWrongPass
		}
		return 3, ""
	case more >= 1 && bytes.EqualFold(args[0], []byte("setname")):
		if !validName(args[1]) {
			return 0, errClientName
		}
		s.identity().name = string(args[1])
		return 2, ""
	}
	return 0, helloSyntax(args[0])
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
	if name := s.helloField("server"); name != nil {
		b = append(b, name...)
	} else {
		b = parser.AppendBulkString(b, "redis")
	}
	b = parser.AppendBulkString(b, "version")
	b = appendVersion(b, s.env.Pool.Version())
	b = parser.AppendBulkString(b, "proto")
	b = parser.AppendInt(b, int64(s.proto))
	b = parser.AppendBulkString(b, "id")
	b = parser.AppendInt(b, int64(s.id))
	b = parser.AppendBulkString(b, "mode")
	b = parser.AppendBulkString(b, s.env.mode())
	b = parser.AppendBulkString(b, "role")
	b = parser.AppendBulkString(b, "master")
	b = parser.AppendBulkString(b, "modules")
	if modules := s.helloField("modules"); modules != nil {
		b = append(b, modules...)
	} else {
		b = parser.AppendArray(b, 0)
	}
	s.env.scratch = b
	s.answer(b)
}

// helloField is a field of what a server has answered to the session's HELLO; nil: unknown.
func (s *Session) helloField(name string) []byte {
	fields, _ := elementsOf(s.env.Pool.Hello(int(s.proto)))
	for key := fields.next(); key != nil; key = fields.next() {
		value := fields.next()
		if text, ok := stringOf(key); ok && string(text) == name {
			return value
		}
	}
	return nil
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
