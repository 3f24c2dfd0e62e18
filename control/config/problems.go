package config

import (
	"fmt"
	"strings"

	"ringmaster/shard"
)

// Problem is one mistake in the settings.
type Problem struct {
	// Where is its place: "ringmaster.yaml:3", "flag --loops", "$RINGMASTER_PASSWORD", or empty for a setting that is
	// missing everywhere.
	Where string
	// Setting is the name of the setting, if it is about one; in an object its path, such as upstreams.main.servers.
	Setting string
	// Text says what is wrong and what was expected.
	Text string
}

// Error returns "where: setting: text", without the setting if the place is its own flag.
func (p Problem) Error() string {
	parts := make([]string, 0, 3)
	for _, s := range []string{p.Where, p.Setting, p.Text} {
		if s != "" && !(s == p.Setting && p.Where == flagPlace(s)) {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// flagPlace returns the name of a flag as the place of a setting.
func flagPlace(name string) string { return "flag --" + name }

// Problems is every mistake found, in the order found. It is never empty when returned
// as an error.
type Problems []Problem

// Error returns one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

func (ps *Problems) add(where, setting, format string, args ...any) {
	*ps = append(*ps, Problem{Where: where, Setting: setting, Text: fmt.Sprintf(format, args...)})
}

// report adds a problem with a value of s, whose path is key; the text of an absent or structured value, and
// of a secret, is left out.
func (s *Setting) report(ps *Problems, where, key, value string, err error) {
	if value == "" || s.Env != "" {
		ps.add(where, key, "%v", err)
		return
	}
	ps.add(where, key, "%.100q: %v", shard.HideLogin(value), err)
}
