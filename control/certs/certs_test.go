package certs

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

func settings(certs ...testkit.Cert) Settings {
	s := Settings{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13}
	for _, c := range certs {
		s.CertFiles, s.KeyFiles = append(s.CertFiles, c.CertFile), append(s.KeyFiles, c.KeyFile)
	}
	return s
}

// shown returns the names of the certificate that a client sees, and whether its session was resumed.
func shown(t *testing.T, s *Server, client *tls.Config) (names []string, resumed bool) {
	t.Helper()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	served := make(chan error, 1)
	go func() {
		c := tls.Server(ours, s.Config())
		err := c.Handshake()
		if err == nil {
			_, err = c.Write([]byte("x")) // after the session ticket
		}
		served <- err
	}()
	c := tls.Client(theirs, client)
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	state := c.ConnectionState()
	return state.PeerCertificates[0].DNSNames, state.DidResume
}

func read(t *testing.T, s Settings) *Material {
	t.Helper()
	m, err := Read(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheNameThatAClientAsksForChoosesTheCertificate(t *testing.T) {
	ca := testkit.NewCA(t)
	s := NewServer(read(t, settings(ca.Issue("one.example"), ca.Issue("two.example", "*.two.example"))))
	for name, want := range map[string]string{
		"one.example": "one.example", "two.example": "two.example *.two.example", "x.two.example": "two.example *.two.example", "other.example": "one.example", "": "one.example",
	} {
		names, _ := shown(t, s, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func TestNewMaterialCountsForLaterClientsAndSessionsOutliveIt(t *testing.T) {
	ca := testkit.NewCA(t)
	s := NewServer(read(t, settings(ca.Issue("proxy", "old"))))
	client := &tls.Config{RootCAs: ca.Pool, ServerName: "proxy", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	if names, resumed := shown(t, s, client); names[1] != "old" || resumed {
		t.Errorf("%v, %v", names, resumed)
	}
	s.Use(read(t, settings(ca.Issue("proxy", "new"))))
	if _, resumed := shown(t, s, client); !resumed {
		t.Error("the session is not resumed")
	}
	client.ClientSessionCache = nil
	if names, _ := shown(t, s, client); names[1] != "new" {
		t.Errorf("%v", names)
	}
}

func TestMistakesInFilesNameTheSettingAndTheCure(t *testing.T) {
	ca := testkit.NewCA(t)
	good, other := ca.Issue("a"), ca.Issue("b")
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, c := range []struct{ cert, key, ca, setting, want string }{
		{"/none", good.KeyFile, "", "tls-cert-file", "/none: no such file"},
		{good.CertFile, "/none", "", "tls-key-file", "/none: no such file"},
		{good.CertFile, good.KeyFile, "/none", "tls-ca-cert-file", "/none: no such file"},
		{file(""), good.KeyFile, "", "tls-cert-file", "is empty"},
		{t.TempDir(), good.KeyFile, "", "tls-cert-file", "is no regular file"},
		{file(strings.Repeat("x", maxFile+1)), good.KeyFile, "", "tls-cert-file", "larger than 1048576 bytes"},
		{file("x"), good.KeyFile, "", "tls-cert-file", "there is no certificate in it"},
		{file("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), good.KeyFile, "", "tls-cert-file", "certificate 1 in it: x509: malformed"},
		{good.KeyFile, good.KeyFile, "", "tls-cert-file", "there is no certificate in it"},
		{good.CertFile, good.CertFile, "", "tls-key-file", "there is no private key in it"},
		{good.CertFile, file("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"), "", "tls-key-file", "the key has a password; write it without one: openssl pkey -in"},
		{good.CertFile, other.KeyFile, "", "tls-key-file", "private key does not match public key"},
		{good.CertFile, file(text(good.KeyFile)[:80]), "", "tls-key-file", "there is no private key in it"},
		{good.CertFile, good.KeyFile, good.KeyFile, "tls-ca-cert-file", "there is no certificate in it"},
	} {
		_, err := Read(Settings{CertFiles: []string{c.cert}, KeyFiles: []string{c.key}, CAFile: c.ca})
		var of *Error
		if !errors.As(err, &of) || of.Setting != c.setting || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestCertificatesOutOfDateAreNamed(t *testing.T) {
	ca := testkit.NewCA(t)
	now := time.Now()
	old := ca.IssueUntil(now.Add(-time.Hour), "a")
	if err := read(t, settings(ca.Issue("b"), old)).Current(now); err == nil || !strings.Contains(err.Error(), old.CertFile+": the certificate was valid until") {
		t.Errorf("%v", err)
	}
	if err := read(t, settings(ca.Issue("b"))).Current(now.Add(-30 * 24 * time.Hour)); err == nil || !strings.Contains(err.Error(), "is not valid before") {
		t.Errorf("%v", err)
	}
	if err := read(t, settings(ca.Issue("b"))).Current(now); err != nil {
		t.Error(err)
	}
}
