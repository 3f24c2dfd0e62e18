package session

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/stats"
)

// askLoops runs question on every loop, this one included, and gives all answers to done.
func (e *Env) askLoops(question func(*Env) any, done func(answers []any)) {
	e.askLoopsFor(e.asking, question, done)
}

// askLoopsFor is askLoops for a client, which is closed if done panics; nil: for nobody alone.
func (e *Env) askLoopsFor(client *Session, question func(*Env) any, done func(answers []any)) {
	own := question(e)
	if e.Peers == nil {
		done([]any{own})
		return
	}
	e.askOthers(client, question, func(answers []any) { done(append(answers, own)) })
}

// askOthers is askLoopsFor without this loop.
func (e *Env) askOthers(client *Session, question func(*Env) any, done func(answers []any)) {
	if client == nil {
		e.Peers.Ask(question, done)
		return
	}
	e.Peers.Ask(question, func(answers []any) {
		defer client.guard()
		done(answers)
	})
}

// each calls f for every session of the loop.
func (e *Env) each(f func(*Session)) {
	if e.Sessions != nil {
		e.Sessions(f)
	}
}

// filter is what CLIENT LIST and CLIENT KILL choose clients by.
type filter struct {
	ids         []uint64
	kind        string // normal, pubsub; others match nobody
	addr, laddr string
	user        string
	maxAge      int64 // seconds; 0: any
	skip        uint64
}

func (f *filter) match(s *Session) bool {
	if s.state == closed || s.id == f.skip {
		return false
	}
	remote, local := s.sock.Addr()
	kind := "normal"
	if s.subs != nil {
		kind = "pubsub"
	}
	return (f.ids == nil || slices.Contains(f.ids, s.id)) && (f.kind == "" || f.kind == kind) &&
		(f.addr == "" || f.addr == remote) && (f.laddr == "" || f.laddr == local) &&
		(f.user == "" || f.user == "default") && (f.maxAge == 0 || s.env.age(s.opened) >= f.maxAge)
}

// clientKinds are the types that Redis knows.
var clientKinds = []string{"normal", "master", "replica", "slave", "pubsub"}

func (f *filter) setKind(word []byte) (text string) {
	f.kind = strings.ToLower(string(word))
	if !slices.Contains(clientKinds, f.kind) {
		return unknownClientType(word)
	}
	return ""
}

// clientList is CLIENT LIST [TYPE type] [ID id ...].
func (s *Session) clientList(spec *command.Spec, req *parser.Request) {
	var f filter
	switch args := req.Args[2:]; {
	case len(args) == 0:
	case len(args) == 2 && bytes.EqualFold(args[0], []byte("type")):
		if text := f.setKind(args[1]); text != "" {
			s.deny(spec, text)
			return
		}
	case len(args) > 1 && bytes.EqualFold(args[0], []byte("id")):
		for _, a := range args[1:] {
			n, ok := parser.Int(a)
			if !ok || n <= 0 {
				s.deny(spec, errClientID)
				return
			}
			f.ids = append(f.ids, uint64(n))
		}
	default:
		s.deny(spec, errSyntax)
		return
	}
	tag := s.expect(0)
	s.env.askLoops(func(e *Env) any { return e.describeAll(&f) }, func(answers []any) {
		var all []described
		for _, a := range answers {
			all = append(all, a.([]described)...)
		}
		slices.SortFunc(all, func(a, b described) int { return int(int64(a.id) - int64(b.id)) })
		var text []byte
		for _, d := range all {
			text = append(text, d.line...)
		}
		s.Reply(tag, appendVerbatim(nil, s.proto, text), pool.Whole)
	})
}

// described is one client's line.
type described struct {
	id   uint64
	line string
}

func (e *Env) describeAll(f *filter) (lines []described) {
	e.each(func(s *Session) {
		if f.match(s) {
			lines = append(lines, described{s.id, s.describe()})
		}
	})
	return lines
}

// clientKill is CLIENT KILL addr, or CLIENT KILL with filters.
func (s *Session) clientKill(spec *command.Spec, req *parser.Request) {
	args := req.Args[2:]
	f := filter{skip: s.id}
	old := len(args) == 1
	if old {
		f.addr, f.skip = string(args[0]), 0
	} else if text := f.parse(args, s.id); text != "" {
		s.deny(spec, text)
		return
	}
	tag := s.expect(0)
	own := s.env
	self := f.match(s)
	f2 := f
	f2.skip = s.id // the one who asks gets its answer first
	own.askLoops(func(e *Env) any { return e.kill(&f2) }, func(answers []any) {
		killed := 0
		for _, a := range answers {
			killed += a.(int)
		}
		if self {
			killed++
		}
		own.scratch = parser.AppendInt(own.scratch[:0], int64(killed))
		if old {
			own.scratch = append(own.scratch[:0], "+OK\r\n"...)
			if killed == 0 {
				own.scratch = parser.AppendError(own.scratch[:0], errNoClient)
			}
		}
		s.Reply(tag, own.scratch, pool.Whole)
		if self {
			s.closeAs(stats.Killed)
		}
	})
}

// parse reads the filters of CLIENT KILL (Redis 7.0, networking.c).
func (f *filter) parse(args [][]byte, self uint64) (text string) {
	if len(args)%2 != 0 {
		return errSyntax
	}
	for ; len(args) > 0; args = args[2:] {
		value := args[1]
		switch strings.ToLower(string(args[0])) {
		case "id":
			n, ok := parser.Int(value)
			if !ok || n <= 0 {
				return errClientIDRange
			}
			f.ids = append(f.ids, uint64(n))
		case "type":
			if text := f.setKind(value); text != "" {
				return text
			}
		case "addr":
			f.addr = string(value)
		case "laddr":
			f.laddr = string(value)
		case "user":
			if f.user = string(value); f.user != "default" {
				return noSuchUser(f.user)
			}
		case "maxage":
			n, ok := parser.Int(value)
			if !ok {
				return errMaxAge
			}
			if n <= 0 {
				return errMaxAgeRange
			}
			f.maxAge = n
		case "skipme":
			switch strings.ToLower(string(value)) {
			case "yes":
				f.skip = self
			case "no":
				f.skip = 0
			default:
				return errSyntax
			}
		default:
			return errSyntax
		}
	}
	return ""
}

func (e *Env) kill(f *filter) (n int) {
	var victims []*Session
	e.each(func(s *Session) {
		if f.match(s) {
			victims = append(victims, s)
		}
	})
	for _, s := range victims {
		s.close(stats.Killed)
	}
	return len(victims)
}

// clientUnblock is CLIENT UNBLOCK id [TIMEOUT|ERROR]: the server of the blocked client is told, by the number
// that it gave to the client's own connection.
func (s *Session) clientUnblock(spec *command.Spec, req *parser.Request) {
	how := "TIMEOUT"
	if len(req.Args) == 4 {
		if how = strings.ToUpper(string(req.Args[3])); how != "TIMEOUT" && how != "ERROR" {
			s.deny(spec, errUnblockReason)
			return
		}
	}
	id, ok := parser.Int(req.Args[2])
	if !ok || len(req.Args) > 4 {
		s.deny(spec, errNotInteger)
		return
	}
	tag := s.expect(0)
	s.env.askLoops(func(e *Env) any { return e.unblock(uint64(id), how) }, func(answers []any) {
		found := slices.Contains(answers, any(true))
		s.Reply(tag, []byte(map[bool]string{true: ":1\r\n", false: ":0\r\n"}[found]), pool.Whole)
	})
}

func (e *Env) unblock(id uint64, how string) (found bool) {
	e.each(func(s *Session) {
		if s.id != id || !s.Blocked() || e.paused() {
			return // Redis 7.0 dies of UNBLOCK for a client that CLIENT PAUSE keeps waiting
		}
		for _, o := range s.pin.owns {
			if o.conn != nil && o.conn.ServerID() > 0 {
				found = true
				s.pin.soiled = true // the word may reach the server when the client has gone on
				_ = s.rings.Pick(o.server, s.seat).Tell("CLIENT", "UNBLOCK", strconv.FormatInt(o.conn.ServerID(), 10), how)
			}
		}
	})
	return found
}

// mute is which replies the client does not want.
type mute uint8

const (
	heard    mute = iota
	skipNext      // not the next command's
	silent        // none
)

// clientReply is CLIENT REPLY ON|OFF|SKIP. It is never sent on: on a shared connection it would swallow
// other clients' replies.
func (s *Session) clientReply(spec *command.Spec, req *parser.Request) {
	switch strings.ToLower(string(req.Args[2])) {
	case "on":
		s.mute = heard
		s.answerString("+OK\r\n")
	case "off":
		s.mute = silent
	case "skip":
		if s.mute != silent {
			s.mute = skipNext
		}
	default:
		s.deny(spec, errSyntax)
	}
}

// aclWhoAmI is ACL WHOAMI: the proxy's users are its own.
func (s *Session) aclWhoAmI(*command.Spec, *parser.Request) { s.answerBulk([]byte("default")) }

func appendVerbatim(b []byte, proto uint8, text []byte) []byte {
	if proto != 3 {
		return parser.AppendBulk(b, text)
	}
	b = append(b, '=')
	b = strconv.AppendInt(b, int64(len(text)+4), 10)
	b = append(b, "\r\ntxt:"...)
	b = append(b, text...)
	return append(b, "\r\n"...)
}
