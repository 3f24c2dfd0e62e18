package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRenamedCommands(t *testing.T) {
	c := mustLoad(t, with(one, "--rename-command", "GET=Fetch, flushall=", "--rename-command", "config=b840"))
	if diff := cmp.Diff(map[string]string{"get": "fetch", "flushall": "", "config": "b840"}, c.RenameCommands); diff != "" {
		t.Error(diff)
	}
	if c = mustLoad(t, with(one, "--rename-command", "get=set,set=get")); len(c.RenameCommands) != 2 {
		t.Errorf("%v", c.RenameCommands)
	}
	if c = mustLoad(t, with(one, "--rename-command", "get=,set=")); len(c.RenameCommands) != 2 {
		t.Errorf("%v", c.RenameCommands)
	}
	for value, want := range map[string]string{
		"get": "want OLD=NEW", "nosuch=x": "no \"nosuch\"", "=x": "no \"\"", "config|get=x": "no \"config|get\"", "get=set": "a command of that name",
		"get=a,get=b": "renamed twice", "get=a,set=A": "would be called a", "get=a b": "without blanks", "get=" + strings.Repeat("x", 129): "at most 128",
		"get=get": "", "get=Post": "no command can be called post", "get=host:": "no command can be called host:",
	} {
		_, err := load(t, with(one, "--rename-command", value))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", value, err, want)
		}
	}
}
