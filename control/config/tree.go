package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// DefaultUpstream is the name of the upstream of flat settings, and of listeners that name no upstream.
const DefaultUpstream = "default"

// Listener is one address that clients connect to. Its Config has the values of every setting of a listener. The
// settings of upstreams in it have no meaning. Any goroutine.
type Listener struct {
	Name     string // unique
	Address  string // HOST:PORT, or UnixPrefix and a path
	Upstream string // the name of the upstream that its commands go to
	*Config
}

// Upstream is one group of servers. Its Config has the values of every setting of an upstream. The settings of
// listeners in it have no meaning. Any goroutine.
type Upstream struct {
	Name string // unique
	*Config
}

// Alike reports whether l and o treat their clients in the same way, so that all settings except name, address and
// tcp-keepalive are equal. Any goroutine.
func (l Listener) Alike(o Listener) bool {
	a, b := l.values(), o.values()
	a.TCPKeepAlive, b.TCPKeepAlive = 0, 0 // each socket has its own
	return l.Upstream == o.Upstream && reflect.DeepEqual(a, b)
}

// values returns c without its sources and objects.
func (c *Config) values() Config {
	v := *c
	v.sources, v.Listen, v.Listeners, v.Upstreams = sources{}, nil, nil, nil
	v.clusterFacade, v.passwordFile, v.upstreamPasswordFile, v.sentinelPasswordFile = "", "", "", ""
	return v
}

// Used returns the upstream that l's commands go to. Any goroutine.
func (c *Config) Used(l Listener) Upstream {
	return c.Upstreams[slices.IndexFunc(c.Upstreams, func(u Upstream) bool { return u.Name == l.Upstream })]
}

// readObjects makes c's listeners and upstreams from those of the file. ownServers says that the servers do not come
// from the file.
func (c *Config) readObjects(file map[string]given, ownServers bool, ps *Problems) {
	c.oneForm(file, "listen", listenersKey, ps)
	for _, o := range file[listenersKey].objects {
		d := c.child(o, InListener, ps)
		if o.plain {
			d.withoutTLS()
		}
		l := Listener{Name: o.name.text(), Upstream: o.upstream.text(), Config: d}
		if _, ok := o.values["listen"]; ok && len(d.Listen) > 0 {
			l.Address = d.Listen[0]
		}
		l.plainUnix()
		d.origin["name"], d.origin["to"] = o.name.where, o.upstream.where
		c.Listeners = append(c.Listeners, l)
	}
	if ownServers {
		return
	}
	c.oneForm(file, "upstream", upstreamsKey, ps)
	for _, o := range file[upstreamsKey].objects {
		c.Upstreams = append(c.Upstreams, Upstream{Name: o.name.text(), Config: c.child(o, InUpstream, ps)})
	}
}

// oneForm refuses a flat setting together with the objects that it is a short form of.
func (c *Config) oneForm(file map[string]given, name, key string, ps *Problems) {
	if objects, ok := file[key]; ok && c.origin[name] != "" {
		ps.add(c.origin[name], name, "%s are also given (%s); want only one of them", key, objects.where)
	}
}

// child returns a copy of c with an object's own values.
func (c *Config) child(o object, p Place, ps *Problems) *Config {
	d := *c
	d.Listeners, d.Upstreams = nil, nil
	d.sources = c.inside(p, o.path, o.where)
	d.applyAll(o.values, ps)
	d.readPasswords(ps)
	d.refuseEmptyPasswords(false, ps)
	return &d
}

// replaced reports whether every object in which a password of the top level would count has its own.
func (c *Config) replaced(name string) bool {
	n := 0
	has := func(d *Config) {
		if d.ownKeys[name] || d.ownKeys[name+"-file"] {
			n++
		}
	}
	if find(name).Place == InListener {
		for _, l := range c.Listeners {
			has(l.Config)
		}
		return n > 0 && n == len(c.Listeners)
	}
	for _, u := range c.Upstreams {
		has(u.Config)
	}
	return n > 0 && n == len(c.Upstreams)
}

// unfold makes the objects of flat settings. They are c itself until fold gives them a copy.
func (c *Config) unfold() {
	if len(c.Upstreams) == 0 {
		c.Upstreams = []Upstream{{Name: DefaultUpstream, Config: c}}
	}
	if len(c.Listeners) == 0 {
		for _, addr := range c.Listen {
			c.Listeners = append(c.Listeners, Listener{Address: addr, Config: c})
		}
	}
}

// fold completes unfold.
func (c *Config) fold() {
	own := *c
	own.Listeners, own.Upstreams = nil, nil
	c.Listen = nil
	for i := range c.Listeners {
		l := &c.Listeners[i]
		c.Listen = append(c.Listen, l.Address)
		if l.Config == c {
			d := own
			l.Config = &d
			if len(c.TLSCertFiles) > 0 && strings.HasPrefix(l.Address, UnixPrefix) {
				l.Config = l.copied()
				l.withoutTLS()
			}
		}
		l.Listen = []string{l.Address}
	}
	for i := range c.Upstreams {
		if c.Upstreams[i].Config == c {
			d := own
			c.Upstreams[i].Config = &d
		}
	}
}

// nameListeners gives those without a name their address, and refuses a name that is taken.
func (c *Config) nameListeners(ps *Problems) {
	taken := map[string]bool{}
	for _, l := range c.Listeners {
		if taken[l.Name] && l.Name != "" {
			ps.add(l.origin["name"], l.path+".name", "%.100q is the name of another listener", l.Name)
		}
		taken[l.Name] = true
	}
	for i := range c.Listeners {
		l := &c.Listeners[i]
		if l.Name != "" {
			continue
		}
		l.Name = l.Address
		for n := 2; taken[l.Name]; n++ { // such as port 0 twice
			l.Name = fmt.Sprintf("%s#%d", l.Address, n)
		}
		taken[l.Name] = true
	}
}

// chooseUpstreams decides where the commands of each listener go.
func (c *Config) chooseUpstreams(given bool, ps *Problems) {
	var names []string
	for _, u := range c.Upstreams {
		names = append(names, u.Name)
	}
	for i := range c.Listeners {
		l := &c.Listeners[i]
		switch {
		case given: // regardless of the file
			l.Upstream = DefaultUpstream
		case l.Upstream != "":
			if !slices.Contains(names, l.Upstream) {
				ps.add(l.origin["to"], l.path+".upstream", "there is no upstream %.100q; want one of %s%s",
					l.Upstream, strings.Join(names, ", "), DidYouMean(l.Upstream, names))
			}
		case len(names) == 1:
			l.Upstream = names[0]
		case slices.Contains(names, DefaultUpstream):
			l.Upstream = DefaultUpstream
		case l.flat():
			l.complain(ps, "listen", "there are several upstreams and none is called %s; want %s instead, each with upstream: one of %s",
				DefaultUpstream, listenersKey, strings.Join(names, ", "))
			return
		default:
			ps.add(l.where, l.path+".upstream", "is not given, and no upstream is called %s; want one of %s", DefaultUpstream, strings.Join(names, ", "))
		}
	}
}
