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

// given is the values of one setting in one source.
type given struct {
	values []string
	where  string
}

// readFile returns the values in the YAML file at path by setting name. What could not be
// understood is added to ps.
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
		ps.syntax(name, err)
		return nil
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		ps.add(name, "", "more than one YAML document; want one, without a second ---")
		return nil
	}
	return fields(name, doc.Content[0], ps)
}

// syntax adds what the YAML library said, "yaml: line 3: text", in our form.
func (ps *Problems) syntax(name string, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if line, said, ok := strings.Cut(rest, ": "); ok {
			name, text = name+":"+line, said
		}
	}
	ps.add(name, "", "%s", text)
}

// fields reads the top of the document: one mapping of setting names to values.
func fields(name string, top *yaml.Node, ps *Problems) map[string]given {
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return nil // only comments
	}
	if top.Kind != yaml.MappingNode {
		ps.add(at(name, top), "", "want settings as \"name: value\" lines")
		return nil
	}
	got := make(map[string]given)
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		s := find(key.Value)
		if s == nil {
			ps.add(at(name, key), "", "unknown setting %.100q%s", key.Value, DidYouMean(key.Value, names()))
			continue
		}
		if earlier, twice := got[s.Name]; twice {
			ps.add(at(name, key), s.Name, "given twice; first at %s", earlier.where)
			continue
		}
		if values, ok := s.read(name, value, ps); ok {
			got[s.Name] = given{values, at(name, value)}
		}
	}
	return got
}

// read returns the value or values of s in a node, each checked where it stands.
func (s *Setting) read(name string, node *yaml.Node, ps *Problems) ([]string, bool) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	items := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode && s.list {
		items = node.Content
	}
	if len(items) == 0 {
		ps.add(at(name, node), s.Name, "an empty list; want at least one value")
		return nil, false
	}
	values, ok := make([]string, 0, len(items)), true
	for _, item := range items {
		if err := s.checkItem(item); err != nil {
			s.report(ps, at(name, item), item.Value, err)
			ok = false
			continue
		}
		values = append(values, item.Value)
	}
	return values, ok
}

// checkItem says what is wrong with one value, without keeping it.
func (s *Setting) checkItem(item *yaml.Node) error {
	switch {
	case item.Kind == yaml.MappingNode && item.Style == yaml.FlowStyle && s.Name == "hash-tag":
		return errors.New("braces mean something in YAML; want them quoted: '{}'")
	case item.Kind != yaml.ScalarNode && s.list:
		return errors.New("want a value, or a list of values")
	case item.Kind != yaml.ScalarNode:
		return errors.New("want one value")
	case item.Tag == "!!null" && s.Env != "":
		return errors.New("has no value; give one, or remove the line")
	case item.Tag == "!!null":
		return errors.New("has no value; give one, '' if it is meant to be empty, or remove the line")
	}
	return s.set(new(Config), []string{item.Value})
}

// report adds a problem with a value of s; the text of an absent or structured value, and
// of a secret, is left out.
func (s *Setting) report(ps *Problems, where, value string, err error) {
	if value == "" || s.Env != "" {
		ps.add(where, s.Name, "%v", err)
		return
	}
	ps.bad(where, s, value, err)
}

func at(name string, n *yaml.Node) string { return fmt.Sprintf("%s:%d", name, n.Line) }

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
