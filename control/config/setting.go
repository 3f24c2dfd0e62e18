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
	Secure  Group = "TLS"
	Servers Group = "Servers"
	Limits  Group = "Limits"
	Timing  Group = "Timeouts"
	Process Group = "Process"
	Seeing  Group = "Logs and metrics"
)

// Groups lists the headings in the order in which they are shown.
func Groups() []Group { return []Group{Clients, Secure, Servers, Limits, Timing, Process, Seeing} }

// Place is the set of objects in which a setting may stand. An empty set means a setting of the process.
type Place int

// The places. The top level is no place: every setting may stand there.
const (
	InListener Place = 1 << iota
	InUpstream
	InTLS // with one of the others: in its object "tls"
)

// String returns the place with its article.
func (p Place) String() string {
	switch p {
	case InListener:
		return "a listener"
	case InUpstream:
		return "an upstream"
	case InListener | InTLS:
		return "the tls settings of a listener"
	}
	return "the top level"
}

// Change says when a change of a setting in the file takes effect.
type Change int

// The kinds of change.
const (
	Restart        Change = iota // the process starts again
	NewConnections               // counts for later connections
	Live                         // counts at once
)

// Setting is one row of the table of settings.
type Setting struct {
	// Name is the flag without its dashes and the key in the YAML file.
	Name  string
	Group Group
	// Unit is the form of a value, for the help text: "duration", "size", "number", ...
	Unit string
	// Default is the value used when nothing is given, as it would be written.
	Default string
	// Help is one or two sentences: what it does.
	Help string
	// Raise and Lower say what a larger and a smaller value cost. Choose replaces them if there is no larger and
	// smaller.
	Raise, Lower, Choose string
	// Words are the possible values of a setting whose Unit is "word".
	Words []string
	// Example is a value as in the YAML file, used in the reference.
	Example string
	// Env is the environment variable it can come from, if any.
	Env string
	// Place is where the setting may stand besides the top level.
	Place Place
	// Change says when a change in the file takes effect. Except says which changes need a restart although others do
	// not.
	Change Change
	Except string

	// list says that the setting takes several values.
	list bool
	// restarts reports whether a change from one Config to another needs a restart, as Except says.
	restarts func(running, file *Config) bool
	// value reads and compares the values.
	value value
}

// Settings is the table of all settings, in the order of display. It must not be changed. Any goroutine.
func Settings() []*Setting { return settings }

var settings = slices.Concat(clientSettings, tlsSettings, serverSettings, replicaSettings, limitSettings, timingSettings, processSettings)

// set reads the values that one source gives into c.
func (s *Setting) set(c *Config, values []string) error {
	for _, v := range values {
		if s.Words != nil && !slices.Contains(s.Words, v) {
			return fmt.Errorf("want one of %s%s", strings.Join(s.Words, ", "), DidYouMean(v, s.Words))
		}
	}
	return s.value.apply(c, values)
}

// tlsKey is the key of the settings with InTLS, and the beginning of their names.
const tlsKey = "tls"

// nameIn returns the key of s in a place, or at the top level if p is 0. In a listener the settings of its object
// "tls" have their path in it.
func (s *Setting) nameIn(p Place) string {
	switch {
	case p&InTLS != 0:
		return strings.TrimPrefix(s.Name, tlsKey+"-")
	case p == InListener && s.Place&InTLS != 0:
		return join(tlsKey, s.nameIn(p|InTLS))
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
func (s *Setting) stands(p Place) bool { return s.Place&p == p }

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
