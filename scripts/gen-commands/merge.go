package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"ringmaster/command"
)

// merged is one command according to all servers together.
type merged struct {
	command.Info
	servers []string // that know it
	notes   []string // where they differ
}

// merge takes each command from the first server that knows it and widens it by what later ones
// say: the widest arity, all flags, the newest tips and keys. The server that gets a command
// checks it anyway; the proxy must not refuse what one of them would take.
func merge(snapshots []snapshot) []merged {
	byName := map[string]*merged{}
	for _, s := range snapshots {
		for _, in := range s.Commands {
			m := byName[in.Name]
			if m == nil {
				m = &merged{Info: in}
				byName[in.Name] = m
			} else {
				m.widen(in, s.name())
			}
			m.servers = append(m.servers, s.name())
		}
	}
	var out []merged
	for _, m := range byName {
		out = append(out, *m)
	}
	slices.SortFunc(out, func(a, b merged) int { return compareNames(a.Name, b.Name) })
	return out
}

// withOwn adds the proxy's own commands to those of the servers.
func withOwn(commands []merged) []merged {
	for _, in := range command.Own() {
		commands = append(commands, merged{Info: in, servers: []string{"ringmaster itself"}})
	}
	slices.SortFunc(commands, func(a, b merged) int { return compareNames(a.Name, b.Name) })
	return commands
}

func (m *merged) widen(in command.Info, server string) {
	note := func(format string, args ...any) {
		m.notes = append(m.notes, server+": "+fmt.Sprintf(format, args...))
	}
	if wide := widerArity(m.Arity, in.Arity); wide != m.Arity || in.Arity != m.Arity {
		note("arity %d, before %d", in.Arity, m.Arity)
		m.Arity = wide
	}
	// Valkey renamed the slow log.
	flags := make([]string, len(in.Flags))
	for i, f := range in.Flags {
		flags[i] = strings.Replace(f, "skip_commandlog", "skip_slowlog", 1)
	}
	for _, f := range flags {
		if !slices.Contains(m.Flags, f) {
			note("+%s", f)
			m.Flags = append(m.Flags, f)
		}
	}
	for _, f := range m.Flags {
		if !slices.Contains(flags, f) {
			note("-%s", f)
		}
	}
	if !slices.Equal(m.Tips, in.Tips) {
		note("tips %v, before %v", in.Tips, m.Tips)
		m.Tips = in.Tips
	}
	if m.First != in.First || m.Last != in.Last || m.Step != in.Step || !reflect.DeepEqual(m.Keys, in.Keys) {
		note("keys differ")
		m.First, m.Last, m.Step, m.Keys = in.First, in.Last, in.Step, in.Keys
	}
}

// widerArity returns the arity that accepts everything that one of the two accepts.
func widerArity(a, b int) int {
	switch {
	case a == b:
		return a
	case a < 0 && b < 0:
		return max(a, b)
	case a > 0 && b > 0:
		return -min(a, b)
	}
	return -min(max(a, -a), max(b, -b))
}
