package config

import (
	"maps"
	"strings"
)

// sources has the origins of a Config's values.
type sources struct {
	place   Place               // 0: the top level
	path    string              // of the object, such as upstreams.main; empty at the top level
	where   string              // the object begins
	origin  map[string]string   // setting name -> where its value came from
	texts   map[string][]string // setting name -> its value as given; not of secrets
	ownKeys map[string]bool     // setting name -> given in the object itself
	empty   map[string]Problem  // password -> where it was given without a value
}

func newSources() sources {
	return sources{origin: map[string]string{}, texts: map[string][]string{}, ownKeys: map[string]bool{}}
}

// inside returns s for an object that starts from the values of s.
func (s *sources) inside(place Place, path, where string) sources {
	return sources{
		place: place, path: path, where: where,
		origin: maps.Clone(s.origin), texts: maps.Clone(s.texts), ownKeys: map[string]bool{},
	}
}

// note records where the value of a setting came from.
func (s *sources) note(row *Setting, g given) {
	s.origin[row.Name] = g.where
	s.ownKeys[row.Name] = true
	if row.Env == "" {
		s.texts[row.Name] = g.values
	}
}

// forget records that a setting has its default.
func (s *sources) forget(name string) {
	delete(s.origin, name)
	delete(s.texts, name)
}

// flat reports whether the settings are those of the top level.
func (s *sources) flat() bool { return s.place == 0 }

// own reports whether a setting was given for this object itself. At the top level every given setting was.
func (s *sources) own(name string) bool {
	return s.flat() && s.origin[name] != "" || s.ownKeys[name]
}

// keyHere returns the key of a setting at its place.
func (s *sources) keyHere(name string) string {
	if row := find(name); row != nil && row.stands(s.place) {
		return row.nameIn(s.place)
	}
	return name
}

// key returns the path of a setting.
func (s *sources) key(name string) string {
	if s.flat() {
		return name
	}
	return s.path + "." + s.keyHere(name)
}

// complain adds a problem with a setting, at the place where its value came from.
func (s *sources) complain(ps *Problems, name, format string, args ...any) {
	s.complainAt(s.origin[name], ps, name, format, args...)
}

// complainAt is complain for a known place. An object without a better place has its beginning.
func (s *sources) complainAt(where string, ps *Problems, name, format string, args ...any) {
	if where == "" {
		where = s.where
	}
	ps.add(where, s.key(name), format, args...)
}

// say chooses the words for flat settings, which may be flags, or for an object of the file.
func (s *sources) say(flat, object string) string {
	if s.flat() {
		return flat
	}
	return object
}

// first returns the place of the first of the settings that was given.
func (s *sources) first(names ...string) string {
	for _, n := range names {
		if s.origin[n] != "" {
			return s.origin[n]
		}
	}
	return ""
}

// fromEnvironment reports whether a setting came from the environment.
func (s *sources) fromEnvironment(name string) bool { return strings.HasPrefix(s.origin[name], "$") }
