package config

import (
	"fmt"
	"strings"

	"ringmaster/command"
)

// applyDeny takes names of commands and subcommands that the command table knows.
func applyDeny(c *Config, values []string) error {
	var names []string
	for _, v := range values {
		for _, name := range strings.Split(v, ",") {
			name = strings.ToLower(strings.TrimSpace(name))
			if !knownCommand(name) {
				return fmt.Errorf("want commands such as keys, or client|kill; there is no %q", name)
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
