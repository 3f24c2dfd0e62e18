package tracking

import (
	"slices"
	"strings"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// caching is CLIENT CACHING. The word is kept for the servers that the next command goes to. At other servers it would
// count for a later command.
func caching(s *session.Session, req *parser.Request) {
	t := StateOf(s.Pin)
	word := strings.ToUpper(string(req.Args[2]))
	switch {
	case t == nil || !t.On:
		s.Refuse(texts.NotTracking)
	case word == "YES" && !t.optIn:
		s.Refuse(texts.CachingYes)
	case word == "NO" && !t.optOut:
		s.Refuse(texts.CachingNo)
	case word != "YES" && word != "NO":
		s.Refuse(texts.Syntax)
	default:
		t.Caching, t.cachingTold, t.cachingSpent = word, t.cachingTold[:0], false
		s.AnswerString("+OK\r\n")
	}
}

// tellCaching sends the word to a server that is about to get the next command.
func (t *State) tellCaching(server int, c *pool.Conn) {
	if t.Caching != "" && !slices.Contains(t.cachingTold, server) {
		t.cachingTold = append(t.cachingTold, server)
		_ = c.Tell("CLIENT", "CACHING", t.Caching)
	}
}

// ClearCaching ends the effect of CLIENT CACHING, after the next command other than CLIENT, or after EXEC. A command
// that waits to be sent keeps it until then.
func (t *State) ClearCaching(s *session.Session) {
	switch {
	case s.Transaction != nil:
	case s.HeldUp():
		t.cachingSpent = true
	default:
		t.Caching = ""
	}
}

// ClearSpentCaching ends the effect if the command that it was for has been sent since.
func (t *State) ClearSpentCaching() {
	if t.cachingSpent {
		t.cachingSpent, t.Caching = false, ""
	}
}
