package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestFlagErrors(t *testing.T) {
	for args, want := range map[string]string{
		"--timeout 5":                   `invalid argument "5" for "--timeout" flag: want a duration: a number and a unit, such as 500ms, 5s or 2m`,
		"--timeout -1s":                 `invalid argument "-1s" for "--timeout" flag: want a duration from 0s to 24h`,
		"--backoff-min 0s":              `invalid argument "0s" for "--backoff-min" flag: want a duration from 1ms to 24h`,
		"--loops 0":                     `invalid argument "0" for "--loops" flag: want auto, or a whole number from 1 to 256`,
		"--max-clients many":            `invalid argument "many" for "--max-clients" flag: want a whole number from 1 to 10000000`,
		"--proto-max-bulk-len 5tb":      `invalid argument "5tb" for "--proto-max-bulk-len" flag: want a size: digits and a unit, such as 512mb, 64kb or 1gb`,
		"--proto-max-bulk-len 5":        `invalid argument "5" for "--proto-max-bulk-len" flag: want a size from 1mb to 1024gb`,
		"--topology shraded":            `invalid argument "shraded" for "--topology" flag: want one of auto, standalone, sharded, cluster, sentinel; did you mean "sharded"?`,
		"--poll kqueue":                 `invalid argument "kqueue" for "--poll" flag: want one of edge, level`,
		"--distribution ring":           `invalid argument "ring" for "--distribution" flag: want one of ketama, maglev, modula, random`,
		"--pprof=maybe":                 `invalid argument "maybe" for "--pprof" flag: want true or false`,
		"--hash-tag {":                  `invalid argument "{" for "--hash-tag" flag: want two characters, the opening and the closing one, such as '{}', or nothing`,
		"--listen 6380":                 `invalid argument "6380" for "--listen" flag: want HOST:PORT (an IPv6 address in brackets), such as 127.0.0.1:6380 or [::1]:6380`,
		"--listen ::1:6380":             `invalid argument "::1:6380" for "--listen" flag: want HOST:PORT (an IPv6 address in brackets), such as 127.0.0.1:6380 or [::1]:6380`,
		"--listen localhost:redis":      `invalid argument "localhost:redis" for "--listen" flag: port "redis": want a number from 0 to 65535, where 0 is any free port`,
		"--listen unix://run/x.sock":    `invalid argument "unix://run/x.sock" for "--listen" flag: want an absolute path: unix:///run/ringmaster.sock`,
		"--listen unix:/run/x.sock":     `invalid argument "unix:/run/x.sock" for "--listen" flag: want three slashes: unix:///run/ringmaster.sock`,
		"--admin 9380":                  `invalid argument "9380" for "--admin" flag: want HOST:PORT (an IPv6 address in brackets), such as 127.0.0.1:6380 or [::1]:6380`,
		"--upstream 10.0.0.1":           `invalid argument "10.0.0.1" for "--upstream" flag: server "10.0.0.1" has no port; want HOST:PORT[:WEIGHT][@NAME], with an IPv6 address in brackets, or unix:///PATH[:WEIGHT][@NAME]`,
		"--upstream redis://h:1":        `invalid argument "redis://h:1" for "--upstream" flag: server "redis://h:1" is a URL; write h:1`,
		"--upstream rediss://h:1":       `invalid argument "rediss://h:1" for "--upstream" flag: server "rediss://h:1" is a URL; write h:1; ringmaster speaks plain TCP to servers, and TLS is not supported`,
		"--listen rediss://h:1":         `invalid argument "rediss://h:1" for "--listen" flag: want HOST:PORT, not a URL; to speak TLS give --tls-cert-file and --tls-key-file`,
		"--admin http://h:1":            `invalid argument "http://h:1" for "--admin" flag: want HOST:PORT, not a URL`,
		"--upstraem 10.0.0.1:1":         `unknown flag: --upstraem`,
		"--listen unix:///" + long(200): `invalid argument "unix:///` + long(200) + `" for "--listen" flag: the path has 201 bytes; want at most 107, which is the system's limit for sockets`,
	} {
		_, err := load(t, strings.Fields(args))
		if err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", args, err, want)
		}
	}
}

// TestEmptyPasswordsAreRefused gives each password as empty, as an unset variable leaves it, from each source.
func TestEmptyPasswordsAreRefused(t *testing.T) {
	const text = "is given but empty, perhaps because a variable is not set; want a value, or leave it out for no password"
	for _, name := range passwords {
		variable := "RINGMASTER_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		args := []string{"--topology", "sentinel", "--upstream", "a:1", "--sentinel-masters", "m"}
		yaml := func(line string) []string {
			return with(args, "--config", write(t, "r.yaml", line))
		}
		for _, c := range []struct {
			what string
			args []string
			env  string
			want string
		}{
			{"flag", with(args, "--"+name, ""), "", "flag --" + name + ": " + text},
			{"flag over the environment", with(args, "--"+name+"="), variable + "=x", "flag --" + name + ": " + text},
			{"flag given twice", with(args, "--"+name, "x", "--"+name, ""), "", "flag --" + name + ": " + text},
			{"file flag", with(args, "--"+name+"-file", ""), "", "flag --" + name + "-file: " + text},
			{"file flag over the file", with(yaml(name+": x"), "--"+name+"-file", ""), "", "flag --" + name + "-file: " + text},
			{"environment", args, variable + "=", "$" + variable + ": " + name + ": " + text},
			{"environment, and the file gives one", yaml(name + ": x"), variable + "=", ""},
			{"file", yaml(name + ": ''"), "", "r.yaml:1: " + name + ": " + text},
			{"file names no file", yaml(name + "-file: ''"), "", "r.yaml:1: " + name + "-file: " + text},
			{"file without a value", yaml(name + ":"), "", "r.yaml:1: " + name + ": has no value; give one, or remove the line"},
			{"flag over an empty one in the environment", with(args, "--"+name, "x"), variable + "=", ""},
			{"nothing", args, "", ""},
		} {
			_, err := load(t, c.args, c.env)
			got := ""
			if err != nil {
				got = err.Error()[strings.LastIndex(err.Error(), "/")+1:]
			}
			if got != c.want {
				t.Errorf("%s, %s\ngot  %s\nwant %s", name, c.what, got, c.want)
			}
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

func TestFileErrorsNameTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"upstream: a:1\nuptream: b:1":                                                  `r.yaml:2: unknown setting "uptream"; did you mean "upstream"?`,
		"upstream: a:1\nlisten_addr: b:1":                                              `r.yaml:2: unknown setting "listen_addr"`,
		"upstream: a:1\n\n\ntimeout: 5":                                                `r.yaml:4: timeout: "5": want a duration: a number and a unit, such as 500ms, 5s or 2m`,
		"upstream: a:1\ntimeout: 5s\ntimeout: 6s":                                      `r.yaml:3: timeout: given twice; first at r.yaml:2`,
		"upstream: a:1\ntimeout: [1s, 2s]":                                             `r.yaml:2: timeout: want one value`,
		"upstream: a:1\ntimeout: {a: b}":                                               `r.yaml:2: timeout: want one value`,
		"upstream: a:1\ntimeout:":                                                      `r.yaml:2: timeout: has no value; give one ('' for an empty one), or remove the line`,
		"upstream: a:1\nhash-tag: {}":                                                  `r.yaml:2: hash-tag: braces have a meaning in YAML; want them in quotes: '{}'`,
		"upstream: []":                                                                 `r.yaml:1: upstream: an empty list; want at least one value`,
		"upstream:\n - a:1\n - b\n - c":                                                `r.yaml:3: upstream: "b": server "b" has no port; want HOST:PORT[:WEIGHT][@NAME], with an IPv6 address in brackets, or unix:///PATH[:WEIGHT][@NAME]` + "\n" + `r.yaml:4: upstream: "c": server "c" has no port; want HOST:PORT[:WEIGHT][@NAME], with an IPv6 address in brackets, or unix:///PATH[:WEIGHT][@NAME]`,
		"upstream:\n - [a]":                                                            `r.yaml:2: upstream: want a value, or a list of values`,
		"- a\n- b":                                                                     `r.yaml:1: want settings as "name: value" lines`,
		"a: b\n---\nc: d":                                                              `r.yaml: more than one YAML document; want one, without a second ---`,
		"upstream: a:1\n\tb: c":                                                        `r.yaml:2: not valid YAML: a tab in the indentation; use spaces (found a tab character that violates indentation)`,
		"upstream: a:1\npoll: both\nloops: x":                                          `r.yaml:2: poll: "both": want one of edge, level` + "\n" + `r.yaml:3: loops: "x": want auto, or a whole number from 1 to 256`,
		"upstream: a:1\nbackoff-min: 2s":                                               `r.yaml:2: backoff-min: 2s is longer than backoff-max, 500ms`,
		"upstream: a:1,b:1\ntopology: standalone":                                      `r.yaml:2: topology: standalone means one server, and upstream names 2; want topology sharded, or one server`,
		"upstream: a:1@x,b:1@x":                                                        `r.yaml:1: upstream: servers a:1 and b:1 have the same name "x": give each its own name with @NAME`,
		"upstream: 127.0.0.1:6380":                                                     `listen: 127.0.0.1:6380 is an upstream too: ringmaster would be its own client`,
		"upstream: a:1\nlisten: ['[::1]:5', '[::1]:5']":                                `r.yaml:2: listen: [::1]:5 is given twice`,
		"upstream: a:1\nlisten: 127.0.0.1:9380":                                        `r.yaml:2: listen: 127.0.0.1:9380 is the admin address too; give one of them another port`,
		"upstream: a:1\nupstream-username: u":                                          `r.yaml:2: upstream-username: there is no upstream password; give one with --upstream-password-file or $RINGMASTER_UPSTREAM_PASSWORD`,
		"upstream: a:1\npassword: p\npassword-file: q":                                 `r.yaml:3: password-file: password is also given (r.yaml:2); want only one of them`,
		"upstream: a:1\nstall-timeout: 1s":                                             `r.yaml:2: stall-timeout: 1s is shorter than timeout, 5s: connections would be closed before their commands time out; want at least the timeout, or 0 for never`,
		"upstream: a:1\nsentinel-masters: m":                                           `r.yaml:2: sentinel-masters: is not used with topology standalone; to use it give --topology sentinel, and the sentinels as --upstream`,
		"upstream: a:1\ntopology: sentinel":                                            `r.yaml:2: sentinel-masters: no master's name is given; want the names in "sentinel monitor NAME ..."`,
		"topology: sentinel\nupstream: a:1:2\nsentinel-masters: m":                     `r.yaml:2: upstream: a:1: with topology sentinel these are sentinels; want HOST:PORT`,
		"topology: sentinel\nupstream: a:1@x\nsentinel-masters: m":                     `r.yaml:2: upstream: a:1: with topology sentinel these are sentinels; want HOST:PORT`,
		"topology: sentinel\nupstream: a:1\nsentinel-masters: m,m":                     `r.yaml:3: sentinel-masters: "m,m": m is given twice`,
		"topology: sentinel\nupstream: a:1\nsentinel-masters: [m, '']":                 `sentinel-masters: want names as in "sentinel monitor NAME ...", without blanks; got ""`,
		"topology: sentinel\nupstream: a:1\nsentinel-masters: m\nsentinel-username: u": `r.yaml:4: sentinel-username: there is no sentinel password; give one with --sentinel-password-file or $RINGMASTER_SENTINEL_PASSWORD`,
		"topology: cluster\nupstream: a:1,b:1:2":                                       `r.yaml:2: upstream: b:1: nodes of a cluster take no weights or names; want HOST:PORT`,
		"topology: cluster\nupstream: a:1@n":                                           `r.yaml:2: upstream: a:1: nodes of a cluster take no weights or names; want HOST:PORT`,
		"topology: cluster\nupstream: a:1\nhash: crc16":                                `r.yaml:3: hash: a cluster places keys by its own rules; leave this out`,
		"topology: cluster\nupstream: a:1\nhash-tag: '[]'":                             `r.yaml:3: hash-tag: a cluster places keys by its own rules; leave this out`,
		"password: [hunter2]\nupstream: a:1":                                           `r.yaml:1: password: want one value`,
		"":                                                                             `upstream: no server is given; want --upstream HOST:PORT[,HOST:PORT...], or "upstream:" in the file that --config names`,
		"# only a comment":                                                             `upstream: no server is given; want --upstream HOST:PORT[,HOST:PORT...], or "upstream:" in the file that --config names`,
	} {
		path := write(t, "r.yaml", text)
		_, err := load(t, []string{"--config", path})
		if err == nil {
			t.Errorf("%q: accepted", text)
			continue
		}
		got := strings.ReplaceAll(problems(t, err), filepath.Dir(path)+string(filepath.Separator), "")
		if !strings.Contains(got, want) {
			t.Errorf("%q\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestSeedsOfAnyForm(t *testing.T) {
	seeds := []string{"--upstream", "a:1,[::1]:6379,10.0.0.1:11211"}
	if _, err := load(t, append(seeds, "--topology", "cluster", "--hash-tag", "{}")); err != nil {
		t.Errorf("nodes of a cluster: %v", err)
	}
	if _, err := load(t, append(seeds, "--topology", "sentinel", "--sentinel-masters", "m")); err != nil {
		t.Errorf("sentinels: %v", err)
	}
	if _, err := load(t, []string{"--upstream", "unix:///x", "--topology", "cluster"}); err != nil {
		t.Errorf("a node at a path: %v", err)
	}
}

func TestUnreadableFiles(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	empty := write(t, "empty", "\nsecond")
	huge := write(t, "huge", strings.Repeat("x", maxPasswordFile+1))
	hugeYAML := write(t, "huge.yaml", strings.Repeat("#", maxFile+1))
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--config", missing}, "config: open " + missing + ": no such file or directory"},
		{[]string{"--config", hugeYAML}, "config: " + hugeYAML + ": larger than 1048576 bytes"},
		{with(one, "--password-file", missing), "flag --password-file: open " + missing + ": no such file or directory"},
		{with(one, "--password-file", empty), "flag --password-file: " + empty + ": the first line is empty; want the password there"},
		{with(one, "--upstream-password-file", huge), "flag --upstream-password-file: " + huge + ": larger than 4096 bytes"},
	} {
		_, err := load(t, tc.args)
		if got := problems(t, err); !strings.Contains(got, tc.want) {
			t.Errorf("%v\ngot  %s\nwant %s", tc.args, got, tc.want)
		}
	}
}

func TestProtectedMode(t *testing.T) {
	for args, wantRefused := range map[string]bool{
		"--listen 127.0.0.1:1":                               false,
		"--listen 127.8.9.1:1":                               false,
		"--listen [::1]:1":                                   false,
		"--listen localhost:1":                               false,
		"--listen unix:///tmp/x":                             false,
		"--listen 0.0.0.0:1":                                 true,
		"--listen :1":                                        true,
		"--listen [::]:1":                                    true,
		"--listen [::ffff:10.0.0.1]:1":                       true,
		"--listen [::ffff:127.0.0.1]:1":                      false,
		"--listen localhost.example.com:1":                   true,
		"--listen 127.0.0.1:1 --listen 10.0.0.9:1":           true,
		"--listen 0.0.0.0:1 --password x":                    false,
		"--listen 0.0.0.0:1 --protected-mode=false":          false,
		"--admin 0.0.0.0:1":                                  false,
		"--admin 0.0.0.0:1 --pprof":                          true,
		"--admin 0.0.0.0:1 --pprof --protected-mode=no":      false,
		"--admin 127.0.0.1:1 --pprof":                        false,
		"--listen 0.0.0.0:1 --password-file /dev/null":       true,
		"--listen 0.0.0.0:1 --upstream-password not-clients": true,
	} {
		_, err := load(t, with(one, strings.Fields(args)...))
		if (err != nil) != wantRefused {
			t.Errorf("%s: %v", args, err)
		}
	}
	_, err := load(t, with(one, "--listen", "0.0.0.0:6380"))
	want := "flag --listen: 0.0.0.0:6380 can be reached from other machines, and no password is set (protected mode); " +
		"set one with --password-file or $RINGMASTER_PASSWORD, or listen on 127.0.0.1, or, if the network keeps others out, give --protected-mode=false"
	if got := problems(t, err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
