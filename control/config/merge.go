package config

import (
	"cmp"
	"encoding/json"
	"hash/fnv"
	"io"
	"maps"
	"reflect"
	"slices"

	"ringmaster/shard"
)

// Merged is the result of reading the settings of a running process again.
type Merged struct {
	// Config has the settings in force from now on: the new ones, but with the running values of those that need a
	// restart.
	Config *Config
	// Changed names the settings that differ and count from now on, NeedsRestart those that differ and need a
	// restart. Both are sorted. A setting of an object has its path, such as upstreams.main.timeout. The path of an
	// object alone says that it was added or removed.
	Changed, NeedsRestart []string
	// Upstreams are the names of upstreams that stay and have changed settings.
	Upstreams map[string]bool
}

// Merge returns the settings for a process that runs with c and has read next. It changes neither. Any goroutine.
func (c *Config) Merge(next *Config) *Merged {
	m := &Merged{Config: next.copied(), Upstreams: map[string]bool{}}
	m.compare(c, m.Config, 0, func(s *Setting) string { return s.Name })
	m.upstreams(c, next)
	m.listeners(c, next) // what their clients see depends on the upstream
	for _, names := range []*[]string{&m.Changed, &m.NeedsRestart} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return m
}

func (m *Merged) listeners(old, next *Config) {
	m.Config.Listeners = nil
	for _, l := range next.Listeners {
		l.Config = l.copied()
		l.settleFacade(m.Config.Used(l).Single())
		m.Config.Listeners = append(m.Config.Listeners, l)
		i := slices.IndexFunc(old.Listeners, func(o Listener) bool { return o.Name == l.Name })
		if i < 0 {
			m.came(l.Config, "listen", join(listenersKey, l.Name))
			continue
		}
		m.compare(old.Listeners[i].Config, l.Config, InListener, l.keys(listenersKey, l.Name))
		if l.Upstream != old.Listeners[i].Upstream {
			m.Changed = append(m.Changed, join(join(listenersKey, l.Name), "upstream"))
		}
	}
	for _, o := range old.Listeners {
		if !slices.ContainsFunc(next.Listeners, func(l Listener) bool { return l.Name == o.Name }) {
			m.came(o.Config, "listen", join(listenersKey, o.Name))
		}
	}
}

func (m *Merged) upstreams(old, next *Config) {
	m.Config.Upstreams = nil
	for _, u := range next.Upstreams {
		path := join(upstreamsKey, u.Name)
		u.Config = u.copied()
		i := slices.IndexFunc(old.Upstreams, func(o Upstream) bool { return o.Name == u.Name })
		if i < 0 {
			m.Changed = append(m.Changed, path)
			m.Config.Upstreams = append(m.Config.Upstreams, u)
			continue
		}
		o := old.Upstreams[i]
		var differs Merged
		otherwise := otherServers(o.Config, u.Config)
		differs.compare(o.Config, u.Config, InUpstream, u.keys(upstreamsKey, u.Name))
		m.NeedsRestart = append(m.NeedsRestart, differs.NeedsRestart...)
		if otherwise { // none of it fits the kept settings
			m.NeedsRestart = append(m.NeedsRestart, differs.Changed...)
			u = o
		} else {
			m.Changed = append(m.Changed, differs.Changed...)
			m.Upstreams[u.Name] = len(differs.Changed) > 0
		}
		m.Config.Upstreams = append(m.Config.Upstreams, u)
	}
	for _, o := range old.Upstreams {
		if !slices.ContainsFunc(next.Upstreams, func(u Upstream) bool { return u.Name == o.Name }) {
			m.Changed = append(m.Changed, join(upstreamsKey, o.Name))
		}
	}
}

// came records an object that was added or removed: its path, or the flat setting that made it.
func (m *Merged) came(c *Config, flat, path string) {
	if c.flat() {
		path = flat
	}
	m.Changed = append(m.Changed, path)
}

// compare records the settings of a place that differ, and gives next the values of old for settings that need a
// restart.
func (m *Merged) compare(old, next *Config, p Place, key func(*Setting) string) {
	for _, s := range settings {
		if p == 0 && s.Place != 0 || p != 0 && s.Place&p == 0 || !next.names(s) || s.equal(old, next) {
			continue
		}
		if s.Change != Restart && (s.restarts == nil || !s.restarts(old, next)) {
			m.Changed = append(m.Changed, key(s))
			continue
		}
		m.NeedsRestart = append(m.NeedsRestart, key(s))
		next.keep(s, old)
	}
}

// keys names the settings of an object: by its path, or by their flat names if they stand at the top level.
func (c *Config) keys(list, name string) func(*Setting) string {
	if c.flat() {
		return func(s *Setting) string { return s.Name }
	}
	return func(s *Setting) string { return join(join(list, name), s.nameIn(c.place)) }
}

// names reports whether a change of s's value is reported under the name of s. A password is one value with two
// settings.
func (c *Config) names(s *Setting) bool {
	for _, name := range passwords {
		switch s.Name {
		case name:
			return *c.file(name) == ""
		case name + "-file":
			return *c.file(name) != ""
		}
	}
	return true
}

// equal reports whether s has the same value in both. The spelling does not count, and neither does a value that
// follows from other settings.
func (s *Setting) equal(a, b *Config) bool {
	if s.Name == "cluster-facade" && a.clusterFacade == "auto" && b.clusterFacade == "auto" {
		return true
	}
	va, vb := reflect.ValueOf(s.value.field(a)).Elem(), reflect.ValueOf(s.value.field(b)).Elem()
	return reflect.DeepEqual(va.Interface(), vb.Interface()) || empty(va) && empty(vb)
}

// empty reports whether v is a list or a map without entries.
func empty(v reflect.Value) bool {
	return (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
}

// keep gives c old's value of s.
func (c *Config) keep(s *Setting, old *Config) {
	reflect.ValueOf(s.value.field(c)).Elem().Set(reflect.ValueOf(s.value.field(old)).Elem())
	c.forget(s.Name)
	if where, ok := old.origin[s.Name]; ok {
		c.origin[s.Name] = where
	}
	if texts, ok := old.texts[s.Name]; ok {
		c.texts[s.Name] = texts
	}
}

// copied returns a copy of c whose values may be changed.
func (c *Config) copied() *Config {
	d := *c
	d.origin, d.texts = maps.Clone(c.origin), maps.Clone(c.texts)
	return &d
}

// otherServers reports whether the way to find the servers differs.
func otherServers(a, b *Config) bool { return a.found() != b.found() }

// found returns the topology if it discovers the servers; "": they are listed.
func (c *Config) found() string {
	if c.Topology == Cluster || c.Topology == Sentinel {
		return c.Topology
	}
	return ""
}

// underSentinel reports whether keys are placed on masters, which keep their places.
func underSentinel(running, _ *Config) bool { return running.Topology == Sentinel }

// replicasUsed reports whether only one of the two reads from replicas.
func replicasUsed(a, b *Config) bool {
	return (a.ReadPolicy == shard.ReadPrimary) != (b.ReadPolicy == shard.ReadPrimary)
}

// digestBits is how many bits a float64 holds exactly, because readers of metrics and JSON use that type.
const digestBits = 52

// Digest returns a number that is the same for all processes of one version with the same settings in force.
// Passwords do not count. Any goroutine.
func (c *Config) Digest() uint64 {
	h := fnv.New64a()
	c.write(h, 0, "", "")
	for _, l := range slices.SortedFunc(slices.Values(c.Listeners), func(a, b Listener) int { return cmp.Compare(a.Name, b.Name) }) {
		l.write(h, InListener, l.Name, l.Upstream)
	}
	for _, u := range slices.SortedFunc(slices.Values(c.Upstreams), func(a, b Upstream) int { return cmp.Compare(a.Name, b.Name) }) {
		u.write(h, InUpstream, u.Name, "")
	}
	return h.Sum64() >> (64 - digestBits)
}

// write writes c's settings of a place, without passwords.
func (c *Config) write(w io.Writer, p Place, name, upstream string) {
	values := []any{p, name, upstream}
	for _, s := range settings {
		field := s.value.field(c)
		if _, secret := field.(*Secret); secret || p == 0 && s.Place != 0 || p != 0 && s.Place&p == 0 || empty(reflect.ValueOf(field).Elem()) {
			continue
		}
		values = append(values, s.Name, field)
	}
	_ = json.NewEncoder(w).Encode(values) // can't fail: a hash accepts everything, and the fields have plain types
}

// Problem makes a problem with the value of a setting, and its place. For a password that may be its file. Any
// goroutine.
func (c *Config) Problem(setting string, err error) Problem {
	if slices.Contains(passwords, setting) && *c.file(setting) != "" {
		setting += "-file"
	}
	where := c.origin[setting]
	if where == "" {
		where = c.where
	}
	return Problem{Where: where, Setting: c.key(setting), Text: err.Error()}
}
