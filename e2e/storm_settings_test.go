package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

// stormServers is how many servers the fixed list is chosen from, and stormFirst how many are in it at first.
const (
	stormServers = 5
	stormFirst   = 3
)

// stormSettings is what the file says. A new file is made of a changed copy.
type stormSettings struct {
	in       [stormServers]bool
	weights  [stormServers]int
	timeout  int // s
	protect  bool
	deny     bool
	tcp      bool
	tcpTo    string // its upstream
	unix     bool
	extra    bool
	login    int // of the server with a login: which of its passwords
	user     int // and which of its users
	limits   int
	logLevel string
	reads    string
}

// stormBase is what the file says at first, and whenever what the proxy holds is counted.
func stormBase() stormSettings {
	s := stormSettings{timeout: 10, tcpTo: "cache", logLevel: "info", reads: "prefer-replica"}
	for i := range s.weights {
		s.in[i], s.weights[i] = i < stormFirst, 1
	}
	return s
}

// size is how many servers are in the list.
func (s *stormSettings) size() (n int) {
	for _, in := range s.in {
		if in {
			n++
		}
	}
	return n
}

// stormWorld is the servers and addresses that the settings name.
type stormWorld struct {
	servers          []*testkit.Server // of the fixed list
	locked           *testkit.Server   // one with logins
	extra            *testkit.Server
	primary, replica *testkit.Server
	front            string // listeners that stay: TCP,
	side             string // a unix socket for the same upstream,
	back, reads      string // and those of the others
	tcp, unix, more  string // listeners that come and go
}

var stormUsers, stormPasswords = [2]string{"app", "other"}, [2]string{"one", "two"}

func newStormWorld(t *testing.T) *stormWorld {
	t.Helper()
	w := &stormWorld{locked: testkit.Redis(t), extra: testkit.Redis(t), primary: testkit.Redis(t)}
	for range stormServers {
		w.servers = append(w.servers, testkit.Redis(t))
	}
	host, port, _ := strings.Cut(w.primary.Addr, ":")
	w.replica = testkit.Redis(t, "--replicaof", host+" "+port)
	c := testkit.Dial(t, w.locked.Addr)
	for _, user := range stormUsers {
		if got := c.Do("ACL", "SETUSER", user, "on", ">"+stormPasswords[0], "~*", "&*", "+@all"); got != "+OK\r\n" {
			t.Fatal(got)
		}
	}
	if got := c.Do("ACL", "SETUSER", "default", "off"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	dir := t.TempDir()
	w.side, w.unix = "unix://"+filepath.Join(dir, "side"), "unix://"+filepath.Join(dir, "s")
	for _, addr := range []*string{&w.back, &w.reads, &w.tcp, &w.more} {
		*addr = fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	}
	return w
}

// text is the file.
func (w *stormWorld) text(s *stormSettings) string {
	var servers []string
	for i, server := range w.servers {
		if s.in[i] {
			servers = append(servers, fmt.Sprintf("'%s:%d@s%d'", server.Addr, s.weights[i], i))
		}
	}
	rules := fmt.Sprintf("max-in-flight: %d, proto-max-bulk-len: %dmb, client-output-limit: %dmb, idle-timeout: %dh",
		500+s.limits, 100+s.limits, 64+s.limits, 1+s.limits)
	if s.deny {
		rules += ", deny-commands: [strlen]"
	}
	password := ""
	if s.protect {
		password = ", password: mine"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "drain-timeout: 10s\nmax-clients: %d\nlog-level: %s\nlisteners:\n", 5000+s.limits, s.logLevel)
	fmt.Fprintf(&b, "  - {address: '%s', name: front, upstream: cache, %s%s}\n  - {address: '%s', name: side, upstream: cache, %s}\n", w.front, rules, password, w.side, rules)
	fmt.Fprintf(&b, "  - {address: '%s', name: back, upstream: locked}\n  - {address: '%s', name: reads, upstream: reads}\n", w.back, w.reads)
	if s.tcp {
		fmt.Fprintf(&b, "  - {address: '%s', name: tcp, upstream: %s, %s}\n", w.tcp, s.tcpTo, rules)
	}
	if s.unix {
		fmt.Fprintf(&b, "  - {address: '%s', upstream: locked}\n", w.unix)
	}
	if s.extra {
		fmt.Fprintf(&b, "  - {address: '%s', upstream: extra}\n", w.more)
	}
	fmt.Fprintf(&b, "upstreams:\n  cache: {servers: [%s], timeout: %ds, hash-tag: '{}'}\n", strings.Join(servers, ", "), s.timeout)
	fmt.Fprintf(&b, "  locked: {servers: ['%s'], timeout: 20s, username: %s, password: %s}\n", w.locked.Addr, stormUsers[s.user], stormPasswords[s.login])
	fmt.Fprintf(&b, "  reads: {servers: ['%s'], timeout: 20s, replicas: ['%s=%s'], read-policy: %s}\n", w.primary.Addr, w.primary.Addr, w.replica.Addr, s.reads)
	if s.extra {
		fmt.Fprintf(&b, "  extra: {servers: ['%s'], timeout: 20s}\n", w.extra.Addr)
	}
	return b.String()
}

// stormChange is a kind of change.
type stormChange struct {
	name  string
	apply func(r *rand.Rand, s *stormSettings)
}

// stormChanges are all kinds. What counts more is there more often.
var stormChanges = []stormChange{
	{"a server comes or goes", changeServer}, {"a server comes or goes", changeServer}, {"a server comes or goes", changeServer},
	{"a server is exchanged", exchangeServer},
	{"a weight", changeWeight},
	{"a timeout", func(_ *rand.Rand, s *stormSettings) { s.timeout = 21 - s.timeout }},
	{"the clients' password", func(_ *rand.Rand, s *stormSettings) { s.protect = !s.protect }},
	{"a denied command", func(_ *rand.Rand, s *stormSettings) { s.deny = !s.deny }},
	{"the password at a server", func(_ *rand.Rand, s *stormSettings) { s.login = 1 - s.login }},
	{"the user at a server", func(_ *rand.Rand, s *stormSettings) { s.user = 1 - s.user }},
	{"a TCP listener", func(_ *rand.Rand, s *stormSettings) { s.tcp = !s.tcp }},
	{"a listener's upstream", func(_ *rand.Rand, s *stormSettings) { s.tcp, s.tcpTo = true, otherOf(s.tcpTo, "cache", "locked") }},
	{"a unix socket", func(_ *rand.Rand, s *stormSettings) { s.unix = !s.unix }},
	{"an upstream", func(_ *rand.Rand, s *stormSettings) { s.extra = !s.extra }},
	{"limits", func(r *rand.Rand, s *stormSettings) { s.limits = (s.limits + 1 + r.IntN(10)) % 12 }},
	{"the level of the log", func(_ *rand.Rand, s *stormSettings) { s.logLevel = otherOf(s.logLevel, "info", "warn") }},
	{"the read policy", func(_ *rand.Rand, s *stormSettings) { s.reads = otherOf(s.reads, "prefer-replica", "any") }},
	{"several at once", func(r *rand.Rand, s *stormSettings) {
		changeServer(r, s)
		s.timeout, s.deny, s.tcp, s.unix, s.extra = 21-s.timeout, !s.deny, !s.tcp, !s.unix, !s.extra
	}},
}

// changesNamed are those kinds of changes that the environment variable RELOAD_KINDS matches, a regular expression; without it all.
func changesNamed(t *testing.T) (kinds []stormChange) {
	t.Helper()
	named, err := regexp.Compile(os.Getenv("RELOAD_KINDS"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range stormChanges {
		if named.MatchString(c.name) {
			kinds = append(kinds, c)
		}
	}
	return kinds
}

func otherOf(now, a, b string) string {
	if now == a {
		return b
	}
	return a
}

// pickServer is a random server that is in the list, or is not.
func pickServer(r *rand.Rand, s *stormSettings, in bool) int {
	for {
		if i := r.IntN(stormServers); s.in[i] == in {
			return i
		}
	}
}

// changeServer adds or removes a server; one stays at least.
func changeServer(r *rand.Rand, s *stormSettings) {
	n := s.size()
	remove := n == stormServers || n > 1 && r.IntN(2) == 0
	s.in[pickServer(r, s, remove)] = !remove
}

func changeWeight(r *rand.Rand, s *stormSettings) {
	w := &s.weights[pickServer(r, s, true)]
	*w = 1 + (*w+r.IntN(2))%3
}

func exchangeServer(r *rand.Rand, s *stormSettings) {
	changeServer(r, s)
	if s.size() < stormServers {
		s.in[pickServer(r, s, true)], s.in[pickServer(r, s, false)] = false, true
	}
}
