package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Tree returns the settings in force as a file that can be loaded again, with the source of each value. Secrets are
// hidden, and must be filled in again. Any goroutine.
func (c *Config) Tree() string {
	var t tree
	for _, s := range settings {
		if s.Place == 0 || s.Name == "protected-mode" { // it also counts for the admin address
			t.setting("", s.Name, c, s)
		}
	}
	t.b.WriteString(listenersKey + ":\n")
	for _, l := range c.Listeners {
		t.value("  - ", "address", []string{l.Address}, false, l.first("listen"))
		if listenerName.MatchString(l.Name) { // an address may have blanks
			t.value("    ", "name", []string{l.Name}, false, l.first("name"))
		}
		t.value("    ", "upstream", []string{l.Upstream}, false, l.first("to"))
		t.object(l.Config, InListener, "listen")
	}
	t.b.WriteString(upstreamsKey + ":\n")
	for _, u := range c.Upstreams {
		fmt.Fprintf(&t.b, "  %s:\n", quote(u.Name))
		t.object(u.Config, InUpstream, "")
	}
	return t.b.String()
}

// tree writes settings as YAML.
type tree struct{ b strings.Builder }

// object writes the settings of a place, except the one called skip.
func (t *tree) object(c *Config, p Place, skip string) {
	within := false
	for _, s := range settings {
		switch {
		case s.Place&p == 0 || s.Name == skip:
		case s.Place&InTLS == 0:
			t.setting("    ", s.nameIn(p), c, s)
		case len(c.TLSCertFiles) > 0:
			if !within {
				t.b.WriteString("    " + tlsKey + ":\n")
			}
			within = true
			t.setting("      ", s.nameIn(p|InTLS), c, s)
		}
	}
}

// setting writes the value of s that is in force, if there is one.
func (t *tree) setting(indent, key string, c *Config, s *Setting) {
	if values := c.inForce(s); len(values) > 0 {
		t.value(indent, key, values, s.list, c.origin[s.Name])
	}
}

func (t *tree) value(indent, key string, values []string, list bool, origin string) {
	for i, v := range values {
		values[i] = quote(v)
	}
	text := strings.Join(values, ", ")
	if list {
		text = "[" + text + "]"
	}
	if origin == "" {
		origin = "default"
	}
	fmt.Fprintf(&t.b, "%s%s: %s  # %s\n", indent, key, text, strings.Map(printable, origin))
}

// printable keeps a comment on its line.
func printable(r rune) rune {
	if !strconv.IsPrint(r) {
		return '?'
	}
	return r
}

// inForce returns the value or values of s in written form; none: s has none, or it has no effect.
func (c *Config) inForce(s *Setting) []string {
	switch name := s.Name; name {
	case "loops":
		return []string{strconv.Itoa(c.Loops)}
	case "topology":
		return []string{c.Topology}
	case "stall-timeout":
		return []string{short(c.StallTimeout)}
	case "cluster-facade":
		if c.ClusterFacade {
			return []string{"on"}
		}
		return []string{"off"}
	case "replicas":
		return c.replicaPairs()
	case "distribution", "hash":
		if c.Topology == Cluster {
			return nil
		}
	}
	switch base := strings.TrimSuffix(s.Name, "-file"); {
	case slices.Contains(sentinelOnly, s.Name) && c.Topology != Sentinel:
		return nil
	case slices.Contains(passwords, base):
		return c.passwordInForce(base, s.Name)
	case c.texts[s.Name] != nil:
		return slices.Clone(c.texts[s.Name])
	case s.Default != "":
		return []string{s.Default}
	}
	return nil
}

// passwordInForce returns the value of a password, or of the setting of its file, depending on name.
func (c *Config) passwordInForce(base, name string) []string {
	switch path := *c.file(base); {
	case name == base && path == "" && *c.secret(base) != "":
		return []string{c.secret(base).String()}
	case name != base && path != "":
		return []string{path}
	}
	return nil
}

// replicaPairs returns c's replicas in the form of their setting, sorted.
func (c *Config) replicaPairs() (pairs []string) {
	for primary, replicas := range c.Replicas {
		for _, r := range replicas {
			pair := primary + "=" + r.Addr
			if r.Weight != 1 {
				pair += ":" + strconv.Itoa(r.Weight)
			}
			if !plain(r) {
				pair += "@" + r.Name
			}
			pairs = append(pairs, pair)
		}
	}
	slices.Sort(pairs)
	return pairs
}

// bare matches text that needs no quotes in YAML, not even in a list in brackets.
var bare = regexp.MustCompile(`^[A-Za-z0-9_./(][A-Za-z0-9_./@=+|()-]*(:[A-Za-z0-9_./@=+|()-]+)*$`)

// quote writes v so that YAML reads it unchanged.
func quote(v string) string {
	switch {
	case bare.MatchString(v) && !strings.EqualFold(v, "null"):
		return v
	case !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }):
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	}
	return strconv.QuoteToASCII(v)
}
