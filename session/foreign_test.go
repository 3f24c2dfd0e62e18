package session_test

import (
	"slices"
	"testing"

	"ringmaster/session"
	"ringmaster/session/texts"
)

// TestForeignProtocolsAreNoticed sends what clients of other protocols say first, in one piece and byte by byte.
func TestForeignProtocolsAreNoticed(t *testing.T) {
	for _, c := range []struct {
		name, bytes string
		want        []session.NoticeKind
	}{
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", []session.NoticeKind{session.SpokeTLS}},
		{"TLS with a line feed in its length", "\x16\x03\x03\x01\n\x01\x00\x01\x06", []session.NoticeKind{session.SpokeTLS}},
		{"GET", "GET / HTTP/1.1\r\n", []session.NoticeKind{session.SpokeHTTP}},
		{"GET and Host", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", []session.NoticeKind{session.SpokeHTTP, session.CrossProtocol}},
		{"OPTIONS", "OPTIONS * HTTP/1.0\r\n", []session.NoticeKind{session.SpokeHTTP}},
		{"PUT", "PUT /a HTTP/1.1\r\n", []session.NoticeKind{session.SpokeHTTP}},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []session.NoticeKind{session.SpokeHTTP}},
		{"POST", "POST / HTTP/1.1\r\n", []session.NoticeKind{session.CrossProtocol}},
		{"RESP", "*1\r\n$4\r\nPING\r\n", nil},
		{"inline", "PING\r\nGET\r\nNOSUCH HTTP/1.1\r\n", nil},
		{"TLS bytes as a later request", "PING\r\n\x16\x03\x01\r\n", nil},
	} {
		for _, size := range []int{len(c.bytes), 1} {
			for _, password := range [][]string{nil, {"secret"}} {
				set := defaults()
				set.passwords = password
				w := newWorld(t, set)
				var got []session.NoticeKind
				w.env.Notify = func(n session.Notice) {
					if n.Client != "192.0.2.1:1000" {
						t.Errorf("%s: noticed of %q", c.name, n.Client)
					}
					if !slices.Contains(got, n.Kind) { // each address is named once
						got = append(got, n.Kind)
					}
				}
				a := w.connect("a")
				for b := []byte(c.bytes); len(b) > 0; b = b[min(size, len(b)):] {
					if a.closed {
						break
					}
					a.send(b[:min(size, len(b))])
					w.settle()
				}
				if c.name == "TLS bytes as a later request" && password != nil {
					continue // a client that has not logged in has given no command
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("%s, %d bytes at a time, password %v: noticed %v, want %v", c.name, size, password, got, c.want)
				}
			}
		}
	}
}

func TestUserNamesInNoticesAreShortAndPrintable(t *testing.T) {
	long := make([]byte, 1000)
	for i := range long {
		long[i] = 'a'
	}
	for _, c := range []struct{ in, want string }{
		{"joe", "joe"}, {"", ""}, {"a\r\nlevel=ERROR\x1b[31m\xff", "a??level=ERROR?[31m?"},
		{string(long), string(long[:texts.MaxShownUser]) + "..."},
	} {
		if got := texts.ShownUser([]byte(c.in)); got != c.want {
			t.Errorf("%q: %q", c.in, got)
		}
	}
}
