package merge

import (
	"bytes"

	"ringmaster/parser"
)

// texts puts the shards' texts one after the other, each under its server's name. In place of a failed shard's text
// stands its error. If all failed, the error is the reply. Parts are in the order of the shards.
func (r *Request) texts(dst []byte) []byte {
	var text []byte
	like := byte(0)
	for i := range r.Parts {
		b := r.Parts[i].Reply
		word, ok := parser.Text(b)
		switch {
		case ok:
			like = max(like, b[0])
		case b[0] == '-':
			word = b[1 : len(b)-2]
		default:
			return r.odd(dst)
		}
		if i > 0 {
			text = append(text, '\n')
		}
		text = append(text, "# "...)
		text = append(text, r.server(i)...)
		text = append(text, '\n')
		text = append(text, word...)
		if !bytes.HasSuffix(word, []byte("\n")) {
			text = append(text, '\n')
		}
	}
	if like == 0 {
		return append(dst, r.FirstError()...)
	}
	return appendText(dst, like, text)
}

// joinDebug makes one answer if all are the same, otherwise it joins the texts.
func (r *Request) joinDebug(dst []byte) []byte {
	for i := range r.Parts {
		if b := r.Parts[i].Reply; !bytes.Equal(b, r.Parts[0].Reply) {
			if _, ok := parser.Text(b); ok {
				return r.texts(dst)
			}
		}
	}
	return r.first(dst)
}

// appendText writes a text, as a verbatim string if like, a type byte, is '='.
func appendText(dst []byte, like byte, text []byte) []byte {
	if like == '=' {
		return parser.AppendVerbatim(dst, 3, text)
	}
	return parser.AppendBulk(dst, text)
}
