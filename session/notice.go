package session

import "strings"

// NoticeKind is what was noticed about a client.
type NoticeKind uint8

// The kinds.
const (
	CrossProtocol NoticeKind  = iota // it said POST or Host: and was closed
	SpokeTLS                         // its first bytes are those of a TLS handshake
	SpokeHTTP                        // it said a line such as GET / HTTP/1.1
	LoginFailed                      // it gave a wrong user name or password
	NoticeKinds   = int(iota)        // how many there are
)

// Notice is something about a client that operators should read. The receiver bounds how often it is logged.
type Notice struct {
	Kind   NoticeKind
	Client string // its address
	User   string // of LoginFailed: the name that it gave, fit to be printed
}

// maxShownUser bounds how much of a user name that a client gave is shown, bytes.
const maxShownUser = 64

// shownUser is b with a ? for each byte that is not printable ASCII, cut at maxShownUser.
func shownUser(b []byte) string {
	var text strings.Builder
	for _, c := range b[:min(len(b), maxShownUser)] {
		if c < ' ' || c > '~' {
			c = '?'
		}
		text.WriteByte(c)
	}
	if len(b) > maxShownUser {
		text.WriteString("...")
	}
	return text.String()
}
