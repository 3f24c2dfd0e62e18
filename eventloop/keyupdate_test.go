package eventloop

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/stats"
)

// records is one direction of a connection of TLS 1.3 with AES-128-GCM, by RFC 8446. crypto/tls never updates its
// keys by itself, so a test must write such records.
type records struct {
	t      testing.TB
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

func newRecords(t testing.TB, secret []byte) *records {
	r := &records{t: t, secret: secret}
	block, err := aes.NewCipher(r.expand("key", 16))
	if err != nil {
		t.Fatal(err)
	}
	if r.aead, err = cipher.NewGCM(block); err != nil {
		t.Fatal(err)
	}
	r.iv = r.expand("iv", 12)
	return r
}

// expand is HKDF-Expand-Label with an empty context.
func (r *records) expand(label string, n int) []byte {
	label = "tls13 " + label
	info := append([]byte{0, byte(n), byte(len(label))}, label...)
	out, err := hkdf.Expand(sha256.New, r.secret, string(append(info, 0)), n)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *records) nonce() []byte {
	n := bytes.Clone(r.iv)
	for i, b := range binary.BigEndian.AppendUint64(nil, r.seq) {
		n[4+i] ^= b
	}
	r.seq++
	return n
}

// updated has the next keys.
func (r *records) updated() *records { return newRecords(r.t, r.expand("traffic upd", 32)) }

// seal makes a record.
func (r *records) seal(kind byte, data string) []byte {
	inner := append([]byte(data), kind)
	header := []byte{23, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(header[3:], uint16(len(inner)+r.aead.Overhead()))
	return r.aead.Seal(header, r.nonce(), inner, header)
}

// open reads a record.
func (r *records) open(from io.Reader) (kind byte, data string) {
	r.t.Helper()
	header := make([]byte, 5)
	if _, err := io.ReadFull(from, header); err != nil {
		r.t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint16(header[3:]))
	if _, err := io.ReadFull(from, body); err != nil {
		r.t.Fatal(err)
	}
	inner, err := r.aead.Open(nil, r.nonce(), body, header)
	if err != nil {
		r.t.Fatal(err)
	}
	return inner[len(inner)-1], string(inner[:len(inner)-1])
}

const (
	handshakeKind   = 22
	applicationKind = 23
	keyUpdate       = "\x18\x00\x00\x01"
)

// byHand connects a client whose records the test makes: out are those to the proxy, in those from it.
func byHand(t testing.TB, p *proxy, dial *tls.Config) (raw net.Conn, out, in *records) {
	t.Helper()
	var keys bytes.Buffer
	dial.KeyLogWriter, dial.MinVersion = &keys, tls.VersionTLS13
	c := testkit.DialTLS(t, p.addr(0), dial)
	secure := c.Conn.(*tls.Conn)
	if suite := secure.ConnectionState().CipherSuite; suite != tls.TLS_AES_128_GCM_SHA256 {
		t.Fatalf("the cipher is %s", tls.CipherSuiteName(suite))
	}
	for line := range strings.Lines(keys.String()) {
		fields := strings.Fields(line)
		secret, err := hex.DecodeString(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		switch fields[0] {
		case "CLIENT_TRAFFIC_SECRET_0":
			out = newRecords(t, secret)
		case "SERVER_TRAFFIC_SECRET_0":
			in = newRecords(t, secret)
		}
	}
	if err := secure.SetDeadline(time.Now().Add(testkit.Patience)); err != nil {
		t.Fatal(err)
	}
	return secure.NetConn(), out, in
}

func send(t testing.TB, to net.Conn, b []byte) {
	t.Helper()
	if _, err := to.Write(b); err != nil {
		t.Fatal(err)
	}
}

func TestAClientUpdatesItsKeysAndOurs(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	p := start(t, cfg)
	raw, out, in := byHand(t, p, dial)
	for range 3 {
		send(t, raw, out.seal(applicationKind, get("red")))
		if _, got := in.open(raw); got != bulk("red") {
			t.Fatalf("%q", got)
		}
		update := out.seal(handshakeKind, keyUpdate+"\x01")
		send(t, raw, update[:7]) // in two parts
		send(t, raw, update[7:])
		out = out.updated()
		if _, got := in.open(raw); got != keyUpdate+"\x00" {
			t.Fatalf("%q", got)
		}
		in = in.updated()
	}
}

// TestKeyUpdatesThatNobodyReadsAreBounded: each one has an answer, and a client could let them pile up.
func TestKeyUpdatesThatNobodyReadsAreBounded(t *testing.T) {
	cfg, dial := secured(t, echoing(t).Addr)
	cfg.Listeners[0].Session.OutputLimit = 64 << 10
	p := start(t, cfg)
	raw, out, _ := byHand(t, p, dial)
	testkit.Until(t, "the loop has the client", func() (has bool) {
		onLoop(t, p.loops[0], func() { has = len(p.loops[0].clients) == 1 })
		return has
	})
	cl := p.client()
	onLoop(t, p.loops[0], func() { _ = cl.c.SetWriteBuffer(4096) })
	if err := raw.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			for range 8 { // crypto/tls allows 16 between two records with data
				if _, err := raw.Write(out.seal(handshakeKind, keyUpdate+"\x01")); err != nil {
					return
				}
				out = out.updated()
			}
			if _, err := raw.Write(out.seal(applicationKind, "\r\n")); err != nil {
				return
			}
		}
	}()
	p.untilClosed(stats.OutputLimit, 1)
	raw.Close()
	<-done
}
