package merge

import (
	"strings"
	"testing"

	"ringmaster/command"
)

// For each command for all shards it is decided what happens while one shard does not answer: a reply without it, a
// text in its place that says so, or an error.
func TestEveryCommandForAllShardsIsDecidedWhileOneIsDown(t *testing.T) {
	const down = "-ERR server B is down; the command was not sent"
	for _, spec := range command.All() {
		if spec.Class != command.ClassAllShards && spec.IfAllowed != command.ClassAllShards {
			continue
		}
		r := &Request{Spec: spec, Merge: spec.Merge, Texts: testTexts, Limit: 10}
		for i, said := range []string{"$1\r\nx\r\n", down + "\r\n", "$1\r\nx\r\n"} {
			r.Parts, r.Servers = append(r.Parts, Part{Reply: []byte(said), Failed: i == 1}), append(r.Servers, string(rune('A'+i)))
		}
		got := string(r.Append(nil))
		switch {
		case withoutMissing[spec.Name] != "":
			if strings.Contains(got, down) {
				t.Errorf("%s does not do without the server: %q", spec.Name, got)
			}
		case spec.Merge == command.MergeTexts:
			if !strings.Contains(got, down[1:]) || got[0] == '-' {
				t.Errorf("%s does not name the server among the others: %q", spec.Name, got)
			}
		case spec.Merge == command.MergeOneOK:
			if got != "$1\r\nx\r\n" {
				t.Errorf("%s: %q", spec.Name, got)
			}
		case got != down+"\r\n":
			t.Errorf("%s hides that a server is missing: %q", spec.Name, got)
		}
	}
	for name := range withoutMissing {
		if command.Named(name).Class != command.ClassAllShards {
			t.Errorf("%s is not for all shards", name)
		}
	}
}
