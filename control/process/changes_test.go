package process

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ringmaster/control/certs"
	"ringmaster/control/config"
	"ringmaster/control/topology"
	"ringmaster/eventloop"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/shard"
)

// oneChange is a setting before and after: lines at its place, with other lines that it needs there.
type oneChange struct{ beside, from, to string }

// changes has a change of every setting, by its name. If only some changes of a setting need a restart, "NAME,
// restart" has one of them.
var changes = map[string]oneChange{
	"tls-cert-file":       {tlsFiles + ", key-file: k", "cert-file: c", "cert-file: d"},
	"tls-key-file":        {tlsFiles + ", cert-file: c", "key-file: k", "key-file: l"},
	"tls-ca-cert-file":    {"cert-file: c, key-file: k", "ca-cert-file: x", "ca-cert-file: y"},
	"tls-auth-clients":    {tlsFiles + ", cert-file: c, key-file: k", "auth-clients: yes", "auth-clients: no"},
	"tls-protocols":       {tlsFiles + ", cert-file: c, key-file: k", "protocols: TLSv1.2", "protocols: TLSv1.3"},
	"tls-reload-interval": {"", "", "tls-reload-interval: 9s"},
	"max-handshakes":      {"", "", "max-handshakes: 9"},
	"handshake-timeout":   {"", "", "handshake-timeout: 9s"},

	"listen":             {"", "address: '127.0.0.1:1'", "address: '127.0.0.1:2'"},
	"password":           {"", "password: one", "password: two"},
	"password-file":      {"", "password-file: ONE", "password-file: TWO"},
	"protected-mode":     {"", "", "protected-mode: false"},
	"admin-commands":     {"", "", "admin-commands: allow"},
	"cluster-facade":     {"", "", "cluster-facade: off"},
	"cluster-announce":   {"", "", "cluster-announce: ['a:1']"},
	"deny-commands":      {"", "deny-commands: [get]", "deny-commands: [set]"},
	"deny-scripts":       {"", "", "deny-scripts: true"},
	"rename-command":     {"", "", "rename-command: [get=foo]"},
	"max-clients":        {"", "", "max-clients: 9"},
	"tcp-keepalive":      {"", "", "tcp-keepalive: 9s"},
	"idle-timeout":       {"", "", "idle-timeout: 9s"},
	"lost-subscriptions": {"", "", "lost-subscriptions: resubscribe"},

	"upstream":                  {"", "servers: 'a:1,b:1'", "servers: 'a:1,c:1'"},
	"topology":                  {"servers: 'a:1'", "topology: standalone", "topology: sharded"},
	"topology, restart":         {"", "", "topology: cluster"},
	"distribution":              {"", "", "distribution: modula"},
	"distribution, restart":     {"topology: sentinel\n    sentinel-masters: [m, n]", "", "distribution: modula"},
	"hash":                      {"", "", "hash: md5"},
	"hash, restart":             {"topology: sentinel\n    sentinel-masters: [m, n]", "", "hash: md5"},
	"hash-tag":                  {"", "", "hash-tag: '{}'"},
	"hash-tag, restart":         {"topology: sentinel\n    sentinel-masters: [m, n]", "", "hash-tag: '{}'"},
	"upstream-username":         {"password: x", "", "username: u"},
	"upstream-password":         {"", "", "password: p"},
	"upstream-password-file":    {"", "password-file: ONE", "password-file: TWO"},
	"sentinel-masters":          {"topology: sentinel", "sentinel-masters: [m]", "sentinel-masters: [m, n]"},
	"sentinel-username":         {"topology: sentinel\n    sentinel-masters: m\n    sentinel-password: p", "", "sentinel-username: u"},
	"sentinel-password":         {"topology: sentinel\n    sentinel-masters: m", "", "sentinel-password: p"},
	"sentinel-password-file":    {"topology: sentinel\n    sentinel-masters: m", "sentinel-password-file: ONE", "sentinel-password-file: TWO"},
	"scripts":                   {"", "", "scripts: own"},
	"upstream-connections":      {"", "", "connections: 2"},
	"read-policy":               {"", "read-policy: any", "read-policy: replica"},
	"read-policy, restart":      {"", "", "read-policy: any"},
	"replicas":                  {"read-policy: any", "", "replicas: ['a:1=r:1']"},
	"replica-max-lag":           {"", "", "replica-max-lag: 9s"},
	"zone":                      {"", "zone: x", "zone: y"},
	"server-zones":              {"", "", "server-zones: ['a:1=x']"},
	"timeout":                   {"", "", "timeout: 9s"},
	"dial-timeout":              {"", "", "dial-timeout: 9s"},
	"stall-timeout":             {"", "", "stall-timeout: 90s"},
	"backoff-min":               {"", "", "backoff-min: 9ms"},
	"backoff-max":               {"", "", "backoff-max: 9s"},
	"upstream-pending-requests": {"", "", "pending-requests: 9"},
	"upstream-pending-limit":    {"", "", "pending-limit: 9mb"},

	"proto-max-bulk-len":      {"", "", "proto-max-bulk-len: 9mb"},
	"query-buffer-limit":      {"", "", "query-buffer-limit: 9mb"},
	"client-output-limit":     {"", "", "client-output-limit: 9mb"},
	"client-memory":           {"", "", "client-memory: 9mb"},
	"client-read-timeout":     {"", "", "client-read-timeout: 9s"},
	"subscriber-output-limit": {"", "", "subscriber-output-limit: 9mb"},
	"max-in-flight":           {"", "", "max-in-flight: 9"},
	"max-in-flight-bytes":     {"", "", "max-in-flight-bytes: 9mb"},
	"pinned-connections":      {"", "", "pinned-connections: 9"},

	"shutdown-delay": {"", "", "shutdown-delay: 9s"},
	"drain-timeout":  {"", "", "drain-timeout: 3s"},
	"loops":          {"", "loops: 1", "loops: 2"},
	"poll":           {"", "", "poll: level"},
	"lock-thread":    {"", "", "lock-thread: true"},
	"admin":          {"", "", "admin: '127.0.0.1:9'"},
	"admin-hosts":    {"", "", "admin-hosts: [x]"},
	"pprof":          {"", "", "pprof: true"},
	"log-level":      {"", "", "log-level: warn"},
	"log-format":     {"", "", "log-format: json"},
}

const tlsFiles = "ca-cert-file: ca"

// checkedOnly are settings that only affect how a file is checked.
var checkedOnly = map[string]bool{"protected-mode": true}

// onlyOne are settings that have only one possible value now.
var onlyOne = map[string]bool{"tls-auth-clients-user": true}

// text is a whole file with lines at the place of a setting.
func (c *oneChange) text(s *config.Setting, line string) string {
	place := map[config.Place]string{s.Place: strings.TrimSpace(strings.TrimSpace(c.beside) + "\n    " + line)}
	if s.Place&config.InTLS != 0 {
		place[config.InListener] = "tls: {" + strings.Trim(c.beside+", "+line, ", ") + "}"
	}
	listener, upstream, top := place[config.InListener], place[config.InUpstream], place[0]
	if s.Name != "listen" {
		listener = "address: '127.0.0.1:1'\n    " + listener
	}
	if !strings.Contains(upstream, "servers:") {
		upstream = "servers: 'a:1,b:1'\n    " + upstream
	}
	return "listeners:\n  - name: l\n    upstream: u\n    " + listener + "\nupstreams:\n  u:\n    " + upstream + "\n" + strings.TrimSpace(top) + "\n"
}

// key is the name by which a change of s is reported.
func (c *oneChange) key(s *config.Setting) string {
	key, _, _ := strings.Cut(c.to, ":")
	return map[config.Place]string{
		config.InListener: "listeners.l.", config.InUpstream: "upstreams.u.", config.InListener | config.InTLS: "listeners.l.tls.",
	}[s.Place] + key
}

// reached is everything that the settings reach, except values that are read only at the start.
type reached struct {
	Plan     eventloop.Plan
	Topology topology.Config
	TLS      certs.Settings
	Every    time.Duration // certificates are read again
	Sockets  string
	Words    string // the clients' passwords
	Hosts    []string
	Level    slog.Level
	Delay    string
}

// reach returns everything that the settings of c reach.
func reach(t *testing.T, c *config.Config) *reached {
	t.Helper()
	p := newProcess(Options{Config: c, Log: slog.Default()})
	u, err := findUpstream(t.Context(), c.Upstreams[0], false, p.Log, newFakeTopology)
	if err != nil {
		t.Fatal(err)
	}
	b := &build{process: p, old: new(state), next: &state{config: c, upstreams: []*upstream{u}, maxClients: c.MaxClients}, handed: []net.Listener{nil}}
	p.state.Store(b.next)
	to := &reached{
		TLS: certSettings(c.Listeners[0]), Every: c.TLSReloadInterval,
		Plan: b.plan(), Topology: u.topology.(*fakeTopology).begun, Sockets: c.Listeners[0].Address,
		Hosts: source{p}.Hosts(), Level: c.LogLevel, Delay: c.ShutdownDelay.String(),
	}
	for _, word := range []string{"one", "two", "three"} {
		if to.Plan.Listeners[0].Policy.Check([]byte("default"), []byte(word)) {
			to.Words += word
		}
	}
	to.Plan.Listeners[0].Policy = nil
	for i := range to.Plan.Upstreams {
		pool := &to.Plan.Upstreams[i].Pool
		pool.Hint, pool.Witness, pool.Nonce = nil, nil, nil // not made of settings
	}
	return to
}

var comparing = cmp.Options{cmpopts.EquateEmpty(), cmp.Exporter(func(t reflect.Type) bool { return t == reflect.TypeFor[shard.Map]() }),
	cmp.Comparer(func(a, b *shard.Map) bool { return reflect.DeepEqual(a, b) }), cmpopts.IgnoreTypes(&slog.Logger{})}

// TestEveryChangeInTheFileCountsOrIsNamed goes through the table of settings.
func TestEveryChangeInTheFileCountsOrIsNamed(t *testing.T) {
	dir := t.TempDir()
	files := strings.NewReplacer("ONE", filepath.Join(dir, "1"), "TWO", filepath.Join(dir, "2"))
	for path, word := range map[string]string{"ONE": "one\n", "TWO": "two\n"} {
		if err := os.WriteFile(files.Replace(path), []byte(word), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	seen := newFields()
	for _, s := range config.Settings() {
		if onlyOne[s.Name] {
			continue
		}
		for _, suffix := range []string{"", ", restart"} {
			c, ok := changes[s.Name+suffix]
			if ok != (suffix == "" || s.Except != "") {
				t.Errorf("%s%s: is in changes: %v; Except is %q", s.Name, suffix, ok, s.Except)
			}
			if !ok {
				continue
			}
			running, file := load(t, files.Replace(c.text(s, c.from))), load(t, files.Replace(c.text(s, c.to)))
			m := running.Merge(file)
			before, after := reach(t, running), reach(t, m.Config)
			diff := cmp.Diff(before, after, comparing)
			changed, restart := strings.Join(m.Changed, " "), strings.Join(m.NeedsRestart, " ")
			switch {
			case s.Change == config.Restart || suffix != "":
				if changed != "" || restart != c.key(s) || diff != "" {
					t.Errorf("%s%s: %q changed, %q need a restart; what is reached has changed:\n%s", s.Name, suffix, changed, restart, diff)
				}
			case changed != c.key(s) || restart != "" || (diff == "") != checkedOnly[s.Name]:
				t.Errorf("%s: %q changed, %q need a restart; what is reached has changed:\n%s", s.Name, changed, restart, diff)
			}
			seen.note(before, after)
			seen.note(before, reach(t, file)) // the effect of a restart
		}
	}
	seen.check(t)
}

// fields are the fields of the configurations of the data plane and the topologies, and whether a setting reaches
// them.
type fields map[string]bool

// constant are the fields that no setting decides, because they are derived from others or always the same.
var constant = []string{
	"conn.Config.Spare", "conn.Config.ProveMulti", "conn.Config.Hint", "conn.Config.Nonce", "conn.Config.Witness",
	"session.Config.FirstWindow", "topology.Config.Name", "topology.Config.Log", "eventloop.Listener.Name", "eventloop.Listener.Upstream",
	"eventloop.Listener.Listener", "eventloop.Listener.Policy", "eventloop.Listener.TLS", "eventloop.Upstream.Name", "eventloop.Upstream.Map", "eventloop.Upstream.Health", "eventloop.Upstream.Logger", "session.Upstream.ListChanges",
}

func newFields() fields {
	f := fields{}
	for _, of := range []reflect.Type{
		reflect.TypeFor[pool.Config](), reflect.TypeFor[session.Config](), reflect.TypeFor[session.Upstream](), reflect.TypeFor[topology.Config](), reflect.TypeFor[certs.Settings](),
		reflect.TypeFor[eventloop.Plan](), reflect.TypeFor[eventloop.Listener](), reflect.TypeFor[eventloop.Upstream](),
	} {
		for i := range of.NumField() {
			f[of.String()+"."+of.Field(i).Name] = false
		}
	}
	for _, name := range constant {
		f[name] = true
	}
	return f
}

// note marks the fields that differ.
func (f fields) note(a, b *reached) {
	f.compare(reflect.ValueOf(a.Plan), reflect.ValueOf(b.Plan))
	f.compare(reflect.ValueOf(a.Topology), reflect.ValueOf(b.Topology))
	f.compare(reflect.ValueOf(a.TLS), reflect.ValueOf(b.TLS))
	f.compare(reflect.ValueOf(a.Plan.Listeners[0]), reflect.ValueOf(b.Plan.Listeners[0]))
	f.compare(reflect.ValueOf(a.Plan.Listeners[0].Session), reflect.ValueOf(b.Plan.Listeners[0].Session))
	f.compare(reflect.ValueOf(a.Plan.Upstreams[0]), reflect.ValueOf(b.Plan.Upstreams[0]))
	f.compare(reflect.ValueOf(a.Plan.Upstreams[0].Pool), reflect.ValueOf(b.Plan.Upstreams[0].Pool))
	f.compare(reflect.ValueOf(a.Plan.Upstreams[0].Session), reflect.ValueOf(b.Plan.Upstreams[0].Session))
}

func (f fields) compare(a, b reflect.Value) {
	for i := range a.NumField() {
		if name := a.Type().String() + "." + a.Type().Field(i).Name; !f[name] {
			f[name] = !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface())
		}
	}
}

func (f fields) check(t *testing.T) {
	t.Helper()
	for name, known := range f {
		if !known {
			t.Errorf("no setting reaches %s: forgotten in the translation, or missing in constant", name)
		}
	}
}
