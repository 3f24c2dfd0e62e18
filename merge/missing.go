package merge

import (
	"bytes"
	"strings"

	"ringmaster/parser"
)

// Clients send several of these commands before any other, and do not need the shard that is down. Without it the
// replies are still right, or say what they lack. All other commands for all shards fail if one shard fails.

// withoutMissing are the commands whose reply is made of the answers that come, if there is at least one, with words
// for the documentation.
var withoutMissing = map[string]string{
	"info":          "servers that don't answer are left out and named in `servers_missing`, those that load their data in `servers_loading`",
	"memory|stats":  "servers that don't answer are left out and named in `servers.missing`",
	"role":          "servers that don't answer are left out",
	"script|load":   "servers that don't answer say `NOSCRIPT` when they are back",
	"script|exists": "servers that don't answer are left out",
}

// leaveOut removes the parts of servers that could not answer from the request; false: the first error is the reply.
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

// missing reports whether the part's server could not answer.
func (p *Part) missing() bool { return p.Failed || bytes.HasPrefix(p.Reply, []byte("-LOADING ")) }

// withMissing adds to a joined INFO the names of the servers that it lacks. texts are the parts' texts.
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

// addMissing adds to a joined MEMORY STATS the names of the servers that it lacks.
func (r *Request) addMissing(t *figures) {
	if len(r.lacking) > 0 {
		t.rows = append(t.rows, figuresRow{name: []byte("servers.missing"), raw: parser.AppendBulkString(nil, strings.Join(r.lacking, ","))})
	}
}
