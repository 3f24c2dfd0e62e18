package merge

import (
	"strconv"

	"ringmaster/parser"
)

// joinRole makes a primary with the replicas of all shards, each with the lag behind its own primary. The reply of a
// shard that is no primary is the answer, because a client must not mistake it for one.
func (r *Request) joinRole(dst []byte) []byte {
	var furthest int64
	replicas := 0
	for i := range r.Parts {
		role, offset, list, ok := readRole(r.Parts[i].Reply)
		if ok && string(role) != "master" {
			return append(dst, r.Parts[i].Reply...)
		}
		if !ok {
			return r.odd(dst)
		}
		furthest = max(furthest, offset)
		replicas += list.Left()
	}
	start := len(dst)
	dst = parser.AppendArray(dst, 3)
	dst = parser.AppendBulkString(dst, "master")
	dst = parser.AppendInt(dst, furthest)
	dst = parser.AppendArray(dst, replicas)
	for i := range r.Parts {
		_, offset, list, _ := readRole(r.Parts[i].Reply)
		for list.Left() > 0 {
			e, _ := parser.ElementsOf(list.Next())
			host, ok1 := e.Text()
			port, ok2 := e.Text()
			at, ok3 := e.Text()
			n, ok4 := parser.Int(at)
			if !ok1 || !ok2 || !ok3 || !ok4 {
				return r.odd(dst[:start])
			}
			dst = parser.AppendArray(dst, 3)
			dst = parser.AppendBulk(dst, host)
			dst = parser.AppendBulk(dst, port)
			dst = parser.AppendBulkString(dst, strconv.FormatInt(furthest-(offset-n), 10))
		}
	}
	return dst
}

// readRole reads ["master", offset, [replica...]]. For another role it returns only the name.
func readRole(b []byte) (role []byte, offset int64, replicas parser.Elements, ok bool) {
	e, _ := parser.ElementsOf(b)
	if role, ok = e.Text(); !ok || string(role) != "master" {
		return role, 0, replicas, ok
	}
	if offset, ok = e.Integer(); !ok {
		return role, 0, replicas, false
	}
	replicas, ok = parser.ElementsOf(e.Next())
	return role, offset, replicas, ok
}
