package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"ringmaster/shard"
)

// load runs a Loader on a command line; env is NAME=value.
func load(t *testing.T, args []string, env ...string) (*Config, error) {
	t.Helper()
	l := &Loader{LookupEnv: func(name string) (string, bool) {
		for _, e := range env {
			if k, v, set := strings.Cut(e, "="); set && k == name {
				return v, true
			}
		}
		return "", false
	}}
	fs := pflag.NewFlagSet("ringmaster", pflag.ContinueOnError)
	for _, set := range l.Flags() {
		fs.AddFlagSet(set)
	}
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	return l.Load()
}

func mustLoad(t *testing.T, args []string, env ...string) *Config {
	t.Helper()
	c, err := load(t, args, env...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return c
}

// write makes a file in a new directory and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var one = []string{"--upstream", "10.0.0.1:6379"}

func with(base []string, more ...string) []string {
	return append(append([]string(nil), base...), more...)
}

func TestOneUpstreamIsEnoughToRun(t *testing.T) {
	c := mustLoad(t, one)
	got := fmt.Sprintln(c.Listen, c.Topology, c.Distribution, c.Hash, c.Admin, c.Timeout, c.UpstreamConnections,
		c.MaxClients, c.ProtectedMode, c.DrainTimeout, c.OutputLimit)
	want := "[127.0.0.1:6380] standalone ketama fnv1a_64 127.0.0.1:9380 5s 1 10000 true 10s 268435456\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if c.Loops < 1 || c.Loops > maxAutoLoops {
		t.Errorf("loops: %d", c.Loops)
	}
}

func TestSeveralUpstreamsAreSharded(t *testing.T) {
	c := mustLoad(t, []string{"--upstream", "a:1:2@x,b:2", "--upstream", "c:3"})
	if c.Topology != Sharded || len(c.Upstream) != 3 || c.Upstream[0].Weight != 2 || c.Upstream[0].Name != "x" {
		t.Errorf("%+v", c.Upstream)
	}
	if c = mustLoad(t, with(one, "--topology", "sharded")); c.Topology != Sharded {
		t.Errorf("topology %s", c.Topology)
	}
}

func TestFlagOverFileOverDefault(t *testing.T) {
	file := write(t, "r.yaml", "timeout: 2s\nmax-clients: 77\nlisten: ['127.0.0.1:1', '127.0.0.1:2']\nupstream: a:1,b:2\n")
	c := mustLoad(t, []string{"--config", file, "--timeout", "3s", "--listen", "127.0.0.1:9"})
	if c.Timeout != 3*time.Second || c.MaxClients != 77 || c.DialTimeout != time.Second {
		t.Errorf("timeout %s, max-clients %d, dial-timeout %s", c.Timeout, c.MaxClients, c.DialTimeout)
	}
	if diff := cmp.Diff([]string{"127.0.0.1:9"}, c.Listen); diff != "" {
		t.Error(diff)
	}
	if len(c.Upstream) != 2 {
		t.Errorf("upstream %v", c.Upstream)
	}
}

func TestPasswordsByPrecedence(t *testing.T) {
	secretFile := write(t, "secret", "from-secret-file\r\nsecond line\n")
	yamlWord := write(t, "w.yaml", "password: from-yaml\nupstream: a:1\n")
	yamlFile := write(t, "f.yaml", "password-file: "+secretFile+"\nupstream: a:1\n")
	const env = "RINGMASTER_PASSWORD=from-env"
	for name, tc := range map[string]struct {
		args []string
		env  string
		want string
	}{
		"nowhere":                        {one, "", ""},
		"file":                           {[]string{"--config", yamlWord}, "", "from-yaml"},
		"secret file named in file":      {[]string{"--config", yamlFile}, "", "from-secret-file"},
		"env over file":                  {[]string{"--config", yamlWord}, env, "from-env"},
		"env over secret file":           {[]string{"--config", yamlFile}, env, "from-env"},
		"flag over env":                  {with(one, "--password", "from-flag"), env, "from-flag"},
		"secret file flag over env":      {with(one, "--password-file", secretFile), env, "from-secret-file"},
		"flag over secret file in file":  {[]string{"--config", yamlFile, "--password", "from-flag"}, "", "from-flag"},
		"empty environment is not given": {[]string{"--config", yamlWord}, "RINGMASTER_PASSWORD=", "from-yaml"},
	} {
		if got := mustLoad(t, tc.args, tc.env).Password.Reveal(); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		upstream := strings.NewReplacer("RINGMASTER_", "RINGMASTER_UPSTREAM_").Replace(tc.env)
		var args []string
		for _, a := range tc.args {
			args = append(args, strings.NewReplacer("--password", "--upstream-password").Replace(a))
		}
		if len(args) > 1 && args[0] == "--config" {
			text, _ := os.ReadFile(args[1])
			args[1] = write(t, "u.yaml", strings.Replace(string(text), "password", "upstream-password", 1))
		}
		if got := mustLoad(t, args, upstream).UpstreamPassword.Reveal(); got != tc.want {
			t.Errorf("%s, upstream: %q, want %q", name, got, tc.want)
		}
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	c := mustLoad(t, with(one, "--password", "hunter2", "--upstream-password", "hunter2"))
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", c, "password", c.Password)
	encoded, _ := json.Marshal(c)
	for _, s := range []string{
		fmt.Sprint(c.Password), fmt.Sprintf("%q %x %d %#v", c.Password, c.Password, c.Password, c.Password),
		fmt.Sprintf("%+v", *c), fmt.Sprintf("%#v", *c), log.String(), string(encoded),
	} {
		if strings.Contains(s, "hunter2") || strings.Contains(s, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("shown in %s", s)
		}
	}
	if c.Password.Reveal() != "hunter2" {
		t.Error("lost")
	}
}

func TestStallTimeoutFollowsALongerTimeout(t *testing.T) {
	for args, want := range map[string]time.Duration{
		"":                                30 * time.Second,
		"--timeout=2m":                    2 * time.Minute,
		"--timeout=0":                     0,
		"--timeout=1s --stall-timeout=4s": 4 * time.Second,
		"--timeout=0 --stall-timeout=0":   0,
	} {
		if got := mustLoad(t, with(one, strings.Fields(args)...)).StallTimeout; got != want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
}

func TestEverySettingIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Settings() {
		switch {
		case seen[s.Name]:
			t.Errorf("%s: twice", s.Name)
		case s.Help == "" || s.Unit == "" || s.Example == "" || !strings.HasPrefix(s.Example, s.Name+":"):
			t.Errorf("%s: incomplete", s.Name)
		case (s.Raise == "") != (s.Lower == "") || s.Raise == "" && s.Choose == "":
			t.Errorf("%s: say what raising and lowering cost, or how to choose", s.Name)
		case (s.Unit == "word") != (len(s.Words) > 0):
			t.Errorf("%s: words %v, unit %s", s.Name, s.Words, s.Unit)
		case s.Default != "" && s.set(new(Config), []string{s.Default}) != nil:
			t.Errorf("%s: default %q is not accepted", s.Name, s.Default)
		}
		for _, w := range s.Words {
			if err := s.set(new(Config), []string{w}); err != nil {
				t.Errorf("%s: %s: %v", s.Name, w, err)
			}
		}
		seen[s.Name] = true
	}
}

func TestSentinelSettings(t *testing.T) {
	file := write(t, "password", "guard\n")
	c := mustLoad(t, []string{"--upstream", "a:1,b:1", "--topology", "sentinel", "--sentinel-masters", "red,blue", "--sentinel-masters", "green",
		"--sentinel-password-file", file})
	if !slices.Equal(c.SentinelMasters, []string{"red", "blue", "green"}) || c.SentinelPassword.Reveal() != "guard" || c.Single() || !c.ClusterFacade {
		t.Errorf("%+v", c)
	}
	c = mustLoad(t, []string{"--upstream", "a:1,b:1", "--topology", "sentinel", "--sentinel-masters", "red"})
	if !c.Single() || c.ClusterFacade {
		t.Error("one name is no single server")
	}
}

func TestGivenUpstreamsReplaceThoseOfTheSources(t *testing.T) {
	l := &Loader{
		Upstreams: []shard.Server{{Name: "x", Addr: "127.0.0.1:1", Weight: 1}},
		LookupEnv: func(string) (string, bool) { return "secret", true },
	}
	l.Flags("upstream")
	l.file = write(t, "r.yaml", "upstream: a:1,b:1\nupstream-username: u\n")
	c, err := l.Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Upstream) != 1 || c.Topology != Standalone || c.UpstreamPassword != "" || c.UpstreamUsername != "" {
		t.Errorf("%+v", c)
	}
}

func TestEveryBadValueSaysWhatWasExpected(t *testing.T) {
	for _, s := range Settings() {
		err := s.set(new(Config), []string{"\x00no such value"})
		switch s.Unit {
		case "text", "file":
			if err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		default:
			if err == nil || !strings.Contains(err.Error(), "want ") {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
}

func problems(t *testing.T, err error) string {
	t.Helper()
	var ps Problems
	if !errors.As(err, &ps) || len(ps) == 0 {
		t.Fatalf("not Problems: %v", err)
	}
	return ps.Error()
}

func TestAdminHosts(t *testing.T) {
	c := mustLoad(t, with(one, "--admin-hosts", "Ringmaster, *.svc.cluster.local", "--admin-hosts", "*"))
	if want := []string{"ringmaster", "*.svc.cluster.local", "*"}; !slices.Equal(c.AdminHosts, want) {
		t.Errorf("%q", c.AdminHosts)
	}
	for _, wrong := range []string{"", "ringmaster:9380", "http://ringmaster", "a,,b", "*x", "a.*", "[::1]"} {
		if _, err := load(t, with(one, "--admin-hosts", wrong)); err == nil || !strings.Contains(err.Error(), "want names without a port") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
