package config

import "os"

// Load returns the settings: those of the flags over those of the environment, over
// those of the file, over the defaults. The error is [Problems]: all mistakes in all
// sources. Each call reads the file and the password files again.
func (l *Loader) Load() (*Config, error) {
	var ps Problems
	var file map[string]given
	if l.file != "" {
		file = readFile(l.file, &ps)
	}
	return l.load(file, ps)
}

// load is Load after the file was read; ps has the file's problems.
func (l *Loader) load(file map[string]given, ps Problems) (*Config, error) {
	c := &Config{sources: newSources()}
	c.applyDefaults()
	for _, source := range []map[string]given{file, l.fromEnv(c), l.fromFlags()} {
		c.applyAll(source, &ps)
	}
	c.readPasswords(&ps)
	c.readObjects(file, l.Upstreams != nil, &ps)
	c.refuseEmptyPasswords(l.Upstreams != nil, &ps)
	if len(ps) == 0 { // half-read settings would give misleading complaints
		c.finish(l, &ps)
	}
	if len(ps) > 0 {
		return nil, ps
	}
	return c, nil
}

// File is the path given with --config, or empty.
func (l *Loader) File() string { return l.file }

func (c *Config) applyDefaults() {
	for _, s := range settings {
		if s.Default == "" {
			continue
		}
		if err := s.set(c, []string{s.Default}); err != nil {
			panic("config: default of " + s.Name + ": " + err.Error()) // a bug in the table
		}
	}
}

// applyAll sets the values of one source, in the order of the table.
func (c *Config) applyAll(source map[string]given, ps *Problems) {
	for _, s := range settings {
		g, ok := source[s.Name]
		if !ok {
			continue
		}
		if err := s.set(c, g.values); err != nil {
			s.report(ps, g.where, c.key(s.Name), g.values[len(g.values)-1], err)
			continue
		}
		c.note(s, g)
	}
	for _, name := range passwords {
		c.onePassword(source, name, ps)
	}
}

func (l *Loader) fromEnv(c *Config) map[string]given {
	lookup := l.LookupEnv
	if lookup == nil {
		lookup = os.LookupEnv
	}
	got := make(map[string]given)
	for _, s := range settings {
		if s.Env == "" {
			continue
		}
		if value, set := lookup(s.Env); set {
			if value == "" { // it does not count if another source gives a value
				c.noteEmpty(s.Name, s.Name, given{values: []string{""}, where: "$" + s.Env})
				continue
			}
			got[s.Name] = given{values: []string{value}, where: "$" + s.Env}
		}
	}
	return got
}

func (l *Loader) fromFlags() map[string]given {
	got := make(map[string]given)
	for name, v := range l.flags {
		if len(v.values) > 0 {
			got[name] = given{values: v.values, where: flagPlace(name)}
		}
	}
	return got
}
