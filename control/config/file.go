package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a configuration file in bytes.
const maxFile = 1 << 20

// given has the values of one setting in one source, or the listeners or upstreams of a file.
type given struct {
	values  []string
	where   string
	objects []object
}

// readFile returns the values in the YAML file at path by setting name. It adds everything that it does not
// understand to ps.
func readFile(path string, ps *Problems) map[string]given {
	text, err := readAtMost(path, maxFile)
	if err != nil {
		ps.add("", "config", "%v", err)
		return nil
	}
	return parseFile(path, text, ps)
}

// parseFile is readFile for text already read; name is what problems call it.
func parseFile(name string, text []byte, ps *Problems) map[string]given {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil // empty: every setting has its default
	case err != nil:
		ps.syntax(name, text, err)
		return nil
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		ps.add(name, "", "more than one YAML document; want one, without a second ---")
		return nil
	}
	if what, line := foreign(doc.Content[0]); what != "" {
		ps.add(fmt.Sprintf("%s:%d", name, line), "", "this looks like %s; docs/migrating.md says how to write the same for ringmaster", what)
		return nil
	}
	r := reader{file: name, ps: ps}
	return r.top(doc.Content[0])
}

// reader reads the nodes of one file.
type reader struct {
	file string
	ps   *Problems
	// aliased is what aliases have added, in bytes as [weight] counts them.
	aliased int
}

func (r *reader) at(n *yaml.Node) string { return fmt.Sprintf("%s:%d", r.file, n.Line) }

// top reads the top of the document: one mapping of setting names to values, and of objects.
func (r *reader) top(node *yaml.Node) map[string]given {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return nil // only comments
	}
	if node.Kind != yaml.MappingNode {
		r.ps.add(r.at(node), "", "want settings as \"name: value\" lines")
		return nil
	}
	return r.fields(node, 0, "", r.objects)
}

// fields reads a mapping in a place, whose path is path. other reads the keys that are no settings; false: it does
// not know the key.
func (r *reader) fields(node *yaml.Node, p Place, path string, other func(key, value *yaml.Node) (given, bool)) map[string]given {
	got := make(map[string]given)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if earlier, twice := got[key.Value]; twice {
			r.ps.add(r.at(key), join(path, key.Value), "given twice; first at %s", earlier.where)
			continue
		}
		if g, known := other(key, value); known {
			got[key.Value] = g
			continue
		}
		s := findIn(p, key.Value)
		if s == nil || strings.Contains(key.Value, ".") { // a path is no key
			r.unknown(key, p, path)
			continue
		}
		if values, ok := r.read(s, p, join(path, key.Value), value); ok {
			got[key.Value] = given{values: values, where: r.at(value)}
		}
	}
	return got
}

// join adds a key to the path of its object.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// read returns the value or values of s in a node, each checked where it stands.
func (r *reader) read(s *Setting, p Place, path string, node *yaml.Node) ([]string, bool) {
	node, ok := r.resolve(node, path)
	if !ok {
		return nil, false
	}
	items, several := []*yaml.Node{node}, s.takesSeveral(p)
	listed := node.Kind == yaml.SequenceNode && several
	if listed {
		items = node.Content
	}
	if len(items) == 0 {
		r.ps.add(r.at(node), path, "an empty list; want at least one value")
		return nil, false
	}
	values := make([]string, 0, len(items))
	for i, item := range items {
		if err := s.checkItem(item, several); err != nil {
			key := path
			if listed && p != 0 {
				key = fmt.Sprintf("%s[%d]", path, i)
			}
			s.report(r.ps, r.at(item), key, item.Value, err)
			ok = false
			continue
		}
		values = append(values, item.Value)
	}
	return values, ok
}

// checkItem returns the problem of one value, without keeping the value.
func (s *Setting) checkItem(item *yaml.Node, several bool) error {
	switch {
	case item.Kind == yaml.MappingNode && item.Style == yaml.FlowStyle && s.Name == "hash-tag":
		return errors.New("braces have a meaning in YAML; want them in quotes: '{}'")
	case item.Kind != yaml.ScalarNode && several:
		return errors.New("want a value, or a list of values")
	case item.Kind != yaml.ScalarNode:
		return errors.New("want one value")
	case item.Tag == "!!null" && s.Env != "":
		return errors.New("has no value; give one, or remove the line")
	case item.Tag == "!!null":
		return errNoValue
	}
	return s.set(new(Config), []string{item.Value})
}

var errNoValue = errors.New("has no value; give one ('' for an empty one), or remove the line")

// resolve returns the target of an alias, or node itself. The aliases of a file may together add no more than
// maxFile; otherwise a few lines could stand for any amount of work.
func (r *reader) resolve(node *yaml.Node, path string) (*yaml.Node, bool) {
	if node.Kind != yaml.AliasNode {
		return node, true
	}
	if r.aliased <= maxFile {
		r.aliased += weight(node.Alias, maxFile-r.aliased)
	}
	if r.aliased > maxFile {
		r.ps.add(r.at(node), path, "the aliases expand to more than %d bytes; use fewer or shorter ones", maxFile)
		return nil, false
	}
	return node.Alias, true
}

// weight returns about how many bytes a node has in a file, or a little over limit if it has more than that.
func weight(node *yaml.Node, limit int) int {
	sum := len(node.Value) + 1
	for _, child := range node.Content {
		if sum > limit {
			break
		}
		sum += weight(child, limit-sum)
	}
	return sum
}

func names() []string {
	all := make([]string, len(settings))
	for i, s := range settings {
		all[i] = s.Name
	}
	return all
}

// readAtMost reads a file, refusing one larger than limit bytes.
func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s: larger than %d bytes", path, limit)
	}
	return text, err
}
