package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// syntax adds an error of the YAML library, "yaml: line 3: text", in the form of a Problem.
func (ps *Problems) syntax(name string, text []byte, err error) {
	said, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if rest, ok := strings.CutPrefix(said, "line "); ok {
		if number, words, ok := strings.Cut(rest, ": "); ok {
			line, _ = strconv.Atoi(number)
			said = words
		}
	}
	if found := faultLine(text); found > 0 {
		line = found
	}
	if line > 0 {
		name = fmt.Sprintf("%s:%d", name, line)
	}
	if advice := yamlAdvice(said, lineOf(text, line)); advice != "" {
		ps.add(name, "", "not valid YAML: %s (%s)", advice, said)
		return
	}
	ps.add(name, "", "not valid YAML: %s", said)
}

// yamlAdvice says what is probably wrong with a line that the YAML library refuses; empty: unknown.
func yamlAdvice(said string, line []byte) string {
	indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
	switch {
	case bytes.ContainsRune(indent, '\t'):
		return "a tab in the indentation; use spaces"
	case strings.HasPrefix(said, "mapping values are not allowed"):
		return "a colon that does not fit here; check the indentation, and whether the line before lacks a colon; quote texts that contain a colon and a space"
	case said == "did not find expected key", said == "did not find expected '-' indicator":
		return "this line does not fit the lines before it; check its indentation and its quotes"
	case strings.HasPrefix(said, "did not find expected ',' or "):
		return "the list or mapping in brackets that begins here has no end"
	case strings.HasPrefix(said, "found unexpected end of stream"):
		return "a text in quotes that begins here has no end"
	case strings.HasPrefix(said, "found character that cannot start any token"):
		return "a value begins with a character that means something in YAML; put the value in quotes"
	}
	return ""
}

// prefixes bounds how many bytes faultLine lets the YAML library read.
const prefixes = 4 << 20

// faultLine returns the line, from 1, that makes a text invalid YAML; 0: not found. The library itself names the line
// where the broken list or mapping begins. The lines before the returned one are valid YAML, and together with it
// they are not.
func faultLine(text []byte) int {
	lines := bytes.SplitAfter(text, []byte("\n"))
	fed := &lineReader{lines: lines}
	_ = decodes(fed) // fails, and reads only a little beyond the fault
	end := 0
	for _, l := range lines[:fed.next] {
		end += len(l)
	}
	budget := prefixes
	for n := fed.next; n > 0 && budget > 0; n-- {
		end -= len(lines[n-1])
		if budget -= end; !decodes(bytes.NewReader(text[:end])) {
			continue
		}
		for n < len(lines) && blank(lines[n-1]) {
			n++
		}
		return n
	}
	return 0
}

// decodes reports whether all of r is YAML.
func decodes(r io.Reader) bool {
	dec := yaml.NewDecoder(r)
	for {
		if err := dec.Decode(new(yaml.Node)); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// blank reports whether a line is empty or has only a comment.
func blank(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#'
}

// lineOf returns a line of a text, from 1; empty: there is none.
func lineOf(text []byte, line int) []byte {
	lines := bytes.Split(text, []byte("\n"))
	if line < 1 || line > len(lines) {
		return nil
	}
	return lines[line-1]
}

// lineReader returns one line per Read, so that it shows how far it was read.
type lineReader struct {
	lines [][]byte
	next  int
	rest  []byte
}

// Read is io.Reader.
func (r *lineReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.next == len(r.lines) {
			return 0, io.EOF
		}
		r.rest, r.next = r.lines[r.next], r.next+1
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// foreign returns the name of the other proxy whose settings a file has, and the line; empty: it may be a file of
// ringmaster.
func foreign(top *yaml.Node) (what string, line int) {
	if top.Kind != yaml.MappingNode {
		return "", 0
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		switch {
		case key.Value == "static_resources" || key.Value == "dynamic_resources":
			return "a file of Envoy", key.Line
		case find(key.Value) == nil && has(value, "listen") && has(value, "servers"):
			return "a file of twemproxy (nutcracker), with " + strconv.Quote(key.Value) + " as a pool", key.Line
		}
	}
	return "", 0
}

// has reports whether a node is a mapping with a key.
func has(node *yaml.Node, key string) bool {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return true
		}
	}
	return false
}
