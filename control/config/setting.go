package config

import (
	"fmt"
	"slices"
	"strings"
)

// Group is a heading in the help text and in the reference.
type Group string

// The groups, in the order shown.
const (
	Clients Group = "Clients"
	Servers Group = "Servers"
	Limits  Group = "Limits"
	Timing  Group = "Timeouts"
	Process Group = "Process"
	Seeing  Group = "Logs and metrics"
)

// Groups lists the headings in the order in which they are shown.
func Groups() []Group { return []Group{Clients, Servers, Limits, Timing, Process, Seeing} }

// Setting is one row of the table of settings.
type Setting struct {
	// Name is the flag without its dashes and the key in the YAML file.
	Name  string
	Group Group
	// Unit is what a value looks like, for the help text: "duration", "size", "number", ...
	Unit string
	// Default is the value used when nothing is given, as it would be written.
	Default string
	// Help is one or two sentences: what it does.
	Help string
	// Raise and Lower say what a larger and a smaller value cost; Choose replaces
	// them where there is no larger and smaller.
	Raise, Lower, Choose string
	// Words are the possible values of a setting whose Unit is "word".
	Words []string
	// Example is a value as in the YAML file, used in the reference.
	Example string
	// Env is the environment variable it can come from, if any.
	Env string

	// list says that the setting takes several values.
	list bool
	// apply parses the values given by one source (one value unless list) into c.
	apply func(c *Config, values []string) error
}

// Settings is the table of all settings, in the order shown. Any goroutine; not to be changed.
func Settings() []*Setting { return settings }

var settings = slices.Concat(clientSettings, serverSettings, replicaSettings, limitSettings, timingSettings, processSettings)

// set reads the values that one source gives into c.
func (s *Setting) set(c *Config, values []string) error {
	for _, v := range values {
		if s.Words != nil && !slices.Contains(s.Words, v) {
			return fmt.Errorf("want one of %s%s", strings.Join(s.Words, ", "), DidYouMean(v, s.Words))
		}
	}
	return s.apply(c, values)
}

// find returns the setting called name, or nil.
func find(name string) *Setting {
	for _, s := range settings {
		if s.Name == name {
			return s
		}
	}
	return nil
}
