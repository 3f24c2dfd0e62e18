package respclient

import (
	"errors"
	"fmt"
	"strings"

	"ringmaster/parser"
)

const (
	// MaxDepth bounds the nesting of a reply.
	MaxDepth = 16
	// MaxValues bounds the values of a reply, aggregates included. CLUSTER SHARDS has about 20 for
	// each node and 2 for each range of slots.
	MaxValues = 1 << 17

	// reserved bounds what is allocated because an aggregate announced its length.
	reserved = 64
	// maxRefusal bounds the text of a Refusal, in bytes.
	maxRefusal = 200
)

var errNotRESP = errors.New("the answer is not RESP")

// Value is a reply, or an element of one.
type Value struct {
	// Kind is the type byte: one of + - : $ * _ # , ( = ! ~ > %.
	Kind byte
	// Null is $-1, *-1 or _.
	Null bool
	// Text is the line or the bytes of a scalar.
	Text string
	// Elems are an aggregate's. A map's keys and values alternate, as they do in the array that
	// RESP2 has in its place.
	Elems []Value
}

// Refusal is an error that a server answered.
type Refusal struct {
	Command string
	// Text is the server's, at most 200 bytes of it.
	Text string
}

// Error quotes the server.
func (r *Refusal) Error() string { return fmt.Sprintf("answered %s with %q", r.Command, r.Text) }

// Code is the first word, such as NOAUTH.
func (r *Refusal) Code() string {
	code, _, _ := strings.Cut(r.Text, " ")
	return code
}

// Err is a *Refusal when the value is an error that answers command, else nil.
func (v Value) Err(command string) error {
	if v.Kind != '-' && v.Kind != '!' {
		return nil
	}
	return &Refusal{Command: command, Text: strings.Clone(v.Text[:min(len(v.Text), maxRefusal)])}
}

// IsText reports whether the value is a string, an empty one included, and no null.
func (v Value) IsText() bool {
	return !v.Null && (v.Kind == '$' || v.Kind == '+' || v.Kind == '=')
}

// Int is the number that the value is, as an integer or as text.
func (v Value) Int() (int64, bool) {
	if v.Null || v.Kind != ':' && !v.IsText() {
		return 0, false
	}
	return parser.Int([]byte(v.Text))
}

// Pairs calls f for each key and value of a map, or of the array that RESP2 has in its place, until it
// returns false. Keys that are no text, and a last key without a value, are left out.
func (v Value) Pairs(f func(key string, value Value) bool) {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		if v.Elems[i].IsText() && !f(v.Elems[i].Text, v.Elems[i+1]) {
			return
		}
	}
}

// Parse reads reply, which must be exactly one. Any goroutine.
func Parse(reply string) (Value, error) {
	p := builder{rest: reply, left: MaxValues}
	v, err := p.value(MaxDepth)
	if err == nil && p.rest != "" {
		err = fmt.Errorf("%w: %d bytes behind the reply", errNotRESP, len(p.rest))
	}
	return v, err
}

// builder makes a tree of a whole reply.
type builder struct {
	rest string
	left int // values that may still come
}

func (p *builder) value(depth int) (Value, error) {
	if p.left--; p.left < 0 {
		return Value{}, fmt.Errorf("a reply has more than %d values", MaxValues)
	}
	if depth == 0 {
		return Value{}, fmt.Errorf("a reply is nested deeper than %d", MaxDepth)
	}
	line, rest, ok := strings.Cut(p.rest, "\r\n")
	if !ok || line == "" {
		return Value{}, fmt.Errorf("%w: %.40q", errNotRESP, p.rest)
	}
	p.rest = rest
	switch kind := line[0]; kind {
	case '+', '-', ':', '#', ',', '(':
		return Value{Kind: kind, Text: line[1:]}, nil
	case '_':
		return Value{Kind: kind, Null: true}, nil
	case '$', '=', '!':
		return p.bulk(kind, line)
	case '*', '~', '>', '%':
		return p.aggregate(kind, line, depth)
	case '|':
		if _, err := p.aggregate('%', line, depth); err != nil {
			return Value{}, err
		}
		return p.value(depth - 1)
	}
	return Value{}, fmt.Errorf("%w: %.40q", errNotRESP, line)
}

func (p *builder) bulk(kind byte, line string) (Value, error) {
	n, err := length(line)
	if err != nil {
		return Value{}, err
	}
	if n < 0 {
		return Value{Kind: kind, Null: true}, nil
	}
	if n > int64(len(p.rest))-2 || p.rest[n:n+2] != "\r\n" {
		return Value{}, fmt.Errorf("%w: %.40q", errNotRESP, line)
	}
	v := Value{Kind: kind, Text: p.rest[:n]}
	p.rest = p.rest[n+2:]
	return v, nil
}

func (p *builder) aggregate(kind byte, line string, depth int) (Value, error) {
	n, err := length(line)
	if err != nil {
		return Value{}, err
	}
	if n < 0 {
		return Value{Kind: kind, Null: true}, nil
	}
	if n > int64(p.left) {
		return Value{}, fmt.Errorf("a reply has more than %d values", MaxValues)
	}
	if kind == '%' {
		n *= 2
	}
	v := Value{Kind: kind, Elems: make([]Value, 0, min(n, reserved))}
	for range n {
		e, err := p.value(depth - 1)
		if err != nil {
			return Value{}, err
		}
		v.Elems = append(v.Elems, e)
	}
	return v, nil
}

// length is the number behind a type byte; -1 is a null.
func length(line string) (int64, error) {
	n, ok := parser.Int([]byte(line[1:]))
	if !ok || n < -1 {
		return 0, fmt.Errorf("%w: %.40q", errNotRESP, line)
	}
	return n, nil
}
