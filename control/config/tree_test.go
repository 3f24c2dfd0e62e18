package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/shard"
)

func mustLoadText(t *testing.T, text string, more ...string) *Config {
	t.Helper()
	c, err := loadText(t, text, more...)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return c
}

func TestFlatSettingsAreOneUpstreamAndAListenerForEachAddress(t *testing.T) {
	c := mustLoad(t, []string{"--upstream", "a:1,b:1", "--listen", "127.0.0.1:1", "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--timeout", "40s"})
	var got []string
	for _, l := range c.Listeners {
		got = append(got, l.Name+" "+l.Address+" "+l.Upstream+fmt.Sprint(l.Listen, l.ClusterFacade))
	}
	want := []string{
		"127.0.0.1:1 127.0.0.1:1 default[127.0.0.1:1] true", "127.0.0.1:0 127.0.0.1:0 default[127.0.0.1:0] true",
		"127.0.0.1:0#2 127.0.0.1:0 default[127.0.0.1:0] true",
	}
	if !slices.Equal(got, want) || !slices.Equal(c.Listen, []string{"127.0.0.1:1", "127.0.0.1:0", "127.0.0.1:0"}) {
		t.Errorf("%q, %q", got, c.Listen)
	}
	u := c.Upstreams[0]
	if len(c.Upstreams) != 1 || u.Name != DefaultUpstream || u.Topology != Sharded || u.StallTimeout != 40*time.Second || c.StallTimeout != u.StallTimeout ||
		u.Upstreams != nil || u.Listeners != nil || c.Listeners[0].Listeners != nil || c.Listeners[0].Upstreams != nil || u.Config == c {
		t.Errorf("%+v", c.Upstreams)
	}
	if c.Used(c.Listeners[2]).Config != u.Config || !c.Listeners[0].Alike(c.Listeners[1]) {
		t.Error("listeners of flat settings differ")
	}
}

func TestObjectsOverrideTheTopLevel(t *testing.T) {
	c := mustLoadText(t, `
timeout: 2s
admin-commands: allow
upstream-connections: 3
listeners:
  - {address: '127.0.0.1:1', name: one, upstream: a, admin-commands: deny}
  - {address: 'unix:///x', upstream: b}
upstreams:
  a: {servers: ['a:1@n', 'a:2'], timeout: 7s, connections: 1, pending-requests: 9, pending-limit: 1mb, scripts: own}
  b: {servers: 'b:1'}
`, "--timeout=3s")
	one, two, a, b := c.Listeners[0], c.Listeners[1], c.Upstreams[0], c.Upstreams[1]
	if one.AdminCommands || !two.AdminCommands || one.Name != "one" || two.Name != "unix:///x" || !one.ClusterFacade || two.ClusterFacade || one.Alike(two) {
		t.Errorf("%+v\n%+v", *one.Config, *two.Config)
	}
	if a.Timeout != 7*time.Second || a.UpstreamConnections != 1 || a.PendingRequests != 9 || a.PendingBytes != 1<<20 || a.Scripts != ScriptsOwn ||
		a.Topology != Sharded || len(a.Upstream) != 2 || a.Upstream[0].Name != "n" {
		t.Errorf("%+v", *a.Config)
	}
	if b.Timeout != 3*time.Second || b.UpstreamConnections != 3 || b.Topology != Standalone || !b.Single() || len(b.Upstream) != 1 {
		t.Errorf("%+v", *b.Config)
	}
	if c.Timeout != 3*time.Second || !slices.Equal(c.Listen, []string{"127.0.0.1:1", "unix:///x"}) {
		t.Errorf("%+v", *c)
	}
}

func TestWhichUpstreamAListenerUses(t *testing.T) {
	for text, want := range map[string]string{
		oneUpstream: "main",
		"upstreams: {a: {servers: 'a:1'}, default: {servers: 'b:1'}}":                                                           "default",
		"upstreams: {a: {servers: 'a:1'}, default: {servers: 'b:1'}}\nlisteners: [{address: ':0', upstream: a}]":                "a",
		"upstreams: {a: {servers: 'a:1'}, default: {servers: 'b:1'}}\nlisteners: [{address: ':0'}]":                             "default",
		"upstream: a:1\nlisteners: [{address: ':0'}]":                                                                           "default",
		"upstream: a:1\nlisteners: [{address: ':0', upstream: default}]":                                                        "default",
		"upstreams: {" + long(64) + ": {servers: 'a:1'}, .-_9: {servers: 'b:1'}}\nlisteners: [{address: ':0', upstream: .-_9}]": ".-_9",
	} {
		c := mustLoadText(t, text, "--protected-mode=false")
		if got := c.Listeners[0].Upstream; got != want || c.Used(c.Listeners[0]).Name != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestPasswordsOfObjects(t *testing.T) {
	file := write(t, "secret", "from-file\n")
	for _, tc := range []struct{ name, top, object, env, want string }{
		{"the top level's", "upstream-password: top", "", "", "top"},
		{"its own", "upstream-password: top", "password: own", "", "own"},
		{"its own over the environment", "", "password: own", "env", "own"},
		{"the environment's over the file's top level", "upstream-password: top", "", "env", "env"},
		{"its own file over a word", "upstream-password: top", "password-file: " + file, "", "from-file"},
		{"its own word over a file", "upstream-password-file: " + file, "password: own", "", "own"},
		{"the top level's file", "upstream-password-file: " + file, "", "", "from-file"},
		{"none", "", "", "", ""},
		{"an empty one that every object replaces", "upstream-password: ''", "password: own", "", "own"},
	} {
		text := tc.top + "\nupstreams:\n main:\n  servers: a:1\n  " + tc.object + "\n"
		var env []string
		if tc.env != "" {
			env = append(env, "RINGMASTER_UPSTREAM_PASSWORD="+tc.env)
		}
		if got := mustLoadText(t, text, env...).Upstreams[0].UpstreamPassword.Reveal(); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
	c := mustLoadText(t, "password: ''\nupstream: a:1\nlisteners: [{address: ':0', password: x}, {address: ':0', name: b, password-file: "+file+"}]")
	if c.Listeners[0].Password.Reveal() != "x" || c.Listeners[1].Password.Reveal() != "from-file" {
		t.Error("lost")
	}
	refused(t, "password: ''\nupstream: a:1\nlisteners: [{address: '127.0.0.1:1', password: x}, {address: '127.0.0.1:2'}]",
		"r.yaml:1: password: is given but empty, perhaps because a variable is not set; want a value, or leave it out for no password")
	refused(t, "upstream-password: x\nupstreams: {a: {servers: 'a:1', password: ''}}",
		"r.yaml:2: upstreams.a.password: is given but empty, perhaps because a variable is not set; want a value, or leave it out for no password")
	refused(t, "upstreams: {a: {servers: 'a:1', password: }}", "r.yaml:1: upstreams.a.password: has no value; give one, or remove the line")
}

func TestSecretsOfObjectsAreNeverPrinted(t *testing.T) {
	c := mustLoadText(t, "listeners: [{address: '127.0.0.1:1', password: hunter2}]\nupstreams: {a: {servers: 'a:1', password: hunter2, "+
		"topology: sentinel, sentinel-masters: m, sentinel-password: hunter2}}")
	encoded, err := json.Marshal(c)
	for _, s := range []string{
		fmt.Sprintf("%+v %#v", *c, *c), fmt.Sprintf("%+v %#v", *c.Listeners[0].Config, *c.Upstreams[0].Config), string(encoded), c.Tree(),
		fmt.Sprintf("%+v", c.Upstreams),
	} {
		if strings.Contains(s, "hunter2") {
			t.Errorf("shown in %s", s)
		}
	}
	if err != nil || strings.Count(c.Tree(), "password: (hidden)  # ") != 3 {
		t.Errorf("%v\n%s", err, c.Tree())
	}
}

// TestDefaultsThatDoNotFitAnUpstreamDoNotCountThere: at the top level they are meant for other upstreams.
func TestDefaultsThatDoNotFitAnUpstreamDoNotCountThere(t *testing.T) {
	c := mustLoadText(t, `
hash-tag: '[]'
hash: md5
distribution: maglev
sentinel-masters: m
sentinel-username: u
sentinel-password: p
replicas: ['a:1=r:1', 'b:1=r:2']
cluster-announce: p:1
listeners:
  - {address: '127.0.0.1:1', upstream: cluster}
  - {address: '127.0.0.1:2', upstream: a}
upstreams:
  cluster: {topology: cluster, servers: 'c:1'}
  a: {servers: 'a:1'}
  b: {servers: ['b:1', 'b:2']}
  s: {topology: sentinel, servers: 's:1'}
`)
	cluster, a, b, s := c.Upstreams[0], c.Upstreams[1], c.Upstreams[2], c.Upstreams[3]
	if cluster.HashTag != "" || cluster.Hash.String() != "fnv1a_64" || cluster.Distribution.String() != "ketama" || cluster.Replicas != nil || cluster.SentinelMasters != nil {
		t.Errorf("%+v", *cluster.Config)
	}
	if a.HashTag != "[]" || a.Hash.String() != "md5" || a.SentinelUsername != "" || a.SentinelPassword != "" || len(a.Replicas) != 1 || a.Replicas["a:1"] == nil {
		t.Errorf("%+v", *a.Config)
	}
	if len(b.Replicas) != 1 || b.Replicas["b:1"] == nil || len(c.Replicas) != 2 {
		t.Errorf("%+v", *b.Config)
	}
	if !slices.Equal(s.SentinelMasters, []string{"m"}) || s.SentinelPassword.Reveal() != "p" || s.Replicas != nil {
		t.Errorf("%+v", *s.Config)
	}
	if c.Listeners[0].ClusterAnnounce == nil || c.Listeners[1].ClusterAnnounce != nil {
		t.Error("cluster-announce")
	}
	if c = mustLoadText(t, "hash-tag: '{}'\nupstreams: {c: {topology: cluster, servers: 'c:1'}}"); c.Upstreams[0].HashTag != "{}" {
		t.Error("clusters have this tag")
	}
}

func TestGivenUpstreamsReplaceThoseOfObjects(t *testing.T) {
	l := &Loader{Upstreams: []shard.Server{{Name: "x", Addr: "127.0.0.1:1", Weight: 1}}, LookupEnv: func(string) (string, bool) { return "", false }}
	l.Flags("upstream")
	l.file = write(t, "r.yaml", "upstream: q:1\ntimeout: 4s\nlisteners: [{address: '127.0.0.1:2', upstream: main}]\nupstreams: {main: {servers: 'a:1', timeout: 9s}}\n")
	c, err := l.Load()
	if err != nil {
		t.Fatal(err)
	}
	u := c.Used(c.Listeners[0])
	if len(c.Upstreams) != 1 || u.Name != DefaultUpstream || u.Upstream[0].Name != "x" || u.Timeout != 4*time.Second || len(c.Listeners) != 1 {
		t.Errorf("%+v", c)
	}
}

// fieldsOf returns the fields of Config that the settings of a place set; 0: those of the process.
func fieldsOf(t *testing.T, p Place) (fields []string) {
	t.Helper()
	for _, s := range settings {
		if s.Place&^InTLS != p {
			continue
		}
		var ps Problems
		values := append([]string{s.Default}, s.Words...)
		values = append(values, parseFile("example", []byte(s.Example), &ps)[s.Name].values...)
		for _, v := range values {
			c := new(Config)
			if v == "" || s.set(c, []string{v}) != nil {
				continue
			}
			for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
				if f.IsExported() && !reflect.ValueOf(*c).FieldByIndex(f.Index).IsZero() && !slices.Contains(fields, f.Name) {
					fields = append(fields, f.Name)
				}
			}
		}
	}
	return fields
}

// differ lists the fields in which two configs differ.
func differ(a, b *Config, fields []string) (names []string) {
	for _, f := range fields {
		x, y := reflect.ValueOf(*a).FieldByName(f).Interface(), reflect.ValueOf(*b).FieldByName(f).Interface()
		if !reflect.DeepEqual(x, y) {
			names = append(names, fmt.Sprintf("%s: %v and %v", f, x, y))
		}
	}
	return names
}

const everything = `
protected-mode: false
pprof: true
admin: 0.0.0.0:9999
zone: "a 'quoted' zone # \u00e9"
hash-tag: '{}'
admin-hosts: [ringmaster, '*.x.example']
cluster-announce: 10.0.0.1:1
read-policy: any
server-zones: ['r:1=null']
replicas: ['x=r:1', 'x=r:2', 'b:1=r:3']
listeners:
  - {address: ':1', name: one, upstream: s, deny-commands: ['keys, client|kill'], rename-command: ['get=!#x', flushall=], admin-commands: allow, password: '(hidden)'}
  - {address: 'unix:///a b', upstream: 'null', cluster-facade: on}
  - {address: '[::1]:0', upstream: c, protected-mode: true, password: '(hidden)'}
  - {address: '[::1]:0', upstream: c, tls: {cert-file: ['/a b', d.crt], key-file: [c, d.key], auth-clients: optional, ca-cert-file: e, protocols: TLSv1.3}}
  - {address: '[::1]:1', upstream: c, tls: {auth-clients: no, key-file: z}}
tls-cert-file: x
tls-key-file: y
tls-ca-cert-file: w
upstreams:
  'null': {servers: ['a:1:2@x', 'unix:///run/b.sock@y', 'b:1'], timeout: 2m, username: 'null', password: '(hidden)', hash: md5, lost-subscriptions: resubscribe}
  s: {servers: ['s:1', '[::1]:2'], topology: sentinel, sentinel-masters: [m, n], sentinel-username: w, sentinel-password: '(hidden)'}
  c: {servers: 'c:1', topology: cluster, timeout: 0s, backoff-min: 20ms}
`

// TestTheTreeLoadsAgain: check --print prints a file with the same meaning.
func TestTheTreeLoadsAgain(t *testing.T) {
	for name, text := range map[string]string{
		"everything": everything, "flat": "upstream: a:1\n", "flat TLS": "upstream: a:1\ntls-cert-file: c\ntls-key-file: k\ntls-auth-clients: no\nlisten: ['127.0.0.1:1', 'unix:///x']\n", "sharded": "upstream: a:1,b:1\nlisten: ['127.0.0.1:0', '127.0.0.1:0']\ntimeout: 0s\n",
		"cluster": "upstream: a:1\ntopology: cluster\nhash-tag: '{}'\nloops: auto\n", "sentinel": "upstream: a:1\ntopology: sentinel\nsentinel-masters: m\n",
	} {
		first := mustLoadText(t, text)
		again := mustLoadText(t, first.Tree())
		for _, d := range differ(first, again, fieldsOf(t, 0)) {
			t.Errorf("%s: %s", name, d)
		}
		for i, l := range first.Listeners {
			o := again.Listeners[i]
			if l.Name != o.Name || l.Address != o.Address || l.Upstream != o.Upstream {
				t.Errorf("%s: %+v and %+v", name, l, o)
			}
			for _, d := range differ(l.Config, o.Config, append(fieldsOf(t, InListener), "ClusterFacade")) {
				t.Errorf("%s, listener %s: %s", name, l.Name, d)
			}
		}
		for i, u := range first.Upstreams {
			if u.Name != again.Upstreams[i].Name {
				t.Errorf("%s: %s and %s", name, u.Name, again.Upstreams[i].Name)
			}
			for _, d := range differ(u.Config, again.Upstreams[i].Config, fieldsOf(t, InUpstream)) {
				t.Errorf("%s, upstream %s: %s", name, u.Name, d)
			}
		}
		if t.Failed() {
			t.Log(first.Tree())
		}
	}
}

func TestTheTestAboveComparesEveryField(t *testing.T) {
	n := len(fieldsOf(t, 0)) + len(fieldsOf(t, InListener)) + len(fieldsOf(t, InUpstream))
	exported := 0
	for f := range reflect.TypeFor[Config]().Fields() {
		if f.IsExported() {
			exported++
		}
	}
	if want := exported - 3; n != want { // Listeners, Upstreams, ClusterFacade
		t.Errorf("%d fields are compared; want %d", n, want)
	}
}

func TestTheTreeSaysWhereValuesCameFrom(t *testing.T) {
	tree := mustLoadText(t, "timeout: 2s\nupstreams:\n a:\n  servers: a:1\n  dial-timeout: 3s\n", "--max-clients=5", "RINGMASTER_PASSWORD=hunter2").Tree()
	for _, want := range []string{
		"max-clients: 5  # flag --max-clients\n", "\n  - address: 127.0.0.1:6380  # default\n    name: 127.0.0.1:6380  # default\n    upstream: a  # default\n",
		"    password: (hidden)  # $RINGMASTER_PASSWORD\n", "\nupstreams:\n  a:\n", "    servers: [a:1]  # ", "r.yaml:4\n", "    dial-timeout: 3s  # ", "r.yaml:5\n",
		"    topology: standalone  # default\n", "    cluster-facade: off  # default\n",
	} {
		if !strings.Contains(tree, want) {
			t.Errorf("%q is not in\n%s", want, tree)
		}
	}
}

// FuzzLoadingNeverPanics loads files. A valid file prints a valid tree, which prints the same again.
func FuzzLoadingNeverPanics(f *testing.F) {
	for _, text := range []string{
		everything, oneUpstream, twoUpstreams, "listeners: [{address: ':1', upstream: a}]\nupstreams: {a: &a {servers: &s ['a:1']}, b: *a, c: {servers: *s}}",
		"upstreams: &u {a: *u}\nlisteners: &l [*l]", "listeners:\nupstreams: []\nroutes: x", "upstreams: {? [a] : b}", "upstream: a:1\nlisteners: [{<<: {}}, 1, null]",
		"upstream: a:1,b:1\nread-policy: nearest\nzone: \"\\u2028\\x7f\\0'\"\nreplicas: a:1=b:2:3@q",
	} {
		f.Add(text)
	}
	comments := func(tree string) string {
		lines := strings.Split(tree, "\n")
		for i, line := range lines {
			if at := strings.LastIndex(line, "  # "); at >= 0 {
				lines[i] = line[:at]
			}
		}
		return strings.Join(lines, "\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "-file") {
			return // it would read files of this machine
		}
		parse := func(text string) (*Config, error) {
			var ps Problems
			file := parseFile("f", []byte(text), &ps)
			l := &Loader{LookupEnv: func(string) (string, bool) { return "", false }}
			return l.load(file, ps)
		}
		c, err := parse(text)
		if err != nil {
			return
		}
		tree := c.Tree()
		again, err := parse(tree)
		if err != nil {
			t.Fatalf("%q\n%s\n%v", text, tree, err)
		}
		if comments(tree) != comments(again.Tree()) {
			t.Errorf("%q\n%s\n%s", text, tree, again.Tree())
		}
	})
}
