package respclient

import (
	"strings"
	"testing"
)

func TestAddressesThatServersName(t *testing.T) {
	for _, c := range []struct {
		host string
		port int
		want string
	}{
		{"10.0.0.1", 6379, "10.0.0.1:6379"},
		{"node-1.redis_a.example", 1, "node-1.redis_a.example:1"},
		{"::1", 65535, "[::1]:65535"},
		{"fe80::1%eth0", 7, "[fe80::1%eth0]:7"},
		{"fe80::1%eth0\r\n", 7, ""},
		{"", 7, ""},
		{"a", 0, ""},
		{"a", -1, ""},
		{"a", 65536, ""},
		{"a:b", 7, ""},
		{`a"b`, 7, ""},
		{"a b", 7, ""},
		{"../a", 7, ""},
		{"a\x00", 7, ""},
		{strings.Repeat("a", maxHost), 7, strings.Repeat("a", maxHost) + ":7"},
		{strings.Repeat("a", maxHost+1), 7, ""},
	} {
		if got := Address(c.host, c.port); got != c.want {
			t.Errorf("%q, %d: %q, want %q", c.host, c.port, got, c.want)
		}
	}
}
