package merge

import (
	"bytes"
	"strings"

	"ringmaster/parser"
)

// Clients ask several of these commands before they do anything else, and have no use for the shard that is down.
// Without that shard their replies are still right, or say themselves what they lack. All other commands for all
// shards fail when one shard does.

// withoutMissing are the commands whose reply is made of the servers that answer, as long as one does, with words
// for the documentation.
var withoutMissing = map[string]string{
	"info":          "servers that don't answer are left out and named in `servers_missing`, those that load their data in `servers_loading`",
	"memory|stats":  "servers that don't answer are left out and named in `servers.missing`",
	"role":          "servers that don't answer are left out",
	"script|load":   "servers that don't answer say `NOSCRIPT` when they are back",
	"script|exists": "servers that don't answer are left out",
}

// leaveOut takes the parts of servers that could not answer off the request; false: the first error is the reply.
func (r *Request) leaveOut() bool {
	if withoutMissing[r.Spec.Name] == "" {
		return false
	}
	left := 0
	for i := range r.Parts {
		p := &r.Parts[i]
		switch {
		case p.missing():
		case parser.IsError(p.Reply):
			return false
		default:
			left++
		}
	}
	if left == 0 {
		return false
	}
	kept := 0
	for i := range r.Parts {
		if r.Parts[i].missing() {
			r.lacking = append(r.lacking, r.server(i))
			continue
		}
		r.Parts[kept] = r.Parts[i]
		if i < len(r.Servers) {
			r.Servers[kept] = r.Servers[i]
		}
		kept++
	}
	clear(r.Parts[kept:])
	r.Parts = r.Parts[:kept]
	return true
}

// missing reports whether its server could not answer.
func (p *Part) missing() bool { return p.Failed || bytes.HasPrefix(p.Reply, []byte("-LOADING ")) }

// withMissing adds to a joined INFO what it lacks. texts are the parts'.
func (r *Request) withMissing(text []byte, texts [][]byte) []byte {
	var loading []string
	for i, t := range texts {
		if bytes.Contains(t, []byte("\r\nloading:1\r\n")) {
			loading = append(loading, r.server(i))
		}
	}
	if len(r.lacking)+len(loading) == 0 {
		return text
	}
	text = append(bytes.Clone(text), "\r\n# Ringmaster\r\n"...)
	if len(r.lacking) > 0 {
		text = append(text, "servers_missing:"+strings.Join(r.lacking, ",")+"\r\n"...)
	}
	if len(loading) > 0 {
		text = append(text, "servers_loading:"+strings.Join(loading, ",")+"\r\n"...)
	}
	return text
}

// addMissing adds to a joined MEMORY STATS what it lacks.
func (r *Request) addMissing(t *figures) {
	if len(r.lacking) > 0 {
		t.rows = append(t.rows, figuresRow{name: []byte("servers.missing"), raw: parser.AppendBulkString(nil, strings.Join(r.lacking, ","))})
	}
}
