package session_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"ringmaster/parser"
)

// How scenarios write requests and replies.
//
//	GET {A}x "two words" y*70000      a request; y*70000 is 70000 times "y"
//	"text"  "y"*70000                 a bulk string
//	+OK  -ERR words  :1  nil  nil-array  _
//	["a", :1, nil]  %{"a", :1}  >["a"]  ~["a"]
//	raw "$5\r\nhel"                   these bytes
//
// Several in a row are separated by " | ".

var repeated = regexp.MustCompile(`^(.*)\*(\d+)$`)

// requests turns "GET a | raw "..."" into bytes.
func requests(text string) ([]byte, error) {
	var b []byte
	for _, item := range split(text, '|') {
		if raw, ok := strings.CutPrefix(item, "raw "); ok {
			s, err := quotedText(raw)
			if err != nil {
				return nil, err
			}
			b = append(b, s...)
			continue
		}
		args := split(item, ' ')
		b = parser.AppendArray(b, len(args))
		for _, a := range args {
			s, err := quotedText(a)
			if err != nil {
				return nil, err
			}
			b = parser.AppendBulkString(b, s)
		}
	}
	return b, nil
}

// replies turns "+OK | nil" into bytes.
func replies(text string) ([]byte, error) {
	var b []byte
	for _, item := range split(text, '|') {
		r, err := reply(item)
		if err != nil {
			return nil, err
		}
		b = append(b, r...)
	}
	return b, nil
}

func reply(text string) ([]byte, error) {
	switch {
	case text == "nil":
		return []byte("$-1\r\n"), nil
	case text == "nil-array":
		return []byte("*-1\r\n"), nil
	case strings.HasPrefix(text, "raw "):
		s, err := quotedText(text[4:])
		return []byte(s), err
	case strings.HasPrefix(text, `"`):
		s, err := quotedText(text)
		return parser.AppendBulkString(nil, s), err
	case strings.HasPrefix(text, "["):
		return aggregate('*', text[1:], 1)
	case strings.HasPrefix(text, "%{"):
		return aggregate('%', text[2:], 2)
	case strings.HasPrefix(text, "~["), strings.HasPrefix(text, ">["):
		return aggregate(text[0], text[2:], 1)
	case text != "" && strings.Contains("+-:_#,(", text[:1]):
		return []byte(text + "\r\n"), nil
	}
	return nil, fmt.Errorf("%q is no reply", text)
}

func aggregate(kind byte, text string, per int) ([]byte, error) {
	items := split(text[:len(text)-1], ',')
	b := fmt.Appendf(nil, "%c%d\r\n", kind, len(items)/per)
	for _, item := range items {
		r, err := reply(item)
		if err != nil {
			return nil, err
		}
		b = append(b, r...)
	}
	return b, nil
}

// quotedText reads a word: plain, quoted as in Go, or either repeated.
func quotedText(s string) (string, error) {
	if m := repeated.FindStringSubmatch(s); m != nil {
		one, err := quotedText(m[1])
		n, _ := strconv.Atoi(m[2])
		return strings.Repeat(one, n), err
	}
	if strings.HasPrefix(s, `"`) {
		return strconv.Unquote(s)
	}
	return s, nil
}

// split cuts text at sep outside of quotes and brackets, and trims the pieces. Nothing gives none.
func split(text string, sep byte) (pieces []string) {
	depth, quoted, from := 0, false, 0
	add := func(to int) {
		if p := strings.TrimSpace(text[from:to]); p != "" {
			pieces = append(pieces, p)
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || (c == '{' && sep == ','):
			depth++
		case c == ']' || (c == '}' && sep == ','):
			depth--
		case c == sep && depth == 0:
			add(i)
			from = i + 1
		}
	}
	add(len(text))
	return pieces
}
