package topology

import (
	"fmt"
	"testing"

	"ringmaster/shard"
)

func TestNamesThatLeadToOneServerAreFound(t *testing.T) {
	lookUp := func(host string) []string {
		return map[string][]string{"a": {"10.0.0.1", "fd00::1"}, "b": {"10.0.0.2"}, "c": {"fd00::1"}}[host]
	}
	for text, want := range map[string]string{
		"a:1,b:1":               "[]",
		"a:1,c:1":               "[[a:1 c:1]]",
		"a:1,c:2":               "[]",
		"10.0.0.2:1,b:1,a:1":    "[[10.0.0.2:1 b:1]]",
		"[fd00::1]:1,b:1,c:1":   "[[fd00::1:1 c:1]]",
		"nowhere:1,nothing:1":   "[]",
		"unix:///a,unix:///b":   "[]",
		"10.0.0.1:1,10.0.0.3:1": "[]",
	} {
		servers, err := shard.ParseServers(text)
		if err != nil {
			t.Fatal(err)
		}
		var got [][2]string
		for _, pair := range sameServers(servers, lookUp) {
			got = append(got, [2]string{pair[0].Name, pair[1].Name})
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
}
