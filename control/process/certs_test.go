package process

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/stats"
)

// secureText has a listener with TLS and more of its settings.
func secureText(certFile, keyFile, more string) string {
	return fmt.Sprintf(`
admin: ''
listeners:
  - {address: '127.0.0.1:0', name: l, tls: {cert-file: %s, key-file: %s, auth-clients: no%s}}
upstreams:
  u: {servers: 'a:1'}
`, certFile, keyFile, more)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// replace puts another certificate into the files of one.
func replace(t *testing.T, in, by testkit.Cert) {
	t.Helper()
	copyFile(t, by.CertFile, in.CertFile)
	copyFile(t, by.KeyFile, in.KeyFile)
}

// view returns what the admin server knows of the only listener.
func (r *rig) view() stats.ListenerView {
	r.t.Helper()
	all := source{r.process}.Listeners()
	if len(all) != 1 {
		r.t.Fatalf("%+v", all)
	}
	return all[0]
}

func TestCertificatesAreReadAgain(t *testing.T) {
	ca := testkit.NewCA(t)
	cert := ca.Issue("old")
	soon := time.Now().Add(time.Hour)
	other := ca.IssueUntil(soon, "new")
	r := newRig(t, secureText(cert.CertFile, cert.KeyFile, ""))
	if err := r.renewCerts(); err != nil || r.view().Reloads != 0 {
		t.Errorf("the same files: %v, %+v", err, r.view())
	}
	replace(t, cert, other)
	if err := r.renewCerts(); err != nil {
		t.Fatal(err)
	}
	want := stats.ListenerView{Name: "l", Reloads: 1, Certificates: []stats.Certificate{{File: cert.CertFile, NotAfter: uint64(soon.Unix())}}}
	if got := r.view(); got.Reloads != want.Reloads || got.Certificates[0] != want.Certificates[0] || got.Refused != 0 {
		t.Errorf("%+v; want %+v", got, want)
	}
	if log := r.log.String(); !strings.Contains(log, "new certificates are in use") {
		t.Errorf("%s", log)
	}
}

func TestWrongCertificatesAreRefusedAndTheOldOnesStay(t *testing.T) {
	ca := testkit.NewCA(t)
	cert := ca.Issue("old")
	r := newRig(t, secureText(cert.CertFile, cert.KeyFile, ""))
	before := r.state.Load().tls[0].Current()
	for name, spoil := range map[string]func(){
		"another key":  func() { copyFile(t, ca.Issue("x").KeyFile, cert.KeyFile) },
		"out of date":  func() { replace(t, cert, ca.IssueUntil(time.Now().Add(-time.Hour), "x")) },
		"an empty one": func() { _ = os.Truncate(cert.CertFile, 0) },
	} {
		refused := r.view().Refused
		spoil()
		err := r.renewCerts()
		if err == nil || !strings.Contains(err.Error(), "r.yaml:4: listeners[0].tls.") {
			t.Errorf("%s: %v", name, err)
		}
		lines := strings.Count(r.log.String(), "the new certificates are refused")
		if again := r.renewCerts(); again == nil || strings.Count(r.log.String(), "the new certificates are refused") != lines {
			t.Errorf("%s: the second time: %v\n%s", name, again, r.log.String())
		}
		if got := r.view(); got.Refused != refused+2 || got.Reloads != 0 || r.state.Load().tls[0].Current() != before {
			t.Errorf("%s: %+v", name, got)
		}
		if _, err := r.reload(t.Context()); err == nil {
			t.Errorf("%s: the reload succeeds", name)
		}
	}
}

func TestAReloadReadsCertificates(t *testing.T) {
	ca := testkit.NewCA(t)
	cert, other := ca.Issue("old"), ca.Issue("new")
	r := newRig(t, secureText(cert.CertFile, cert.KeyFile, ""))
	was := r.state.Load().tls[0]
	done := r.mustReload(secureText(other.CertFile, other.KeyFile, ", protocols: TLSv1.3"))
	if got := strings.Join(done.Changed, " "); got != "listeners.l.tls.cert-file listeners.l.tls.key-file listeners.l.tls.protocols" {
		t.Errorf("changed: %s", got)
	}
	now := r.state.Load().tls[0]
	if now != was || now.Current().Expiries[0].File != other.CertFile || r.plane.plans[0].Listeners[0].TLS != was.Config() {
		t.Errorf("%+v", now.Current())
	}
	if _, err := r.again(secureText(other.CertFile, cert.KeyFile, "")); err == nil || !strings.Contains(err.Error(), "private key does not match") {
		t.Errorf("%v", err)
	}
	plain := "admin: ''\nlisteners: [{address: '127.0.0.1:0', name: l}]\nupstreams: {u: {servers: 'a:1'}}\n"
	r.mustReload(plain)
	if p := r.plane.plans[len(r.plane.plans)-1]; p.Listeners[0].TLS != nil || len((source{r.process}).Listeners()) != 0 {
		t.Error("the listener still speaks TLS")
	}
	r.mustReload(secureText(cert.CertFile, cert.KeyFile, ""))
	if p := r.plane.plans[len(r.plane.plans)-1]; p.Listeners[0].TLS == nil {
		t.Error("the listener does not speak TLS")
	}
}

func TestFilesAreWatched(t *testing.T) {
	ca := testkit.NewCA(t)
	cert := ca.Issue("old")
	r := newRig(t, "tls-reload-interval: 1ms"+secureText(cert.CertFile, cert.KeyFile, ""))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.watchCerts(ctx) }()
	replace(t, cert, ca.Issue("new"))
	testkit.Until(t, "the new certificate", func() bool { return r.view().Reloads == 1 })
	cancel()
	<-done
}

func TestCheckingReadsCertificates(t *testing.T) {
	ca := testkit.NewCA(t)
	good, old := ca.Issue("a"), ca.IssueUntil(time.Now().Add(-time.Hour), "b")
	if err := CheckFiles(load(t, secureText(good.CertFile, good.KeyFile, ""))); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		secureText(old.CertFile, old.KeyFile, ""): "r.yaml:4: listeners[0].tls.cert-file: " + old.CertFile + ": the certificate was valid until",
		secureText("/none", good.KeyFile, ""):     "r.yaml:4: listeners[0].tls.cert-file: stat /none: no such file or directory",
		"upstream: a:1\nlisten: ['127.0.0.1:1', '127.0.0.1:2']\ntls-auth-clients: no\ntls-cert-file: /none\ntls-key-file: /none": "r.yaml:4: tls-cert-file: stat /none",
	} {
		err := CheckFiles(load(t, text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "\n") != 0 {
			t.Errorf("%v; want %s", err, want)
		}
	}
}
