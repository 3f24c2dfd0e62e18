package respclient

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"ringmaster/parser"
)

// errClosed says that the server closed the connection.
var errClosed = errors.New("the server closed the connection")

// alert is the beginning of a TLS server's answer to plain text: a record of the kind alert, version 3.x.
const alert = "\x15\x03"

// notRESP is the text that a server sent instead of a reply.
type notRESP struct{ sent string }

func (e *notRESP) Error() string { return fmt.Sprintf("%v: %.40q", parser.ErrNotRESP, e.sent) }
func (e *notRESP) Unwrap() error { return parser.ErrNotRESP }

// plain returns err without the addresses and calls that net puts before the system's reason, because callers name
// the server.
func plain(err error) error {
	var number syscall.Errno
	if errors.As(err, &number) && !number.Timeout() {
		return number
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns
	}
	return err
}

// greeted adds to the error of a login what it may mean that the server closed the connection.
func greeted(err error) error {
	var sent *notRESP
	tls := errors.As(err, &sent) && strings.HasPrefix(sent.sent, alert)
	switch {
	case tls:
		return errors.New("it wants TLS, which ringmaster does not speak to servers; give its port without TLS")
	case errors.Is(err, errClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("%w during the greeting; if it wants TLS, give its port without TLS, because ringmaster speaks plain TCP to servers", plain(err))
	}
	return err
}
