package config

import (
	"slices"

	"github.com/spf13/pflag"

	"ringmaster/shard"
)

// Loader gathers settings from flags, the environment and a file. One goroutine at a time.
type Loader struct {
	// LookupEnv reads the environment; os.LookupEnv unless replaced.
	LookupEnv func(string) (value string, set bool)
	// Upstreams, unless nil, replace the servers of all sources, without a login.
	Upstreams []shard.Server
	flags     map[string]*flagValue
	file      string
}

// flagValue collects the values of a flag, and checks each value as it comes.
type flagValue struct {
	setting *Setting
	values  []string
}

// Set is called by pflag with each value given.
func (v *flagValue) Set(value string) error {
	if err := v.setting.set(new(Config), []string{value}); err != nil {
		return err
	}
	v.values = append(v.values, value)
	return nil
}

// String is the default, which pflag shows in the help text.
func (v *flagValue) String() string {
	if v.setting == nil {
		return "" // pflag asks the zero value
	}
	return v.setting.Default
}

// Type is the unit, which pflag shows after the name.
func (v *flagValue) Type() string { return v.setting.Unit }

// Flags returns one flag set for each group of settings, under its heading, to be added
// to a command. The settings named in omit get no flag.
func (l *Loader) Flags(omit ...string) map[Group]*pflag.FlagSet {
	sets := make(map[Group]*pflag.FlagSet)
	l.flags = make(map[string]*flagValue)
	for _, s := range settings {
		if sets[s.Group] == nil {
			sets[s.Group] = pflag.NewFlagSet(string(s.Group), pflag.ContinueOnError)
			sets[s.Group].SortFlags = false
		}
		if slices.Contains(omit, s.Name) {
			continue
		}
		v := &flagValue{setting: s}
		l.flags[s.Name] = v
		f := sets[s.Group].VarPF(v, s.Name, "", s.Help)
		if s.Unit == "bool" {
			f.NoOptDefVal = "true"
		}
	}
	sets[Process].StringVar(&l.file, "config", "",
		"YAML `file` with the same settings, named like the flags without the dashes. It can list several listeners "+
			"and upstreams. Flags override it. SIGHUP, or a POST to /reload on the admin address, reloads it "+
			"while ringmaster runs: docs/reloading.md.")
	return sets
}
