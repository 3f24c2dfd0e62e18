package dispatch

import (
	"bytes"

	"ringmaster/session"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// Clients of other protocols come to the port by mistake, and attackers make browsers and servers send HTTP to it with commands in the
// body. The proxy looks for that only where it refuses a request anyway, so that it costs other requests nothing.

// closesForeign looks at a request whose command does not exist. true: it is a word of HTTP for which Redis closes the client since 3.2.7, so
// the client is closed without a reply. Redis also drops the replies to what the client sent just before.
func closesForeign(s *session.Session, args [][]byte) bool {
	word := texts.Quoted(args[0], len(args[0])) // Redis compares up to a NUL
	if bytes.EqualFold(word, []byte("post")) || bytes.EqualFold(word, []byte("host:")) {
		s.Report(session.CrossProtocol, nil)
		s.Close(stats.CrossProtocol)
		return true
	}
	session.ReportTLS(s, word)
	reportHTTP(s, args)
	return false
}

// reportHTTP reports a client whose refused request is the first line of an HTTP request.
func reportHTTP(s *session.Session, args [][]byte) {
	if len(args) == 3 && bytes.HasPrefix(args[2], []byte("HTTP/")) {
		s.Report(session.SpokeHTTP, nil)
	}
}
