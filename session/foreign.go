package session

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/session/texts"
	"ringmaster/stats"
)

// Clients of other protocols come to the port by mistake, and attackers make browsers and servers send HTTP there whose body
// is commands. All of it ends where a request is refused anyway, so that looking for it costs other requests nothing.

// Foreign looks at a request whose command nobody knows. true: it is a word of HTTP that Redis closes for since 3.2.7, and the client is closed
// without a reply. Redis also drops the replies to what the client sent just before.
func (s *Session) Foreign(args [][]byte) bool {
	word := texts.Quoted(args[0], len(args[0])) // Redis compares up to a NUL
	if bytes.EqualFold(word, []byte("post")) || bytes.EqualFold(word, []byte("host:")) {
		s.Report(CrossProtocol, nil)
		s.Close(stats.CrossProtocol)
		return true
	}
	s.foreignBytes(word)
	s.ForeignLine(args)
	return false
}

// ForeignLine looks whether a request that is refused is the first line of an HTTP request.
func (s *Session) ForeignLine(args [][]byte) {
	if len(args) == 3 && bytes.HasPrefix(args[2], []byte("HTTP/")) {
		s.Report(SpokeHTTP, nil)
	}
}

// tlsHandshake begins a record of a TLS handshake: its type, and the first byte of every version.
const tlsHandshake = "\x16\x03"

// foreignBytes looks whether a client's first bytes are those of a TLS handshake. Redis waits for the end of its line.
func (s *Session) foreignBytes(b []byte) {
	if s.LastID == command.NoID && len(b) >= len(tlsHandshake) && string(b[:len(tlsHandshake)]) == tlsHandshake {
		s.Report(SpokeTLS, nil)
	}
}

// Report hands a notice on, if anybody wants to know.
func (s *Session) Report(kind NoticeKind, user []byte) {
	if s.Door.Notify == nil {
		return
	}
	remote, _ := s.Socket.Addr()
	s.Door.Notify(Notice{Kind: kind, Client: remote, User: shownUser(user)})
}
