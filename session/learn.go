package session

import (
	"bytes"
	"strings"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
)

// A command that the table does not know, such as a module's, is asked of the servers once (COMMAND INFO) and
// then routed like any other.
const (
	// maxLearned bounds the names that a loop remembers: else a client that makes names up could fill memory.
	maxLearned = 1024
	// forgetUnknown is how long a name that no server knows is not asked for again, ns: a module may be loaded.
	forgetUnknown = 10e9
	// maxLearnName bounds the name of a command that servers are asked for, bytes.
	maxLearnName = 128
	// maxInfoReply bounds what a server may say of one command, bytes, and maxInfoDepth how deep.
	maxInfoReply = 1 << 20
	maxInfoDepth = 16
)

// learned is what servers have said of one name.
type learned struct {
	spec *command.Spec // nil: there is no such command
	subs map[string]*command.Spec
	at   int64
}

// otherID is the ID of learned commands: behind those of the table.
var otherID = uint16(len(command.All()))

// lookupLearned finds a command among those learned; ask: it must be asked for first.
func (s *Session) lookupLearned(args [][]byte) (spec *command.Spec, ask bool) {
	e := s.env
	if len(args[0]) > maxLearnName || !plausible(args[0]) {
		return nil, false
	}
	var name, sub [maxLearnName]byte
	l := e.learned[string(lower(&name, args[0]))] // looking up allocates nothing
	switch {
	case l == nil:
		return nil, len(e.learned) < maxLearned || e.forgetOld()
	case l.spec == nil:
		return nil, e.Pool.Now-l.at > forgetUnknown
	case l.subs != nil && len(args) > 1:
		return l.subs[string(lower(&sub, args[1]))], false
	}
	return l.spec, false
}

// lower is word in small letters, in buf; what does not fit is no name that was learnt.
func lower(buf *[maxLearnName]byte, word []byte) []byte {
	if len(word) > len(buf) {
		return nil
	}
	n := copy(buf[:], word)
	for i, c := range buf[:n] {
		if c >= 'A' && c <= 'Z' {
			buf[i] = c + 'a' - 'A'
		}
	}
	return buf[:n]
}

// plausible reports whether a command could be called so.
func plausible(name []byte) bool {
	for _, c := range name {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return len(name) > 0
}

// forgetOld makes room among the names that no server knew; false: there is none.
func (e *Env) forgetOld() bool {
	for name, l := range e.learned {
		if l.spec == nil && e.Pool.Now-l.at > forgetUnknown {
			delete(e.learned, name)
		}
	}
	return len(e.learned) < maxLearned
}

// learning is the passage of a command that a server is asked for.
type learning struct {
	raw   []byte
	name  string
	s     *Session // nil: cancelled
	env   *Env
	asked bool
	done  bool
	reply []byte
	fail  *pool.Failure
}

// discover asks the first server for the command and then dispatches the request again.
func (s *Session) discover(req *parser.Request) {
	s.begin(&learning{raw: bytes.Clone(req.Raw), name: strings.ToLower(string(req.Args[0])), env: s.env})
}

func (l *learning) step(s *Session) {
	if !l.asked {
		if s.Owed() > 0 {
			return
		}
		l.s, l.asked = s, true
		raw := appendRequest(nil, "COMMAND", "INFO", l.name)
		if f := s.rings.Pick(s.anyServer(), s.seat).Enqueue(raw, l, 0, pool.Part); f != nil {
			l.done, l.fail = true, f
		}
	}
	if !l.done {
		return
	}
	s.endPassage()
	l.s = nil
	if s.tx != nil && (l.fail != nil || l.reply[0] == '-') {
		s.tx.aborted = true
	}
	if l.fail == nil && l.reply[0] == '-' {
		s.answer(l.reply)
		return
	}
	if l.fail != nil {
		s.env.scratch = appendFailure(s.env.scratch[:0], l.fail, s.env)
		s.answer(s.env.scratch)
		return
	}
	var p parser.RequestParser
	var req parser.Request
	if ok, err := p.Next(l.raw, &s.env.Config.Limits, &req); ok && err == nil {
		s.dispatch(&req)
	}
}

func (l *learning) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	l.s = nil
	return true
}

// Reply is pool.Receiver.
func (l *learning) Reply(_ uint64, b []byte, p pool.Piece) {
	if len(l.reply)+len(b) <= maxInfoReply {
		l.reply = append(l.reply, b...)
	}
	if p&pool.Last != 0 {
		if l.reply[0] != '-' { // LOADING or the like passes
			l.env.remember(l.name, l.reply)
		}
		l.end(nil)
	}
}

// Fail is pool.Receiver.
func (l *learning) Fail(_ uint64, f *pool.Failure) {
	g := *f
	g.Sent = false // the question may have been, the command was not
	l.end(&g)
}

func (l *learning) end(f *pool.Failure) {
	l.done, l.fail = true, f
	if l.s != nil {
		l.s.resumeLater()
	}
}

// remember takes what a server says of a command.
func (e *Env) remember(name string, reply []byte) {
	if e.learned == nil {
		e.learned = map[string]*learned{}
	}
	l := &learned{at: e.Pool.Now}
	e.learned[name] = l
	value, rest, ok := decode(reply, maxInfoDepth)
	if !ok || len(rest) > 0 {
		return
	}
	infos, err := command.ParseInfo(value)
	if err != nil || len(infos) == 0 {
		return // a renamed command is described under its old name
	}
	for i, info := range infos {
		spec := command.NewSpec(info)
		spec.ID = otherID
		plain := spec.Find == command.FindRange && spec.FirstKey == 1 && spec.LastKey == -1 && spec.Step >= 1 && spec.Step <= 2
		if spec.Class == command.ClassSplit && !plain {
			spec.Class = command.ClassSameShard // how to take it apart is not known
		}
		if i == 0 {
			l.spec = &spec
			continue
		}
		if l.subs == nil {
			l.subs = map[string]*command.Spec{}
		}
		_, sub, _ := strings.Cut(info.Name, "|")
		l.subs[sub] = &spec
	}
}

// decode makes a tree of a reply: strings, integers, nil, and lists, into which maps and sets are flattened.
func decode(b []byte, depth int) (v any, rest []byte, ok bool) {
	end := parser.LineEnd(b)
	if depth == 0 || end < 3 {
		return nil, nil, false
	}
	line, rest := b[1:end-2], b[end:]
	switch b[0] {
	case '+':
		return string(line), rest, true
	case '_':
		return nil, rest, true
	}
	n, ok := parser.Int(line)
	if !ok {
		return nil, nil, false
	}
	switch b[0] {
	case ':':
		return n, rest, true
	case '$':
		if n < 0 {
			return nil, rest, true
		}
		if n > int64(len(rest))-2 {
			return nil, nil, false
		}
		return string(rest[:n]), rest[n+2:], true
	case '*', '~', '%':
		if n < 0 {
			return nil, rest, true
		}
		if b[0] == '%' {
			n *= 2
		}
		if n > int64(len(rest)) {
			return nil, nil, false
		}
		list := make([]any, 0, n)
		for range n {
			var e any
			if e, rest, ok = decode(rest, depth-1); !ok {
				return nil, nil, false
			}
			list = append(list, e)
		}
		return list, rest, true
	}
	return nil, nil, false
}

// classOf is how a command is routed here.
func (e *Env) classOf(spec *command.Spec) command.Class {
	if spec.ID == otherID {
		return spec.Class
	}
	return e.class[spec.ID]
}
