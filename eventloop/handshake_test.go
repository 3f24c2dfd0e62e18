package eventloop

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/stats"
)

// silent connects n clients that say nothing.
func silent(t *testing.T, p *proxy, n int) (all []*testkit.Conn) {
	t.Helper()
	for range n {
		all = append(all, testkit.Dial(t, p.addr(0)))
	}
	return all
}

// untilSilent waits until n handshakes wait for their clients.
func (p *proxy) untilSilent(n int) {
	p.t.Helper()
	testkit.Until(p.t, "handshakes wait", func() bool {
		p.handshakes.mu.Lock()
		defer p.handshakes.mu.Unlock()
		return p.handshakes.silent.Len() == n
	})
}

func TestASlowHandshakeHoldsUpNobody(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	p := start(t, cfg)
	slow := silent(t, p, 5)
	slow[0].Send("\x16\x03\x01") // the beginning of a record
	p.untilSilent(5)
	c := testkit.DialTLS(t, p.addr(0), dial)
	if got := c.Do("GET", "red"); got != bulk("red") {
		t.Errorf("%q", got)
	}
}

// TestSilentClientsMakeRoom: when all places are taken, the client that has been silent longest is closed.
func TestSilentClientsMakeRoom(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	cfg.MaxHandshakes, cfg.HandshakeTimeout = 2, time.Hour
	p := start(t, cfg)
	first := testkit.Dial(t, p.addr(0))
	p.untilSilent(1)
	second := testkit.Dial(t, p.addr(0))
	p.untilSilent(2)
	c := testkit.DialTLS(t, p.addr(0), dial)
	if got := c.Do("GET", "red"); got != bulk("red") {
		t.Errorf("%q", got)
	}
	if _, err := first.Rest(); err != nil {
		t.Errorf("the first silent client: %v", err)
	}
	p.untilShaken(stats.TLSCrowded, 1)
	p.untilSilent(1)
	second.Close()
	p.untilShaken(stats.TLSClosed, 1)
}

func TestAHandshakeThatTakesTooLongIsEnded(t *testing.T) {
	cfg, _ := secured(t, echoing(t).Addr)
	cfg.HandshakeTimeout = 20 * time.Millisecond
	p := start(t, cfg)
	c := testkit.Dial(t, p.addr(0))
	if got, err := c.Rest(); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.untilShaken(stats.TLSTimeout, 1)
}

func TestShutdownDoesNotWaitForHandshakes(t *testing.T) {
	cfg, _ := secured(t, echoing(t).Addr)
	cfg.HandshakeTimeout = time.Hour
	p := start(t, cfg)
	c := silent(t, p, 1)[0]
	p.untilSilent(1)
	if err := p.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if got, err := c.Rest(); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	p.untilShaken(stats.TLSStopped, 1)
}

func TestATLSClientOverMaxClientsIsClosedWithoutAWord(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	cfg.MaxClients = 1
	p := start(t, cfg)
	testkit.DialTLS(t, p.addr(0), dial)
	c := testkit.Dial(t, p.addr(0))
	if got, err := c.Rest(); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if n := p.refused.Load(); n != 1 {
		t.Errorf("%d refused", n)
	}
}

// dialError dials, and returns the error of the handshake or of the first command. A client of TLS 1.3 believes that
// its handshake is over before the proxy has seen its certificate.
func dialError(t *testing.T, addr string, cfg *tls.Config) error {
	t.Helper()
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	c := testkit.NewConn(tls.Client(raw, cfg))
	_, err = c.Call("PING")
	return err
}

func TestClientsThatDoNotTrustTheProxyAreCounted(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		cfg, dial := secured(t, echoing(t).Addr)
		dial.MaxVersion, dial.RootCAs = version, testkit.NewCA(t).Pool
		p := start(t, cfg)
		var unknown x509.UnknownAuthorityError
		if err := dialError(t, p.addr(0), dial); !errors.As(err, &unknown) {
			t.Errorf("%v", err)
		}
		p.untilShaken(stats.TLSRefused, 1)
	})
}

func TestClientsWithNoVersionInCommonAreCounted(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	cfg.Listeners[0].TLS.MinVersion = tls.VersionTLS13
	dial.MaxVersion = tls.VersionTLS12
	p := start(t, cfg)
	if err := dialError(t, p.addr(0), dial); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("%v", err)
	}
	p.untilShaken(stats.TLSProtocol, 1)
}

func TestCertificatesOfClients(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		ours, other := testkit.NewCA(t), testkit.NewCA(t)
		for _, c := range []struct {
			auth   tls.ClientAuthType
			has    *testkit.CA
			served bool
		}{
			{tls.NoClientCert, nil, true}, {tls.NoClientCert, ours, true},
			{tls.VerifyClientCertIfGiven, nil, true}, {tls.VerifyClientCertIfGiven, ours, true}, {tls.VerifyClientCertIfGiven, other, false},
			{tls.RequireAndVerifyClientCert, nil, false}, {tls.RequireAndVerifyClientCert, ours, true}, {tls.RequireAndVerifyClientCert, other, false},
		} {
			cfg, dial := secured(t, echoing(t).Addr)
			cfg.Listeners[0].TLS.ClientAuth, cfg.Listeners[0].TLS.ClientCAs = c.auth, ours.Pool
			dial.MaxVersion = version
			if c.has != nil {
				cert := c.has.Issue("app").Certificate
				dial.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
			}
			p := start(t, cfg)
			if err := dialError(t, p.addr(0), dial); (err == nil) != c.served {
				t.Errorf("%+v: %v", c, err)
			}
			if c.served {
				p.untilShaken(stats.TLSOK, 1)
			} else {
				p.untilShaken(stats.TLSCertificate, 1)
			}
		}
	})
}

// TestHostileHellosDisturbNobody sends hellos with bytes that were changed, cut or repeated.
func TestHostileHellosDisturbNobody(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	p := start(t, cfg)
	var hello recorded
	_ = tls.Client(&hello, dial).Handshake() // the error says that nobody answers
	random := rand.New(rand.NewPCG(1, 2))
	const n = 200
	for range n {
		b := bytes.Clone(hello.b)
		for range 1 + random.IntN(4) {
			switch at := random.IntN(len(b)); random.IntN(3) {
			case 0:
				b[at] = byte(random.Uint32())
			case 1:
				b = append(b[:at:at], append(b[at/2:at:at], b[at:]...)...)
			default:
				b = b[:max(at, 1)]
			}
		}
		c := testkit.Dial(t, p.addr(0))
		_ = c.SendBytes(b)
		_ = c.CloseWrite()
		if _, err := c.Rest(); err != nil {
			t.Errorf("%x: %v", b, err)
		}
		c.Close()
	}
	c := testkit.DialTLS(t, p.addr(0), dial)
	if got := c.Do("GET", "red"); got != bulk("red") {
		t.Errorf("%q", got)
	}
	var ended uint64
	for r := range stats.TLSResults {
		ended += p.acceptors[0].shakes[r].Load()
	}
	if panics := p.acceptors[0].shakes[stats.TLSPanic].Load(); ended != n+1 || panics != 0 {
		t.Errorf("%d handshakes have ended, %d with a panic", ended, panics)
	}
}

// recorded is a socket that keeps what is written, and has nothing to read.
type recorded struct {
	net.Conn
	b []byte
}

func (r *recorded) Write(b []byte) (int, error) { r.b = append(r.b, b...); return len(b), nil }
func (r *recorded) Read([]byte) (int, error)    { return 0, io.EOF }
