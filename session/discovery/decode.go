package discovery

import "ringmaster/parser"

// decode makes a tree of a reply, for package command. It has strings, integers, nil and lists; a map or set becomes a list. Lists are nested at
// most depth deep. false: the reply has another shape.
func decode(b []byte, depth int) (v any, ok bool) {
	if depth == 0 || len(b) == 0 {
		return nil, false
	}
	switch b[0] {
	case '+':
		return decodeText(b)
	case ':':
		n, ok := parser.Integer(b)
		return n, ok
	case '_':
		return nil, true
	case '$', '*', '~', '%':
		if len(b) > 1 && b[1] == '-' {
			return nil, true
		}
		if b[0] == '$' {
			return decodeText(b)
		}
		return decodeList(b, depth)
	}
	return nil, false
}

func decodeText(b []byte) (v any, ok bool) {
	text, ok := parser.Text(b)
	return string(text), ok
}

func decodeList(b []byte, depth int) (v any, ok bool) {
	e, ok := parser.ElementsOf(b)
	if !ok {
		return nil, false
	}
	list := make([]any, 0, e.Left())
	for e.Left() > 0 {
		one, ok := decode(e.Next(), depth-1)
		if !ok {
			return nil, false
		}
		list = append(list, one)
	}
	return list, len(e.Rest()) == 0
}
