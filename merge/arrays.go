package merge

import "ringmaster/parser"

// Arrays are joined in one go or, if they are long, in steps between which a loop can do other things:
//
//	in the order of the keys   OpenArrays, then AppendNext for each key
//	one after the other        OpenConcat, then Take until each part is used up

// inKeyOrder puts the elements of the parts' arrays in the order of the keys asked for.
func (r *Request) inKeyOrder(dst []byte) []byte {
	r.OpenArrays()
	dst = parser.AppendArray(dst, len(r.Order))
	for _, i := range r.Order {
		p := &r.Parts[i]
		if n := parser.ElementEnd(p.Reply[p.off:]); n > 0 && p.Reply[0] == '*' {
			dst = append(dst, p.Reply[p.off:p.off+n]...)
			p.off += n
			continue
		}
		dst = r.AppendNext(dst, int(i))
	}
	return dst
}

// OpenArrays moves to the first element of every part that is an array.
func (r *Request) OpenArrays() {
	for i := range r.Parts {
		if p := &r.Parts[i]; p.Reply[0] == '*' {
			p.off = parser.LineEnd(p.Reply)
		}
	}
}

// AppendNext appends a part's next element. If a part is an error, that stands in place of each of its values.
func (r *Request) AppendNext(dst []byte, part int) []byte {
	p := &r.Parts[part]
	if p.Reply[0] != '*' {
		return append(dst, p.Reply...)
	}
	n := parser.ElementEnd(p.Reply[p.off:])
	if n == 0 {
		return parser.AppendError(dst, r.Texts.Short)
	}
	dst = append(dst, p.Reply[p.off:p.off+n]...)
	p.off += n
	return dst
}

// concat puts the elements of all arrays one after the other.
func (r *Request) concat(dst []byte) []byte {
	dst, ok := r.OpenConcat(dst)
	if !ok {
		return dst
	}
	for i := range r.Parts {
		p := &r.Parts[i]
		dst = append(dst, p.Reply[p.off:]...)
	}
	return dst
}

// OpenConcat appends the header of the joined array, and moves every part to its first element; false: an error is
// the reply. A nil array has no elements.
func (r *Request) OpenConcat(dst []byte) (reply []byte, ok bool) {
	total := 0
	for i := range r.Parts {
		p := &r.Parts[i]
		n, start, ok := parser.ArrayHeader(p.Reply)
		if !ok {
			if p.Reply[0] == '_' || p.Reply[0] == '*' || p.Reply[0] == '$' {
				p.off = len(p.Reply)
				continue
			}
			return r.odd(dst), false
		}
		total += n
		p.off = start
	}
	begin := len(dst)
	dst = parser.AppendArray(dst, total)
	if r.Parts[0].Reply[0] == '~' {
		dst[begin] = '~'
	}
	return dst, true
}

// Take returns the next bytes of a part, at most most, and whether they are its last. Valid as long as the part.
func (r *Request) Take(part, most int) (b []byte, last bool) {
	p := &r.Parts[part]
	n := min(len(p.Reply)-p.off, max(0, most))
	b = p.Reply[p.off : p.off+n]
	p.off += n
	return b, p.off == len(p.Reply)
}
