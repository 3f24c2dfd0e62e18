package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// TestSlowAdminClientsDoNotHoldUpProbes keeps more connections with half a head than there are places.
func TestSlowAdminClientsDoNotHoldUpProbes(t *testing.T) {
	proxy := testkit.Proxy(t, []string{testkit.Redis(t).Addr})
	for range 200 {
		c, err := net.Dial("tcp", proxy.Admin)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/healthz"} {
		if code, body := proxy.Get(t, path); code != 200 {
			t.Errorf("%s: %d %.100s", path, code, body)
		}
	}
}

func TestTheAdminAddressIsKnownByGivenNamesOnly(t *testing.T) {
	proxy := testkit.Proxy(t, []string{testkit.Redis(t).Addr}, "--admin-hosts", "ringmaster")
	for host, want := range map[string]int{"ringmaster:9380": 200, "localhost": 200, "10.0.0.9:9380": 200, "evil.example": 421} {
		req, err := http.NewRequest("GET", "http://"+proxy.Admin+"/topology", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want || want == 421 && (strings.Contains(string(body), "Topology") || !strings.Contains(string(body), "--admin-hosts")) {
			t.Errorf("%s: %d %.200s", host, resp.StatusCode, body)
		}
	}
}
