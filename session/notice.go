package session

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
