package shard

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseServersReadsEveryForm(t *testing.T) {
	for text, want := range map[string]Server{
		"10.0.0.1:6379":             {"10.0.0.1:6379", "10.0.0.1:6379", 1},
		"10.0.0.1:6379:3":           {"10.0.0.1:6379", "10.0.0.1:6379", 3},
		"redis-1.local:6379@a":      {"a", "redis-1.local:6379", 1},
		"h:1:2147483647@a:b@c":      {"a:b@c", "h:1", 2147483647},
		"h:11211":                   {"h", "h:11211", 1},
		"[::1]:6379":                {"::1:6379", "[::1]:6379", 1},
		"[fe80::1%eth0]:6379:2@x":   {"x", "[fe80::1%eth0]:6379", 2},
		"[::1]:11211":               {"::1", "[::1]:11211", 1},
		"unix:///run/redis.sock":    {"/run/redis.sock:", "unix:///run/redis.sock", 1},
		"unix:///run/r.sock:5@r":    {"r", "unix:///run/r.sock", 5},
		"unix:///run/a:b/redis.s":   {"/run/a:b/redis.s:", "unix:///run/a:b/redis.s", 1},
		" 10.0.0.1:6379:1@spaced  ": {"spaced", "10.0.0.1:6379", 1},
	} {
		got, err := ParseServers(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if d := cmp.Diff([]Server{want}, got); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

func TestParseServersKeepsTheOrder(t *testing.T) {
	got, err := ParseServers("b:1,a:2:7, c:3@x")
	want := []Server{{"b:1", "b:1", 1}, {"a:2", "a:2", 7}, {"x", "c:3", 1}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("error %v, %s", err, d)
	}
}

var badServers = map[string]string{ // text, part of the error
	"":                     "no servers",
	" ":                    "no servers",
	"a:1,":                 `server "" is empty`,
	"a:1,,b:2":             `server "" is empty`,
	"a":                    `server "a" has no port; want HOST:PORT[:WEIGHT][@NAME]`,
	"a:1,b":                `server "b"`,
	":1":                   "has no host",
	"a:":                   "has no port",
	"a:0":                  `port "0"`,
	"a:65536":              `port "65536"`,
	"a:-1":                 `port "-1"`,
	"a:+1":                 `port "+1"`,
	"a:http":               `port "http"`,
	"a:1:":                 `weight ""`,
	"a:1:0":                `weight "0"`,
	"a:1:-5":               `weight "-5"`,
	"a:1:1.5":              `weight "1.5"`,
	"a:1:2147483648":       `weight "2147483648"`,
	"a:1:2:3":              "has too many colons",
	"::1:6379":             "IPv6 address in brackets",
	"[::1]":                "has no [IPv6]:PORT",
	"[::1]6379":            "has no [IPv6]:PORT",
	"[::1]:":               "has no [IPv6]:PORT",
	"[127.0.0.1]:6379":     "has no [IPv6]:PORT",
	"[::1":                 "has no [IPv6]:PORT",
	"a:1@":                 "no name after the @",
	"@x":                   "has no host",
	"a b:1":                "a space",
	"a:1@x\ty":             "a space or a control character",
	"a:1@x\x00":            "a space or a control character",
	"redis://a:1":          `server "redis://a:1" is a URL; write a:1`,
	"redis://u:p@a:1/0":    `server "redis://***@a:1/0" is a URL; write a:1, and give the user and the password with --upstream-username`,
	"rediss://a:1":         "is a URL; write a:1; ringmaster speaks plain TCP to servers, and TLS is not supported",
	"a/b:1":                "has a slash or a bracket in it",
	"unix:":                "no absolute path",
	"unix://relative.sock": "no absolute path",
	"unix:///":             "ends in a slash",
	"unix:///a.sock:0":     `weight "0"`,
	"unix:///a.sock:x":     `weight "x"`,
}

func TestParseServersNamesTheItemThatIsWrong(t *testing.T) {
	for text, want := range badServers {
		got, err := ParseServers(text)
		if err == nil || got != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v and error %v, want an error with %q", text, got, err, want)
		}
	}
}

func FuzzParseServersReadsItsOwnNames(f *testing.F) {
	for text := range badServers {
		f.Add(text)
	}
	f.Add("a:1:2@n,[::1]:3,unix:///x:4@y")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseServers(text)
		if err != nil {
			return
		}
		for _, s := range list {
			again, err := ParseServers(s.Addr + "@" + s.Name)
			if err != nil || len(again) != 1 || again[0].Addr != s.Addr || again[0].Name != s.Name || s.Weight < 1 {
				t.Fatalf("%q gave %+v, which reads as %+v, error %v", text, s, again, err)
			}
		}
	})
}
