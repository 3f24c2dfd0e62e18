package admin

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard checks every request before a page is made.
type guard struct {
	next  http.Handler
	hosts func() []string // allowed host names, in lower case
}

// connKey is the context key under which a request finds its connection.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// ServeHTTP is http.Handler.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*counted); ok {
		c.setAnswered(true)
	}
	if !g.knows(r.Host) {
		http.Error(w, fmt.Sprintf("the host name %.100q is not allowed; use an IP address or localhost, or allow the name with --admin-hosts", r.Host),
			http.StatusMisdirectedRequest)
		return
	}
	g.next.ServeHTTP(w, r)
}

// knows reports whether a request may name this host. A page in a browser can point a name of its own to this address
// (DNS rebinding) and then read its answers, but it can't do so with an IP address or localhost. Requests of HTTP/1.0
// may name no host, because browsers do not send those.
func (g *guard) knows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil || host == "" || host == "localhost" {
		return true
	}
	for _, known := range g.hosts() {
		suffix, wild := strings.CutPrefix(known, "*")
		if host == known || wild && strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}
