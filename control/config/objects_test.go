package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// loadText loads a file called r.yaml with flags and environment.
func loadText(t *testing.T, text string, more ...string) (*Config, error) {
	t.Helper()
	var args, env []string
	for _, m := range more {
		if strings.HasPrefix(m, "-") {
			args = append(args, m)
		} else {
			env = append(env, m)
		}
	}
	path := write(t, "r.yaml", text)
	c, err := load(t, append([]string{"--config", path}, args...), env...)
	var ps Problems
	if err != nil {
		ps = err.(Problems)
		for i := range ps {
			ps[i].Where = strings.ReplaceAll(ps[i].Where, path, "r.yaml")
			ps[i].Text = strings.ReplaceAll(ps[i].Text, path, "r.yaml")
		}
		return nil, ps
	}
	return c, nil
}

// refused checks that a file gives exactly these problems, a line each.
func refused(t *testing.T, text, want string, more ...string) {
	t.Helper()
	_, err := loadText(t, text, more...)
	if err == nil {
		t.Errorf("accepted:\n%s", text)
		return
	}
	if got := err.Error(); got != want {
		t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
	}
}

const (
	twoUpstreams = "upstreams:\n  cache: {servers: 'a:1'}\n  main: {servers: 'b:1'}\n" // three lines
	oneUpstream  = "upstreams: {main: {servers: 'a:1'}}\n"                             // one line
)

func TestMistakesInObjects(t *testing.T) {
	const servers = ` has no port; want HOST:PORT[:WEIGHT][@NAME], with an IPv6 address in brackets, or unix:///PATH[:WEIGHT][@NAME]`
	for text, want := range map[string]string{
		// shapes
		"listeners:\n" + oneUpstream:                     `r.yaml:1: listeners: want a list of listeners, each with an address`,
		"listeners: []\n" + oneUpstream:                  `r.yaml:1: listeners: an empty list; want at least one`,
		"listeners: {a: b}\n" + oneUpstream:              `r.yaml:1: listeners: want a list of listeners, each with an address`,
		"listeners: ['a:1']\n" + oneUpstream:             `r.yaml:1: listeners[0]: want settings as "name: value" lines`,
		"listeners: [{}]\n" + oneUpstream:                `r.yaml:1: listeners[0]: no address is given; want address: HOST:PORT or unix:///PATH`,
		"listeners: [{address: }]\n" + oneUpstream:       `r.yaml:1: listeners[0].address: has no value; give one ('' for an empty one), or remove the line`,
		"listeners: [{address: [':1']}]\n" + oneUpstream: `r.yaml:1: listeners[0].address: want one value`,
		"listeners: [{address: x}]\n" + oneUpstream:      `r.yaml:1: listeners[0].address: "x": want HOST:PORT (an IPv6 address in brackets), such as 127.0.0.1:6380 or [::1]:6380`,
		"upstreams:":                           `r.yaml:1: upstreams: want names of upstreams, each with servers`,
		"upstreams: {}":                        `r.yaml:1: upstreams: an empty list; want at least one`,
		"upstreams: ['a:1']":                   `r.yaml:1: upstreams: want names of upstreams, each with servers`,
		"upstreams:\n  main:":                  `r.yaml:2: upstreams.main: want settings as "name: value" lines`,
		"upstreams:\n  main: {}":               `r.yaml:2: upstreams.main: no servers are given; want servers: HOST:PORT[,HOST:PORT...]`,
		"upstreams:\n  main:\n    timeout: 1s": `r.yaml:2: upstreams.main: no servers are given; want servers: HOST:PORT[,HOST:PORT...]`,
		"upstreams:\n  main:\n    servers: []": `r.yaml:3: upstreams.main.servers: an empty list; want at least one value`,
		"upstreams:\n main:\n  servers:\n   - a:1\n   - b:1\n   - x": `r.yaml:6: upstreams.main.servers[2]: "x": server "x"` + servers,
		"upstreams:\n main:\n  servers: x":                           `r.yaml:3: upstreams.main.servers: "x": server "x"` + servers,
		// keys
		oneUpstream + "listeners: [{address: ':1', addres: x}]":                                             `r.yaml:2: listeners[0]: unknown setting "addres"; did you mean "address"?`,
		oneUpstream + "listeners: [{address: ':1', upstraem: x}]":                                           `r.yaml:2: listeners[0]: unknown setting "upstraem"; did you mean "upstream"?`,
		"upstreams:\n main:\n  servers: a:1\n  conections: 2":                                               `r.yaml:4: upstreams.main: unknown setting "conections"; did you mean "connections"?`,
		"upstreams:\n main:\n  servers: a:1\n  <<: {timeout: 1s}":                                           `r.yaml:4: upstreams.main: unknown setting "<<"`,
		"upstreams:\n main:\n  servers: a:1\n  servers: b:1":                                                `r.yaml:4: upstreams.main.servers: given twice; first at r.yaml:3`,
		"upstreams:\n main:\n  servers: a:1\n main:\n  servers: b:1":                                        `r.yaml:4: upstreams.main: given twice; first at r.yaml:2`,
		oneUpstream + oneUpstream:                                                                           `r.yaml:2: upstreams: given twice; first at r.yaml:1`,
		"listeners: [{address: ':1'}]\nlisteners: [{address: ':2'}]\nprotected-mode: false\n" + oneUpstream: `r.yaml:2: listeners: given twice; first at r.yaml:1`,
		"listeer: x\nupstream: a:1":                                                                         `r.yaml:1: unknown setting "listeer"; did you mean "listen"?`,
		"upstreems: {}\n" + oneUpstream:                                                                     `r.yaml:1: unknown setting "upstreems"; did you mean "upstreams"?`,
		// places
		oneUpstream + "listeners: [{address: ':1', timeout: 1s}]":          `r.yaml:2: listeners[0].timeout: is not possible in a listener; it belongs at the top level, or in an upstream`,
		oneUpstream + "listeners: [{address: ':1', max-clients: 1}]":       `r.yaml:2: listeners[0].max-clients: is not possible in a listener; it belongs at the top level`,
		oneUpstream + "listeners: [{address: ':1', servers: 'a:1'}]":       `r.yaml:2: listeners[0].servers: is not possible in a listener; it belongs in an upstream`,
		oneUpstream + "listeners: [{address: ':1', username: u}]":          `r.yaml:2: listeners[0].username: is not possible in a listener; it belongs in an upstream`,
		oneUpstream + "listeners: [{address: ':1', upstream-username: u}]": `r.yaml:2: listeners[0].upstream-username: is not possible in a listener; it belongs at the top level, or in an upstream as username`,
		oneUpstream + "listeners: [{address: ':1', listen: ':2'}]":         `r.yaml:2: listeners[0].listen: is called address in a listener`,
		"upstreams: {main: {servers: 'a:1', upstream: 'b:1'}}":             `r.yaml:1: upstreams.main.upstream: is called servers in an upstream`,
		"upstreams: {main: {servers: 'a:1', upstream-connections: 1}}":     `r.yaml:1: upstreams.main.upstream-connections: is called connections in an upstream`,
		"upstreams: {main: {servers: 'a:1', idle-timeout: 1s}}":            `r.yaml:1: upstreams.main.idle-timeout: is not possible in an upstream; it belongs at the top level, or in a listener`,
		"upstreams: {main: {servers: 'a:1', listen: ':1'}}":                `r.yaml:1: upstreams.main.listen: is not possible in an upstream; it belongs at the top level, or in a listener as address`,
		"upstreams: {main: {servers: 'a:1', loops: 1}}":                    `r.yaml:1: upstreams.main.loops: is not possible in an upstream; it belongs at the top level`,
		// not yet
		oneUpstream + "routes: []":                                                    `r.yaml:2: routes: not available yet`,
		oneUpstream + "users:":                                                        `r.yaml:2: users: not available yet`,
		oneUpstream + "faults: 1":                                                     `r.yaml:2: faults: not available yet`,
		oneUpstream + "external-auth: {}":                                             `r.yaml:2: external-auth: not available yet`,
		oneUpstream + "listeners: [{address: '127.0.0.1:1', tls: {}}]":                `r.yaml:2: listeners[0].tls: want settings such as cert-file and key-file, or off`,
		oneUpstream + "listeners: [{address: '127.0.0.1:1', proxy-protocol: true}]":   `r.yaml:2: listeners[0].proxy-protocol: not available yet`,
		oneUpstream + "listeners: [{address: '127.0.0.1:1', proxy-protocol-from: 1}]": `r.yaml:2: listeners[0].proxy-protocol-from: not available yet`,
		"upstreams: {main: {servers: 'a:1', tls: {}}}":                                `r.yaml:1: upstreams.main.tls: not available yet`,
		"upstreams: {main: {servers: 'a:1', eject: true}}":                            `r.yaml:1: upstreams.main.eject: not available yet`,
		// names
		"upstreams: {'a b': {servers: 'a:1'}}":                                                               `r.yaml:1: upstreams: "a b": want a name of 1 to 64 letters, digits, '.', '-' and '_'`,
		"upstreams: {'': {servers: 'a:1'}}":                                                                  `r.yaml:1: upstreams: "": want a name of 1 to 64 letters, digits, '.', '-' and '_'`,
		"upstreams: {" + long(65) + ": {servers: 'a:1'}}":                                                    `r.yaml:1: upstreams: "` + long(65) + `": want a name of 1 to 64 letters, digits, '.', '-' and '_'`,
		oneUpstream + "listeners: [{address: '127.0.0.1:1', name: 'a b'}]":                                   `r.yaml:2: listeners[0].name: "a b": want 1 to 128 letters, digits and signs without blanks`,
		oneUpstream + "listeners: [{address: '127.0.0.1:1', name: }]":                                        `r.yaml:2: listeners[0].name: has no value; give one, or remove the line`,
		oneUpstream + "listeners: [{address: '127.0.0.1:1', upstream: [main]}]":                              `r.yaml:2: listeners[0].upstream: want one value`,
		oneUpstream + "listeners:\n- {address: '127.0.0.1:1', name: a}\n- {address: '127.0.0.1:2', name: a}": `r.yaml:4: listeners[1].name: "a" is the name of another listener`,
		oneUpstream + "listeners:\n- {address: '127.0.0.1:1'}\n- {address: '127.0.0.1:1', name: a}":          `r.yaml:4: listeners[1].address: 127.0.0.1:1 is given twice`,
		// which upstream
		twoUpstreams + "listeners: [{address: '127.0.0.1:1', upstream: mian}]": `r.yaml:4: listeners[0].upstream: there is no upstream "mian"; want one of cache, main; did you mean "main"?`,
		twoUpstreams + "listeners: [{address: '127.0.0.1:1'}]":                 `r.yaml:4: listeners[0].upstream: is not given, and no upstream is called default; want one of cache, main`,
		twoUpstreams: `listen: there are several upstreams and none is called default; want listeners instead, each with upstream: one of cache, main`,
		"upstream: a:1\nlisteners: [{address: '127.0.0.1:1', upstream: x}]": `r.yaml:2: listeners[0].upstream: there is no upstream "x"; want one of default`,
		// two forms
		"listen: 127.0.0.1:1\nupstream: a:1\nlisteners: [{address: '127.0.0.1:2'}]": `r.yaml:1: listen: listeners are also given (r.yaml:3); want only one of them`,
		"upstream: b:1\n" + oneUpstream:                                             `r.yaml:1: upstream: upstreams are also given (r.yaml:2); want only one of them`,
	} {
		refused(t, text, want)
	}
	refused(t, oneUpstream, `flag --upstream: upstreams are also given (r.yaml:1); want only one of them`, "--upstream=b:1")
	refused(t, "upstream: a:1\nlisteners: [{address: '127.0.0.1:2'}]",
		`flag --listen: listeners are also given (r.yaml:2); want only one of them`, "--listen=127.0.0.1:1")
}

func TestSettingsOfObjectsThatDoNotFitEachOther(t *testing.T) {
	in := func(settings string) string { return "upstreams:\n main:\n  servers: a:1\n  " + settings }
	for text, want := range map[string]string{
		in("username: u"):                     `r.yaml:4: upstreams.main.username: there is no password; give one with password-file`,
		in("password: p\n  password-file: q"): `r.yaml:5: upstreams.main.password-file: password is also given (r.yaml:4); want only one of them` + "\nr.yaml:5: upstreams.main.password-file: open q: no such file or directory",
		in("password: ''"):                    `r.yaml:4: upstreams.main.password: is given but empty, perhaps because a variable is not set; want a value, or leave it out for no password`,
		in("password: [hunter2]"):             `r.yaml:4: upstreams.main.password: want one value`,
		in("backoff-min: 2s"):                 `r.yaml:4: upstreams.main.backoff-min: 2s is longer than backoff-max, 500ms`,
		in("stall-timeout: 1s"):               `r.yaml:4: upstreams.main.stall-timeout: 1s is shorter than timeout, 5s: connections would be closed before their commands time out; want at least the timeout, or 0 for never`,
		in("sentinel-masters: m"):             `r.yaml:4: upstreams.main.sentinel-masters: is not used with topology standalone; to use it give topology: sentinel, and the sentinels as servers`,
		in("topology: sentinel"):              `r.yaml:4: upstreams.main.sentinel-masters: no master's name is given; want the names in "sentinel monitor NAME ..."`,
		in("topology: sentinel\n  sentinel-masters: m\n  sentinel-username: u"): `r.yaml:6: upstreams.main.sentinel-username: there is no sentinel password; give one with sentinel-password-file`,
		in("topology: cluster\n  hash: md5"):                                    `r.yaml:5: upstreams.main.hash: a cluster places keys by its own rules; leave this out`,
		in("topology: cluster\n  replicas: a:1=b:1"):                            `r.yaml:5: upstreams.main.replicas: a cluster and sentinels report replicas themselves; leave this out`,
		in("replicas: x=b:1"):                                                   `r.yaml:4: upstreams.main.replicas: there is no server "x"`,
		in("replicas: a:1=a:1"):                                                 `r.yaml:4: upstreams.main.replicas: a:1 is a server itself`,
		in("read-policy: nearest"):                                              `r.yaml:4: upstreams.main.read-policy: nearest needs the zone of ringmaster; give zone`,
		"upstreams:\n main:\n  servers: ['a:1', 'b:1']\n  topology: standalone": `r.yaml:4: upstreams.main.topology: standalone means one server, and servers names 2; want topology sharded, or one server`,
		"upstreams:\n main:\n  servers: ['a:1@x', 'b:1@x']":                     `r.yaml:3: upstreams.main.servers: servers a:1 and b:1 have the same name "x": give each its own name with @NAME`,
		"upstreams:\n main:\n  topology: cluster\n  servers: a:1:2":             `r.yaml:4: upstreams.main.servers: a:1: nodes of a cluster take no weights or names; want HOST:PORT`,
		"stall-timeout: 1s\n" + oneUpstream:                                     `r.yaml:1: upstreams.main.stall-timeout: 1s is shorter than timeout, 5s: connections would be closed before their commands time out; want at least the timeout, or 0 for never`,
		"replicas: x=b:1\n" + oneUpstream:                                       `r.yaml:1: replicas: no upstream has a server "x"`,
		// listeners
		oneUpstream + "listeners:\n - address: 0.0.0.0:1": `r.yaml:3: listeners[0].address: 0.0.0.0:1 can be reached from other machines, and no password is set (protected mode); ` +
			`set one with password-file or $RINGMASTER_PASSWORD, or use 127.0.0.1, or, if the network keeps others out, give protected-mode: false`,
		oneUpstream + "listeners:\n - address: 127.0.0.1:9380":                                     `r.yaml:3: listeners[0].address: 127.0.0.1:9380 is the admin address too; give one of them another port`,
		"upstreams: {main: {servers: '127.0.0.1:7'}}\nlisteners:\n - address: 127.0.0.1:7":         `r.yaml:3: listeners[0].address: 127.0.0.1:7 is a server of upstream main too: ringmaster would be its own client`,
		oneUpstream + "listeners:\n - address: 127.0.0.1:1\n   cluster-announce: c:1":              `r.yaml:4: listeners[0].cluster-announce: has no effect while the cluster facade is off; give cluster-facade: on`,
		oneUpstream + "listeners:\n - address: 127.0.0.1:1\n   rename-command: ['get=a', 'get=b']": `r.yaml:4: listeners[0].rename-command: "get=b": get is renamed twice`,
		oneUpstream + "listeners:\n - address: 127.0.0.1:1\n   password-file: /none":               `r.yaml:4: listeners[0].password-file: open /none: no such file or directory`,
	} {
		refused(t, text, want)
	}
}

// TestEveryMistakeOfEveryObjectIsReported has one in each place.
func TestEveryMistakeOfEveryObjectIsReported(t *testing.T) {
	refused(t, "timeout: 5\nlisteners:\n - {address: ':x', tls: 1}\n - {name: b}\nupstreams:\n a:\n  servers: 'a:1'\n  password-file: /none\n b: {scripts: sometimes}\n",
		`r.yaml:1: timeout: "5": want a duration: a number and a unit, such as 500ms, 5s or 2m
r.yaml:3: listeners[0].address: ":x": port "x": want a number from 0 to 65535, where 0 is any free port
r.yaml:3: listeners[0].tls: want settings such as cert-file and key-file, or off
r.yaml:4: listeners[1]: no address is given; want address: HOST:PORT or unix:///PATH
r.yaml:9: upstreams.b.scripts: "sometimes": want one of auto, shared, own
r.yaml:9: upstreams.b: no servers are given; want servers: HOST:PORT[,HOST:PORT...]
r.yaml:8: upstreams.a.password-file: open /none: no such file or directory`)
}

func TestAtMostSoManyObjects(t *testing.T) {
	listeners, upstreams := "listeners:\n", "upstreams:\n"
	for i := range maxListeners + 1 {
		listeners += fmt.Sprintf(" - address: 127.0.0.1:%d\n", i+1)
		if i == maxListeners-1 {
			if c, err := loadText(t, oneUpstream+listeners); err != nil || len(c.Listeners) != maxListeners {
				t.Error(err)
			}
		}
	}
	refused(t, oneUpstream+listeners, "r.yaml:2: listeners: 257 are given; want at most 256")
	for i := range maxUpstreams + 1 {
		upstreams += fmt.Sprintf(" u%d: {servers: 'a:1'}\n", i)
		if i == maxUpstreams-1 {
			if c, err := loadText(t, upstreams+"listeners: [{address: '127.0.0.1:1', upstream: u7}]"); err != nil || len(c.Upstreams) != maxUpstreams {
				t.Error(err)
			}
		}
	}
	refused(t, upstreams, "r.yaml:1: upstreams: 65 are given; want at most 64")
}

func TestAliasesOfObjectsAndValues(t *testing.T) {
	c, err := loadText(t, "timeout: &t 7s\nupstreams:\n a: &a {servers: &s ['a:1', 'b:1'], backoff-max: *t}\n b: *a\n c: {servers: *s, timeout: *t}\nlisteners: [{address: '127.0.0.1:1', upstream: c}]\n")
	if err != nil {
		t.Fatal(err)
	}
	if c.Upstreams[1].BackoffMax != 7*time.Second || len(c.Upstreams[1].Upstream) != 2 || len(c.Upstreams[2].Upstream) != 2 {
		t.Errorf("%+v", c.Upstreams)
	}
}

// TestHostileFilesEnd loads small files that would take endless work or memory without the limits.
func TestHostileFilesEnd(t *testing.T) {
	const size = maxFile / 8 // larger ones only take longer
	var aliases, wide, nested strings.Builder
	aliases.WriteString("zone: &x " + strings.Repeat("x", maxFile/2) + "\nupstreams:\n")
	wide.WriteString("upstreams:\n u: &u {" + strings.Repeat("k: v, ", size/32) + "}\n")
	for i := range maxUpstreams - 1 {
		fmt.Fprintf(&aliases, " u%d: {servers: *x, zone: *x}\n", i)
		fmt.Fprintf(&wide, " u%d: *u\n", i)
	}
	nested.WriteString("a: &a0 [x]\n")
	for i := range 30 {
		fmt.Fprintf(&nested, "a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	for name, text := range map[string]string{
		"a long value in many places":      aliases.String(),
		"a large object in many places":    wide.String(),
		"aliases of aliases":               nested.String() + "upstreams: *a30\nlisteners: *a30\n",
		"an alias inside itself":           "upstreams: &u {a: *u, servers: *u}\nlisteners: &l [*l, {address: *l}]\n",
		"deep lists":                       "listeners: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "\n",
		"deep mappings":                    "upstreams: " + strings.Repeat("{a: ", 9000) + strings.Repeat("}", 9000) + "\n",
		"too deep":                         "listeners: " + strings.Repeat("[", size/2),
		"many listeners":                   "listeners:\n" + strings.Repeat("- {}\n", size/5),
		"many upstreams":                   "upstreams:\n" + strings.Repeat(" a: {}\n", size/7),
		"many unknown keys in an object":   "listeners:\n - address: a:1\n" + strings.Repeat("   k: 1\n", size/32),
		"many bad values":                  "upstreams:\n a:\n  servers:\n" + strings.Repeat("  - x\n", size/24),
		"keys that are lists and mappings": "upstreams: {[a]: {servers: 'a:1'}, {b: c}: {}}\nlisteners: [{[address]: x, ? {a: b} : c}]\n",
	} {
		if len(text) > maxFile {
			t.Errorf("%s: %d bytes are refused for that alone", name, len(text))
		}
		if _, err := loadText(t, text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	_, err := loadText(t, aliases.String())
	if want := "the aliases expand to more than 1048576 bytes; use fewer or shorter ones"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("want %s", want)
	}
}
