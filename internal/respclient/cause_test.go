package respclient

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

func TestErrorsOfADialSayWhatHappened(t *testing.T) {
	closing := testkit.NewFakeShard(t, func(int, *testkit.Conn) {}) // closes each connection
	alerting := testkit.NewFakeShard(t, func(_ int, c *testkit.Conn) {
		if _, err := c.ReadRequest(); err == nil {
			_ = c.SendBytes([]byte("\x15\x03\x01\x00\x02\x02\x46"))
			_, _ = c.ReadRequest()
		}
	})
	for name, c := range map[string]struct{ addr, want string }{
		"nobody listens": {testkit.Loopback(testkit.FreePort(t)), "connection refused"},
		"closes":         {closing.Addr, "during the greeting; if it wants TLS, give its port without TLS"},
		"an alert":       {alerting.Addr, "it wants TLS, which ringmaster does not speak to servers"},
		"speaks TLS":     {tlsServer(t), "TLS"},
	} {
		conn, err := Dial(t.Context(), c.addr, Options{Timeout: 5 * time.Second})
		if err == nil {
			conn.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), c.addr) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// tlsServer returns the address of a server that speaks only TLS.
func tlsServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = tls.Server(conn, &tls.Config{}).Handshake()
			conn.Close()
		}
	}()
	return l.Addr().String()
}
