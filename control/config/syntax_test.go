package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestYAMLMistakesNameTheLineAndTheCure(t *testing.T) {
	for text, want := range map[string]string{
		"listeners:\n  - address: ':1'\n   password: x\nupstream: a:1\n":      `r.yaml:3: not valid YAML: this line does not fit the lines before it; check its indentation`,
		"upstreams:\n  main:\n    servers: a:1\n\n   # why\n   timeout: 5s\n": `r.yaml:6: not valid YAML: this line does not fit the lines before it; check its indentation`,
		"upstream: a:1\n  timeout: 5s\n":                                      `r.yaml:2: not valid YAML: a colon that does not fit here; check the indentation`,
		"a: b: c\n":                                                           `r.yaml:1: not valid YAML: a colon that does not fit here`,
		"upstream a:1\ntimeout: 5s\n":                                         `r.yaml:2: not valid YAML: a colon that does not fit here; check the indentation, and whether the line before lacks a colon`,
		"timeout: 5s\nupstream: [a:1,\n  b:1\n":                               `r.yaml:2: not valid YAML: the list or mapping in brackets that begins here has no end`,
		"loops: 1\nupstream: \"a:1\ntimeout: 5s":                              `r.yaml:2: not valid YAML: a text in quotes that begins here has no end`,
		"loops: 1\npassword: @x\nupstream: a:1":                               `r.yaml:2: not valid YAML: a value begins with a character that means something in YAML`,
		"upstream:\n\t- a:1\n":                                                `r.yaml:2: not valid YAML: a tab in the indentation; use spaces`,
		"loops: 1\n\nhash-tag: {}}\n":                                         `r.yaml:3: not valid YAML: this line does not fit the lines before it`,
		"loops: 1\nzone: \x01\n":                                              `r.yaml:2: not valid YAML: control characters are not allowed`,
		"loops: 1\nupstream: [a:1,\n b:1]\n x: 1":                             `r.yaml:4: not valid YAML: `,
	} {
		path := write(t, "r.yaml", text)
		_, err := load(t, []string{"--config", path})
		got := strings.ReplaceAll(problems(t, err), filepath.Dir(path)+string(filepath.Separator), "")
		if !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%q\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// TestTheFaultInALargeFileIsFoundSoon: the file is read several times, but within a bound.
func TestTheFaultInALargeFileIsFoundSoon(t *testing.T) {
	var b strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&b, "  a%d: 'x\n", i) // quotes that later lines close
	}
	begin := time.Now()
	var ps Problems
	parseFile("r.yaml", []byte("upstreams:\n"+b.String()), &ps)
	if took := time.Since(begin); len(ps) != 1 || took > 20*time.Second {
		t.Errorf("%v after %v", ps, took)
	}
}

func TestFilesOfOtherProxiesAreKnown(t *testing.T) {
	for text, want := range map[string]string{
		"alpha:\n  listen: 127.0.0.1:22121\n  hash: fnv1a_64\n  servers:\n   - 127.0.0.1:6379:1\nbeta:\n  listen: 127.0.0.1:22122\n": `r.yaml:1: this looks like a file of twemproxy (nutcracker), with "alpha" as a pool; docs/migrating.md says how to write the same for ringmaster`,
		"admin:\n  address: x\nstatic_resources:\n  listeners: []\n":                                                                 `r.yaml:3: this looks like a file of Envoy; docs/migrating.md says how to write the same for ringmaster`,
		"upstream: a:1\nalpha: {servers: [a]}":                                                                                       `r.yaml:2: unknown setting "alpha"`,
	} {
		path := write(t, "r.yaml", text)
		_, err := load(t, []string{"--config", path})
		if got := strings.ReplaceAll(problems(t, err), filepath.Dir(path)+string(filepath.Separator), ""); got != want {
			t.Errorf("%q\ngot  %s\nwant %s", text, got, want)
		}
	}
}
