package testkit

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// Value is a parsed reply, for replies whose bytes may differ and still be right.
type Value struct {
	Kind  byte    // the type byte: + - : $ * _ # , ( = ! ~ > % |
	Null  bool    // $-1, *-1 or _
	Text  string  // the line or blob of a scalar
	Elems []Value // of an aggregate, in order; a map's keys and values alternate; an attribute's reply comes last
}

// ParseValue parses raw, which must be exactly one reply. Any goroutine.
func ParseValue(raw []byte) (Value, error) {
	p := valueParser{rest: raw}
	v, err := p.value()
	if err == nil && len(p.rest) > 0 {
		err = fmt.Errorf("%w: %d bytes after the reply", ErrNotRESP, len(p.rest))
	}
	return v, err
}

type valueParser struct{ rest []byte }

func (p *valueParser) value() (Value, error) {
	line, err := p.line()
	if err != nil {
		return Value{}, err
	}
	v := Value{Kind: line[0]}
	switch v.Kind {
	case '$', '=', '!':
		return p.blob(v, line)
	case '*', '~', '>':
		return p.many(v, line, 1, 0)
	case '%':
		return p.many(v, line, 2, 0)
	case '|':
		return p.many(v, line, 2, 1)
	case '_':
		v.Null = true
	}
	v.Text = string(line[1:])
	return v, nil
}

func (p *valueParser) line() ([]byte, error) {
	end := bytes.Index(p.rest, []byte("\r\n"))
	if end < 1 {
		return nil, fmt.Errorf("%w: %.40q", ErrNotRESP, p.rest)
	}
	line := p.rest[:end]
	p.rest = p.rest[end+2:]
	return line, nil
}

func (p *valueParser) blob(v Value, line []byte) (Value, error) {
	n, err := length(line)
	if err != nil {
		return v, err
	}
	if n < 0 {
		v.Null = true
		return v, nil
	}
	if len(p.rest) < n+2 {
		return v, fmt.Errorf("%w: blob of %d bytes is cut", ErrNotRESP, n)
	}
	v.Text = string(p.rest[:n])
	p.rest = p.rest[n+2:]
	return v, nil
}

func (p *valueParser) many(v Value, line []byte, per, extra int) (Value, error) {
	n, err := length(line)
	if err != nil {
		return v, err
	}
	v.Null = n < 0
	for range per*max(n, 0) + extra {
		e, err := p.value()
		if err != nil {
			return v, err
		}
		v.Elems = append(v.Elems, e)
	}
	return v, nil
}

// String writes the value on one line, for messages and for comparing.
func (v Value) String() string {
	var b bytes.Buffer
	v.write(&b)
	return b.String()
}

func (v Value) write(b *bytes.Buffer) {
	b.WriteByte(v.Kind)
	switch {
	case v.Null:
		b.WriteString("null")
	case bytes.IndexByte([]byte("*~>%|"), v.Kind) >= 0:
		b.WriteByte('[')
		for i, e := range v.Elems {
			if i > 0 {
				b.WriteByte(' ')
			}
			e.write(b)
		}
		b.WriteByte(']')
	default:
		b.WriteString(strconv.Quote(v.Text))
	}
}

// Sorted returns the value with the elements of every aggregate in a fixed order, maps by pairs, so that two replies
// that differ only in order become equal.
func (v Value) Sorted() Value {
	per := 1
	if v.Kind == '|' {
		return v
	}
	if v.Kind == '%' {
		per = 2
	}
	return v.sortedBy(per)
}

// SortedPairs is Sorted for an array that holds pairs in RESP2, such as HGETALL's.
func (v Value) SortedPairs() Value {
	if len(v.Elems)%2 != 0 {
		return v
	}
	return v.sortedBy(2)
}

func (v Value) sortedBy(per int) Value {
	groups := make([][]Value, 0, len(v.Elems)/per+1)
	for i := 0; i+per <= len(v.Elems); i += per {
		g := make([]Value, per)
		for j := range g {
			g[j] = v.Elems[i+j].Sorted()
		}
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b []Value) int {
		for i := range a {
			if c := bytes.Compare([]byte(a[i].String()), []byte(b[i].String())); c != 0 {
				return c
			}
		}
		return 0
	})
	v.Elems = slices.Concat(groups...)
	return v
}

// ReadValue reads and parses one reply. Any goroutine.
func ReadValue(r *bufio.Reader) (Value, error) {
	raw, err := ReadReplyInto(nil, r)
	if err != nil {
		return Value{}, err
	}
	return ParseValue(raw)
}
