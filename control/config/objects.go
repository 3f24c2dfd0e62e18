package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The keys of the objects in a file.
const (
	listenersKey = "listeners"
	upstreamsKey = "upstreams"
)

// How many objects a file may have.
const (
	maxListeners = 256
	maxUpstreams = 64
)

// object is one listener or upstream as the file has it.
type object struct {
	path   string
	where  string
	values map[string]given // by the name of the setting
	// name is the upstream's or listener's name; upstream is the upstream of a listener's commands.
	name, upstream given
	// plain says that the object is without TLS, whatever the top level says.
	plain bool
}

// text returns the only value; empty: not given.
func (g given) text() string {
	if len(g.values) == 0 {
		return ""
	}
	return g.values[0]
}

// notYet are keys of later versions.
var notYet = map[Place][]string{
	0:          {"routes", "users", "faults", "external-auth"},
	InListener: {"proxy-protocol", "proxy-protocol-from"},
	InUpstream: {"tls", "eject"},
}

// objects reads the keys at the top level that are no settings.
func (r *reader) objects(key, value *yaml.Node) (given, bool) {
	switch key.Value {
	case listenersKey:
		return given{where: r.at(key), objects: r.listeners(key, value)}, true
	case upstreamsKey:
		return given{where: r.at(key), objects: r.upstreams(key, value)}, true
	}
	return r.later(0, "", key)
}

// later refuses the keys that are not available yet.
func (r *reader) later(p Place, path string, key *yaml.Node) (given, bool) {
	if !slices.Contains(notYet[p], key.Value) {
		return given{}, false
	}
	r.ps.add(r.at(key), join(path, key.Value), "not available yet")
	return given{where: r.at(key)}, true
}

// listeners reads the sequence of listeners.
func (r *reader) listeners(key, node *yaml.Node) (list []object) {
	node, ok := r.resolve(node, listenersKey)
	switch {
	case !ok:
		return nil
	case node.Kind != yaml.SequenceNode:
		r.ps.add(r.at(key), listenersKey, "want a list of listeners, each with an address")
		return nil
	case !r.count(key, listenersKey, len(node.Content), maxListeners):
		return nil
	}
	for i, item := range node.Content {
		path := fmt.Sprintf("%s[%d]", listenersKey, i)
		if o, ok := r.object(item, InListener, path); ok {
			r.need(o, "listen", "address: HOST:PORT or unix:///PATH")
			list = append(list, o)
		}
	}
	return list
}

// upstreams reads the mapping of names to upstreams.
func (r *reader) upstreams(top, node *yaml.Node) (list []object) {
	node, ok := r.resolve(node, upstreamsKey)
	switch {
	case !ok:
		return nil
	case node.Kind != yaml.MappingNode:
		r.ps.add(r.at(top), upstreamsKey, "want names of upstreams, each with servers")
		return nil
	case !r.count(top, upstreamsKey, len(node.Content)/2, maxUpstreams):
		return nil
	}
	seen := map[string]string{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, path := node.Content[i], join(upstreamsKey, node.Content[i].Value)
		switch earlier := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode || !upstreamName.MatchString(key.Value):
			r.ps.add(r.at(key), upstreamsKey, "%.100q: want a name of 1 to 64 letters, digits, '.', '-' and '_'", key.Value)
			continue
		case earlier != "":
			r.ps.add(r.at(key), path, "given twice; first at %s", earlier)
			continue
		}
		seen[key.Value] = r.at(key)
		if o, ok := r.object(node.Content[i+1], InUpstream, path); ok {
			o.name = given{values: []string{key.Value}, where: r.at(key)}
			o.where = r.at(key)
			r.need(o, "upstream", "servers: HOST:PORT[,HOST:PORT...]")
			list = append(list, o)
		}
	}
	return list
}

var (
	upstreamName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	listenerName = regexp.MustCompile(`^[!-~]{1,128}$`)
)

// count refuses an empty list and one that is too long.
func (r *reader) count(node *yaml.Node, key string, n, most int) bool {
	switch {
	case n == 0:
		r.ps.add(r.at(node), key, "an empty list; want at least one")
	case n > most:
		r.ps.add(r.at(node), key, "%d are given; want at most %d", n, most)
	}
	return n > 0 && n <= most
}

// object reads one listener or upstream.
func (r *reader) object(node *yaml.Node, p Place, path string) (object, bool) {
	o := object{path: path, where: r.at(node), values: map[string]given{}}
	node, ok := r.resolve(node, path)
	if !ok {
		return o, false
	}
	if node.Kind != yaml.MappingNode {
		r.ps.add(o.where, path, "want settings as \"name: value\" lines")
		return o, false
	}
	var secured map[string]given
	got := r.fields(node, p, path, func(key, value *yaml.Node) (given, bool) {
		if p == InListener && key.Value == tlsKey {
			secured, o.plain = r.secure(value, p|InTLS, join(path, tlsKey))
			return given{where: r.at(key)}, true
		}
		if p == InListener && (key.Value == "name" || key.Value == "upstream") {
			return r.word(value, join(path, key.Value)), true
		}
		return r.later(p, path, key)
	})
	if p == InListener {
		o.name, o.upstream = got["name"], got["upstream"]
		if name := o.name.text(); name != "" && !listenerName.MatchString(name) {
			r.ps.add(o.name.where, path+".name", "%.100q: want 1 to 128 letters, digits and signs without blanks", name)
		}
	}
	for key, g := range secured {
		got[join(tlsKey, key)] = g
	}
	for _, s := range settings {
		if g, given := got[s.nameIn(p)]; given && s.stands(p) {
			o.values[s.Name] = g
		}
	}
	return o, true
}

// secure reads the object "tls" in a place, or the word off.
func (r *reader) secure(node *yaml.Node, p Place, path string) (got map[string]given, off bool) {
	at := r.at(node)
	node, ok := r.resolve(node, path)
	switch {
	case !ok:
	case node.Kind == yaml.ScalarNode && (node.Value == "off" || node.Value == "no" || node.Value == "false"):
		return nil, true
	case node.Kind != yaml.MappingNode || len(node.Content) == 0:
		r.ps.add(at, path, "want settings such as cert-file and key-file, or off")
	default:
		got = r.fields(node, p, path, func(_, _ *yaml.Node) (given, bool) { return given{}, false })
	}
	return got, false
}

// word reads one word that is no setting.
func (r *reader) word(node *yaml.Node, path string) given {
	g := given{where: r.at(node)}
	node, ok := r.resolve(node, path)
	switch {
	case !ok:
	case node.Kind != yaml.ScalarNode:
		r.ps.add(g.where, path, "want one value")
	case node.Tag == "!!null" || node.Value == "":
		r.ps.add(g.where, path, "has no value; give one, or remove the line")
	default:
		g.values = []string{node.Value}
	}
	return g
}

// need refuses an object without a setting. A value that could not be read was already reported at its place.
func (r *reader) need(o object, name, want string) {
	if _, ok := o.values[name]; ok || r.complained(o.path) {
		return
	}
	s := find(name)
	r.ps.add(o.where, o.path, "no %s given; want %s", isAre(s.nameIn(s.Place)), want)
}

func isAre(word string) string {
	if strings.HasSuffix(word, "servers") {
		return word + " are"
	}
	return word + " is"
}

// complained reports whether there is a problem with the value of an object that need looks for.
func (r *reader) complained(path string) bool {
	return slices.ContainsFunc(*r.ps, func(p Problem) bool {
		return strings.HasPrefix(p.Setting, path+".address") || strings.HasPrefix(p.Setting, path+".servers")
	})
}

// unknown reports a key that is no setting in a place, and names the place where it is one.
func (r *reader) unknown(key *yaml.Node, p Place, path string) {
	name := key.Value
	if p == 0 {
		r.ps.add(r.at(key), path, "unknown setting %.100q%s", name, DidYouMean(name, append(names(), listenersKey, upstreamsKey)))
		return
	}
	if s := find(name); s != nil && s.stands(p) {
		r.ps.add(r.at(key), join(path, name), "is called %s in %s", s.nameIn(p), p)
		return
	}
	if home := homes(name, p); home != "" {
		r.ps.add(r.at(key), join(path, name), "is not possible in %s; it belongs %s", p, home)
		return
	}
	if len(*r.ps) > maxHints {
		r.ps.add(r.at(key), path, "unknown setting %.100q", name)
		return
	}
	known := keysIn(p)
	if p == InListener {
		known = slices.DeleteFunc(known, func(k string) bool { return strings.Contains(k, ".") })
		known = append(known, "name", "upstream", tlsKey)
	}
	r.ps.add(r.at(key), path, "unknown setting %.100q%s", name, DidYouMean(name, known))
}

// maxHints bounds the problems for which similar names are looked for.
const maxHints = 1000

// homes returns where a key that is not allowed in p belongs; empty: it is no setting.
func homes(key string, p Place) string {
	if strings.Contains(key, ".") { // a path
		return ""
	}
	if s := find(key); s != nil {
		switch place := s.Place &^ InTLS; place {
		case 0:
			return "at the top level"
		default:
			home := "at the top level, or in " + place.String()
			if s.nameIn(place) != key {
				home += " as " + s.nameIn(place)
			}
			return home
		}
	}
	for _, q := range []Place{InListener, InUpstream} {
		if q != p && findIn(q, key) != nil {
			return "in " + q.String()
		}
	}
	return ""
}
