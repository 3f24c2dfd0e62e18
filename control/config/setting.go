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

// Place is a set of the objects in which a setting may stand. In none: it is the process's.
type Place int

// The places. The top level is no place: every setting may stand there.
const (
	InListener Place = 1 << iota
	InUpstream
)

// String is the place with its article.
func (p Place) String() string {
	switch p {
	case InListener:
		return "a listener"
	case InUpstream:
		return "an upstream"
	}
	return "the top level"
}

// Change is what a setting that changes in the file needs before it counts.
type Change int

// The kinds of change.
const (
	Restart        Change = iota // the process starts again
	NewConnections               // counts for connections that are made later
	Live                         // counts at once
)

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
	// Place is where the setting may stand besides the top level.
	Place Place
	// Change is what a change of it in the file needs; Except says which changes need a restart though others do not.
	Change Change
	Except string

	// list says that the setting takes several values.
	list bool
	// restarts reports whether a change from one Config to another is one of those.
	restarts func(running, file *Config) bool
	// value is how it is read and compared.
	value value
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
	return s.value.apply(c, values)
}

// nameIn is the key of s in a place, or at the top level when p is 0.
func (s *Setting) nameIn(p Place) string {
	switch {
	case p == InListener && s.Name == "listen":
		return "address"
	case p == InUpstream && s.Name == "upstream":
		return "servers"
	case p == InUpstream:
		return strings.TrimPrefix(s.Name, "upstream-")
	}
	return s.Name
}

// stands reports whether s may stand in a place.
func (s *Setting) stands(p Place) bool { return p == 0 || s.Place&p != 0 }

// takesSeveral reports whether s takes several values in a place. A listener has one address.
func (s *Setting) takesSeveral(p Place) bool {
	return s.list && (p != InListener || s.Name != "listen")
}

// findIn returns the setting whose key in a place is key, or nil.
func findIn(p Place, key string) *Setting {
	for _, s := range settings {
		if s.stands(p) && s.nameIn(p) == key {
			return s
		}
	}
	return nil
}

// keysIn lists the keys of the settings that may stand in a place.
func keysIn(p Place) (keys []string) {
	for _, s := range settings {
		if s.stands(p) {
			keys = append(keys, s.nameIn(p))
		}
	}
	return keys
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
