package config

import (
	"fmt"
	"strings"
)

// Problem is one mistake in the settings.
type Problem struct {
	// Where it stands: "ringmaster.yaml:3", "flag --loops", "$RINGMASTER_PASSWORD", or empty for what
	// is missing everywhere.
	Where string
	// Setting is the name of the setting, if it is about one.
	Setting string
	// Text says what is wrong and what was expected.
	Text string
}

// Error is "where: setting: text", without the setting where its own flag is the place.
func (p Problem) Error() string {
	parts := make([]string, 0, 3)
	for _, s := range []string{p.Where, p.Setting, p.Text} {
		if s != "" && !(s == p.Setting && p.Where == flagPlace(s)) {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// flagPlace is how a flag is named as the place of a setting.
func flagPlace(name string) string { return "flag --" + name }

// Problems is every mistake found, in the order found. It is never empty when returned
// as an error.
type Problems []Problem

// Error is one line for each problem.
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

// bad adds a value that could not be read. Secrets are never shown.
func (ps *Problems) bad(where string, s *Setting, value string, err error) {
	ps.add(where, s.Name, "%.100q: %v", value, err)
}
