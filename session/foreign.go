package session

import (
	"ringmaster/command"
	"ringmaster/session/texts"
)

// tlsHandshake begins a record of a TLS handshake: its type, and the first byte of every version.
const tlsHandshake = "\x16\x03"

// ReportTLS reports a client whose first bytes, b, begin a TLS handshake. Redis waits for the end of their line. Borrows b until return.
func ReportTLS(s *Session, b []byte) {
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
	s.Door.Notify(Notice{Kind: kind, Client: remote, User: texts.ShownUser(user)})
}
