package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"ringmaster/internal/testkit"
)

// secureProxy starts a proxy whose listener speaks TLS, with a server behind it.
func secureProxy(t *testing.T, ca *testkit.CA, cert testkit.Cert, flags ...string) *testkit.Server {
	t.Helper()
	return testkit.Proxy(t, []string{testkit.Redis(t).Addr}, append([]string{
		"--tls-cert-file", cert.CertFile, "--tls-key-file", cert.KeyFile, "--tls-ca-cert-file", ca.File,
	}, flags...)...)
}

// secureCLI runs redis-cli with TLS.
func secureCLI(t *testing.T, proxy *testkit.Server, in []byte, args ...string) string {
	t.Helper()
	port := proxy.Addr[strings.LastIndex(proxy.Addr, ":")+1:]
	cmd := exec.Command("redis-cli", append([]string{"-p", port, "--tls"}, args...)...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestRedisCLIOverTLS(t *testing.T) {
	ca := testkit.NewCA(t)
	cert, app := ca.Issue("127.0.0.1"), ca.Issue("app")
	proxy := secureProxy(t, ca, cert)
	with := []string{"--cacert", ca.File, "--cert", app.CertFile, "--key", app.KeyFile}
	if got := secureCLI(t, proxy, nil, append(with, "SET", "red", "1")...); got != "OK" {
		t.Errorf("SET: %q", got)
	}
	if got := secureCLI(t, proxy, nil, append(with, "GET", "red")...); got != "1" {
		t.Errorf("GET: %q", got)
	}
	random := make([]byte, 16<<20)
	_, _ = rand.Read(random)
	value := hex.EncodeToString(random)
	if got := secureCLI(t, proxy, []byte(value), append(with, "-x", "SET", "large")...); got != "OK" {
		t.Errorf("SET: %.100q", got)
	}
	if got := secureCLI(t, proxy, nil, append(with, "GET", "large")...); got != value {
		t.Errorf("GET: %d bytes", len(got))
	}
	for what, args := range map[string][]string{
		"no certificate":        {"--cacert", ca.File, "PING"},
		"a proxy of another CA": {"--cacert", testkit.NewCA(t).File, "--cert", app.CertFile, "--key", app.KeyFile, "PING"},
	} {
		if got := secureCLI(t, proxy, nil, args...); strings.Contains(got, "PONG") {
			t.Errorf("%s: %q", what, got)
		}
	}
	for _, result := range []string{"ok", "certificate", "refused"} {
		label := fmt.Sprintf(`result="%s"`, result)
		if proxy.Metric(t, "ringmaster_tls_handshakes_total", label) == 0 {
			t.Errorf("no handshake is counted as %s", result)
		}
	}
}

// TestCertificatesAreReplacedUnderClients: clients come and go all the time, and each handshake succeeds.
func TestCertificatesAreReplacedUnderClients(t *testing.T) {
	ca := testkit.NewCA(t)
	cert := ca.Issue("127.0.0.1")
	proxy := secureProxy(t, ca, cert, "--tls-auth-clients", "no", "--tls-reload-interval", "1s")
	stays := redis.NewClient(&redis.Options{Addr: proxy.Addr, PoolSize: 1, TLSConfig: &tls.Config{RootCAs: ca.Pool}})
	defer stays.Close()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	rewrite := func(next testkit.Cert) {
		for from, to := range map[string]string{next.CertFile: cert.CertFile, next.KeyFile: cert.KeyFile} {
			b, err := os.ReadFile(from)
			if err == nil {
				err = os.WriteFile(to, b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	reloads := func(result string) float64 {
		return proxy.Metric(t, "ringmaster_tls_certificate_reloads_total", fmt.Sprintf(`result="%s"`, result))
	}
	comeAndGo := func(until func() bool) {
		for !until() {
			c := redis.NewClient(&redis.Options{Addr: proxy.Addr, TLSConfig: &tls.Config{RootCAs: ca.Pool}, MaxRetries: -1})
			if err := c.Ping(ctx).Err(); err != nil {
				t.Fatal(err)
			}
			c.Close()
			if err := stays.Ping(ctx).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range 2 {
		rewrite(ca.Issue("127.0.0.1"))
		comeAndGo(func() bool { return reloads("ok") >= float64(n+1) })
	}
	rewrite(ca.IssueUntil(time.Now().Add(-time.Hour), "127.0.0.1"))
	comeAndGo(func() bool { return reloads("error") > 0 })
	if !strings.Contains(proxy.Log(), "the new certificates are refused") {
		t.Errorf("log: %s", proxy.Log())
	}
}
