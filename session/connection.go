package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
)

func (s *Session) ping(spec *command.Spec, req *parser.Request) {
	if s.limited() && len(req.Args) <= 2 {
		b := append(s.env.scratch[:0], "*2\r\n$4\r\npong\r\n"...)
		s.env.scratch = parser.AppendBulk(b, bytes.Join(req.Args[1:], nil))
		s.answer(s.env.scratch)
		return
	}
	if s.tracks() && len(req.Args) <= 2 {
		s.allShards(spec, req) // its answer comes behind what the servers have told
		return
	}
	switch len(req.Args) {
	case 1:
		s.answerString("+PONG\r\n")
	case 2:
		s.answerBulk(req.Args[1])
	default:
		s.refuse(wrongArity(spec.Name))
	}
}

func (s *Session) echo(_ *command.Spec, req *parser.Request) { s.answerBulk(req.Args[1]) }

func (s *Session) selectDB(spec *command.Spec, req *parser.Request) {
	n, ok := parser.Int(req.Args[1])
	if !ok {
		s.refuse(errNotInteger)
		return
	}
	if n != int64(int32(n)) {
		s.refuse(errIntRange)
		return
	}
	if n < 0 {
		s.refuse(errDBRange)
		return
	}
	s.crossTo(pool.Key{Proto: int(s.proto), DB: int(n)}, func(s *Session) { s.answerString("+OK\r\n") })
}

func (s *Session) reset(*command.Spec, *parser.Request) {
	s.dropTransaction()
	if s.replyMode == replyOff {
		s.replyMode = replyOn
	}
	if s.subs != nil {
		s.begin(&resetting{s: s, done: (*Session).resetRest})
		return
	}
	s.resetRest()
}

// resetRest is what RESET does when the client subscribes to nothing.
func (s *Session) resetRest() {
	if s.pin == nil {
		s.resetShared()
		return
	}
	s.begin(&errand{send: func(*Session) {}, done: func(s *Session) {
		s.unpin(false)
		s.resetShared()
	}})
}

func (s *Session) resetShared() {
	s.crossTo(pool.Key{Proto: 2}, func(s *Session) {
		if s.ident != nil {
			s.ident.name = "" // what CLIENT SETINFO said stays (Redis 7.2)
		}
		s.authed = s.env.Policy.Open()
		s.parser.Unauthenticated = !s.authed
		s.answerString("+RESET\r\n")
	})
}

func (s *Session) clientID(*command.Spec, *parser.Request) {
	s.env.scratch = parser.AppendInt(s.env.scratch[:0], int64(s.ID()))
	s.answer(s.env.scratch)
}

func (s *Session) clientGetName(*command.Spec, *parser.Request) {
	if s.ident == nil || s.ident.name == "" {
		s.env.scratch = parser.AppendNull(s.env.scratch[:0], int(s.proto))
		s.answer(s.env.scratch)
		return
	}
	s.answerBulk([]byte(s.ident.name))
}

func (s *Session) clientSetName(spec *command.Spec, req *parser.Request) {
	if text := badName(req.Args[2]); text != "" {
		s.refuse(text)
		return
	}
	s.identity().name = string(req.Args[2])
	s.answerString("+OK\r\n")
}

// clientSetInfo takes what Redis 7.2 and later take. Clients send it unasked when they connect.
func (s *Session) clientSetInfo(spec *command.Spec, req *parser.Request) {
	attr, value := req.Args[2], req.Args[3]
	var field *string
	switch {
	case bytes.EqualFold(attr, []byte("lib-name")):
		field = &s.identity().libName
	case bytes.EqualFold(attr, []byte("lib-ver")):
		field = &s.identity().libVersion
	default:
		s.refuse(unknownOption(attr))
		return
	}
	if len(value) > maxName {
		s.refuse(errLongName)
		return
	}
	if !printable(value) {
		s.refuse(badInfo(attr))
		return
	}
	*field = string(value)
	s.answerString("+OK\r\n")
}

// clientCapa takes what Valkey 8.0 and later take, which is anything. The proxy follows redirects itself.
func (s *Session) clientCapa(spec *command.Spec, req *parser.Request) {
	if !s.env.valkey(8) {
		s.refuse(unknownSubcommand(s.env.shownName(req.Args[0]), req.Args[1]))
		return
	}
	s.answerString("+OK\r\n")
}

// maxName bounds a client's name, bytes; Redis has no bound.
const maxName = 4096

// badName says why a client can't have a name; "": it can.
func badName(b []byte) (text string) {
	switch {
	case !printable(b):
		return errClientName
	case len(b) > maxName:
		return errLongName
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

func (s *Session) identity() *identity {
	if s.ident == nil {
		s.ident = &identity{}
	}
	return s.ident
}
