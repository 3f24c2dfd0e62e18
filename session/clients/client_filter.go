package clients

import (
	"bytes"
	"strings"

	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// filter is what CLIENT LIST and CLIENT KILL select clients by. A word may be empty and then matches no client, so a
// field beside it says whether it was given.
type filter struct {
	id          uint64 // 0: any
	kind        kindOfClient
	addr, laddr choice
	maxAge      int64  // seconds; 0: any
	skip        uint64 // 0: nobody
	until       uint64 // the first ID that is too new
}

// choice is a word that an option may give.
type choice struct {
	word string
	set  bool
}

func chosen(word []byte) choice { return choice{string(word), true} }

func (c choice) match(word string) bool { return !c.set || c.word == word }

// kindOfClient is a client's TYPE in CLIENT LIST and CLIENT KILL.
type kindOfClient uint8

const (
	anyKind kindOfClient = iota
	normalKind
	masterKind // no client is one
	replicaKind
	pubsubKind
)

func kindOf(s *session.Session) kindOfClient {
	switch {
	case s.Pin != nil && s.Pin.Tunnel:
		return replicaKind
	case s.Subscriptions != nil:
		return pubsubKind
	}
	return normalKind
}

var kindNames = map[string]kindOfClient{
	"normal": normalKind, "master": masterKind, "replica": replicaKind, "slave": replicaKind, "pubsub": pubsubKind,
}

func (f *filter) match(s *session.Session) bool {
	if s.EOF || s.ID() == f.skip || f.id != 0 && f.id != s.ID() || f.kind != anyKind && f.kind != kindOf(s) ||
		f.maxAge != 0 && age(s.Door.Env, s.OpenedAt) < f.maxAge {
		return false
	}
	if !f.addr.set && !f.laddr.set {
		return true
	}
	remote, local := s.Socket.Addr()
	return f.addr.match(remote) && f.laddr.match(local)
}

// from returns the first ID that can match, and upTo the first one after all that can.
func (f *filter) from() uint64 { return f.id }

func (f *filter) upTo() uint64 {
	if f.id != 0 {
		return min(f.until, f.id+1)
	}
	return f.until
}

// cString returns what C's string functions see of a word: all before a NUL. Redis uses strcmp where this is used.
func cString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

func (f *filter) setKind(word []byte) (text string) {
	if f.kind = kindNames[strings.ToLower(string(cString(word)))]; f.kind == anyKind {
		return texts.UnknownClientType(word)
	}
	return ""
}

// parse reads the options of CLIENT KILL (Redis 7.0 and 8.2, networking.c) and returns the text of the first error, or
// "". The last of two equal options counts.
func (f *filter) parse(env *session.Env, args [][]byte, self uint64) (text string) {
	for ; len(args) > 0; args = args[2:] {
		if len(args) == 1 {
			return texts.Syntax
		}
		value := args[1]
		switch option := strings.ToLower(string(cString(args[0]))); {
		case option == "id":
			n, ok := parser.Int(value)
			if !ok || n <= 0 {
				return texts.ClientIDRange
			}
			f.id = uint64(n)
		case option == "type":
			if text := f.setKind(value); text != "" {
				return text
			}
		case option == "addr":
			f.addr = chosen(cString(value))
		case option == "laddr":
			f.laddr = chosen(cString(value))
		case option == "user":
			if string(value) != "default" {
				return texts.NoSuchUser(value)
			}
		case option == "maxage" && env.ServerIs(7, 4):
			n, ok := parser.Int(value)
			if !ok {
				return texts.MaxAge
			}
			if n <= 0 {
				return texts.MaxAgeRange
			}
			f.maxAge = n
		case option == "skipme":
			switch strings.ToLower(string(cString(value))) {
			case "yes":
				f.skip = self
			case "no":
				f.skip = 0
			default:
				return texts.Syntax
			}
		default:
			return texts.Syntax
		}
	}
	return ""
}
