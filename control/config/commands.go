package config

import (
	"fmt"
	"slices"
	"strings"

	"ringmaster/command"
)

// applyDeny takes names of commands and subcommands. Names that the command table lacks may belong to modules.
func applyDeny(c *Config, values []string) error {
	var names []string
	for _, v := range values {
		for _, name := range strings.Split(v, ",") {
			name = strings.ToLower(strings.TrimSpace(name))
			if !knownCommand(name) && !otherCommand(name) {
				return fmt.Errorf("want commands such as keys, client|kill or graph.list; there is no %q", name)
			}
			names = append(names, name)
		}
	}
	c.DenyCommands = names
	return nil
}

func knownCommand(name string) bool {
	base, sub, isSub := strings.Cut(name, "|")
	spec := command.Lookup([]byte(base))
	if spec == nil || !isSub {
		return spec != nil
	}
	return spec.Sub([]byte(sub)) != nil
}

// otherCommand reports whether a command or subcommand that the table lacks could have this name.
func otherCommand(name string) bool {
	base, sub, isSub := strings.Cut(name, "|")
	return command.Lookup([]byte(base)) == nil && moduleName(base) && (!isSub || moduleName(sub))
}

// moduleName reports whether the data plane would ask a server for a command of this name.
func moduleName(name string) bool {
	letters := strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")
	return name != "" && letters == "" && len(name) <= maxCommandName
}

// UnknownDenied lists the denied commands that the command table lacks: commands of modules, or typing mistakes.
func (c *Config) UnknownDenied() (names []string) {
	for _, name := range c.DenyCommands {
		if !knownCommand(name) {
			names = append(names, name)
		}
	}
	return names
}

// UnknownCommands lists the denied commands of all listeners that the command table lacks, sorted.
func (c *Config) UnknownCommands() (names []string) {
	for _, l := range c.Listeners {
		names = append(names, l.UnknownDenied()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// maxCommandName bounds the new name of a command, bytes, because the data plane knows no longer names.
const maxCommandName = 128

// applyRename takes pairs such as config=b840fc02. It takes all at once, so that two commands may swap their names.
func applyRename(c *Config, values []string) error {
	renamed, taken := map[string]string{}, map[string]bool{}
	for _, v := range values {
		for _, pair := range strings.Split(v, ",") {
			old, name, ok := strings.Cut(strings.ToLower(strings.TrimSpace(pair)), "=")
			if _, twice := renamed[old]; twice {
				return fmt.Errorf("%s is renamed twice", old)
			}
			switch {
			case !ok:
				return fmt.Errorf("want OLD=NEW, such as config=b840fc02, or OLD= to disable the command")
			case strings.Contains(old, "|") || !knownCommand(old):
				return fmt.Errorf("want a command such as config before the =; there is no %q", old)
			case !plainName(name):
				return fmt.Errorf("want a new name of at most %d letters, digits and signs without blanks", maxCommandName)
			case name == "post" || name == "host:":
				return fmt.Errorf("no command can be called %s, because clients that send it are closed, as in Redis", name)
			case taken[name]:
				return fmt.Errorf("two commands would be called %s", name)
			}
			renamed[old] = name
			taken[name] = name != ""
		}
	}
	for old, name := range renamed {
		if _, free := renamed[name]; name != "" && !free && knownCommand(name) {
			return fmt.Errorf("%s can't be called %s, because there is a command of that name", old, name)
		}
	}
	c.RenameCommands = renamed
	return nil
}

func plainName(name string) bool {
	for i := range len(name) {
		if name[i] < '!' || name[i] > '~' {
			return false
		}
	}
	return len(name) <= maxCommandName
}
