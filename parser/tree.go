package parser

import (
	"errors"
	"fmt"
	"strings"
)

// reserved bounds the allocation for an announced length of an aggregate, in elements.
const reserved = 64

// ErrNotRESP is the cause of an error of ParseValue when the reply is broken, and not merely too large.
var ErrNotRESP = errors.New("the answer is not RESP")

// Value is a reply, or an element of one, as a tree. It is for replies that are rare and short, because it needs
// several times their bytes.
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

// IsText reports whether the value is a string, which may be empty, and no null. Any goroutine.
func (v Value) IsText() bool {
	return !v.Null && (v.Kind == '$' || v.Kind == '+' || v.Kind == '=')
}

// Int returns the value's number, from an integer or a text. Any goroutine.
func (v Value) Int() (int64, bool) {
	if v.Null || v.Kind != ':' && !v.IsText() {
		return 0, false
	}
	return Int([]byte(v.Text))
}

// Pairs calls f for each key and value of a map, or of the array that RESP2 has in its place, until it
// returns false. Keys that are no text, and a last key without a value, are left out. Any goroutine.
func (v Value) Pairs(f func(key string, value Value) bool) {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		if v.Elems[i].IsText() && !f(v.Elems[i].Text, v.Elems[i+1]) {
			return
		}
	}
}

// ParseValue reads reply, which must be exactly one, into a tree of at most maxValues values, aggregates
// included, that is nested at most maxDepth deep. Attributes, and pushes inside the reply, are left out. The texts of the value share the
// memory of reply. An error says what is wrong: the reply is too large, too deep, or ErrNotRESP. Any goroutine.
func ParseValue(reply string, maxDepth, maxValues int) (Value, error) {
	t := tree{rest: reply, left: maxValues, maxDepth: maxDepth, maxValues: maxValues}
	v, err := t.value(maxDepth)
	if err == nil && t.rest != "" {
		err = fmt.Errorf("%w: %d bytes after the reply", ErrNotRESP, len(t.rest))
	}
	return v, err
}

// tree is a tree that is being built. It recurses at most maxDepth deep.
type tree struct {
	rest                string
	left                int // values that may still come
	inside              int // aggregates that are open
	maxDepth, maxValues int
}

func (t *tree) value(depth int) (Value, error) {
	if t.left--; t.left < 0 {
		return Value{}, t.tooMany()
	}
	if depth == 0 {
		return Value{}, fmt.Errorf("a reply is nested deeper than %d", t.maxDepth)
	}
	line, rest, ok := strings.Cut(t.rest, "\r\n")
	if !ok || line == "" {
		return Value{}, notRESP(t.rest)
	}
	t.rest = rest
	switch kind := line[0]; kind {
	case '+', '-', ':', '#', ',', '(':
		return Value{Kind: kind, Text: line[1:]}, nil
	case '_':
		return Value{Kind: kind, Null: true}, nil
	case '$', '=', '!':
		return t.bulk(kind, line)
	case '>':
		push, err := t.aggregate(kind, line, depth)
		if err != nil || t.inside == 0 {
			return push, err
		}
		return t.value(depth - 1)
	case '*', '~', '%':
		return t.aggregate(kind, line, depth)
	case '|':
		if _, err := t.aggregate('%', line, depth); err != nil {
			return Value{}, err
		}
		return t.value(depth - 1)
	}
	return Value{}, notRESP(line)
}

func (t *tree) bulk(kind byte, line string) (Value, error) {
	n, err := announced(line)
	if err != nil {
		return Value{}, err
	}
	if n < 0 {
		return Value{Kind: kind, Null: true}, nil
	}
	if n > int64(len(t.rest))-2 || t.rest[n:n+2] != "\r\n" {
		return Value{}, notRESP(line)
	}
	v := Value{Kind: kind, Text: t.rest[:n]}
	t.rest = t.rest[n+2:]
	return v, nil
}

func (t *tree) aggregate(kind byte, line string, depth int) (Value, error) {
	n, err := announced(line)
	if err != nil {
		return Value{}, err
	}
	switch {
	case n < 0 && (line[0] == '>' || line[0] == '|'):
		return Value{}, notRESP(line)
	case n < 0:
		return Value{Kind: kind, Null: true}, nil
	}
	if n > int64(t.left) {
		return Value{}, t.tooMany()
	}
	if kind == '%' {
		n *= 2
	}
	v := Value{Kind: kind, Elems: make([]Value, 0, min(n, reserved))}
	t.inside++
	for range n {
		e, err := t.value(depth - 1)
		if err != nil {
			return Value{}, err
		}
		v.Elems = append(v.Elems, e)
	}
	t.inside--
	return v, nil
}

func (t *tree) tooMany() error { return fmt.Errorf("a reply has more than %d values", t.maxValues) }

func notRESP(at string) error { return fmt.Errorf("%w: %.40q", ErrNotRESP, at) }

// announced returns the number after a type byte; -1 is a null.
func announced(line string) (int64, error) {
	n, ok := Int([]byte(line[1:]))
	if !ok || n < -1 {
		return 0, notRESP(line)
	}
	return n, nil
}
