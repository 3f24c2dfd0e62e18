package session

import (
	"bytes"
	"strings"

	"ringmaster/parser"
)

// Clients ask several of these commands before they do anything else, and have no use for the shard that is down. Without that
// one their replies are still right, or say themselves what they lack. All other commands for all shards fail when one shard does.

// withoutMissing are the commands whose reply is made of the shards that answer, as long as one does, with words for the
// documentation.
var withoutMissing = map[string]string{
	"info":          "servers that don't answer are left out and named in `servers_missing`, those that load their data in `servers_loading`",
	"memory|stats":  "servers that don't answer are left out and named in `servers.missing`",
	"role":          "servers that don't answer are left out",
	"script|load":   "servers that don't answer say `NOSCRIPT` when they are back",
	"script|exists": "servers that don't answer are left out",
}

// leaveOut takes the parts of servers that could not answer off the gather; false: the first error is the reply.
func (g *gather) leaveOut() bool {
	if withoutMissing[g.spec.Name] == "" {
		return false
	}
	left := 0
	for i := range g.parts {
		p := &g.parts[i]
		switch {
		case p.missing():
		case isError(p.buf.B):
			return false
		default:
			left++
		}
	}
	if left == 0 {
		return false
	}
	kept := g.parts[:0]
	for _, p := range g.parts {
		if p.missing() {
			g.lacking = append(g.lacking, p.server)
			g.env.Pool.Buffers.Put(p.buf)
			continue
		}
		kept = append(kept, p)
	}
	clear(g.parts[len(kept):])
	g.parts = kept
	return true
}

// missing reports whether its server could not answer.
func (p *part) missing() bool { return p.failed || bytes.HasPrefix(p.buf.B, []byte("-LOADING ")) }

func isError(b []byte) bool { return b[0] == '-' || b[0] == '!' }

// namesOf are the names of servers, with commas between.
func (e *Env) namesOf(servers []int) string {
	names := make([]string, len(servers))
	for i, n := range servers {
		names[i] = e.Map.Server(n).Name
	}
	return strings.Join(names, ",")
}

// withMissing adds to a joined INFO what it lacks.
func (g *gather) withMissing(text []byte, texts [][]byte) []byte {
	var loading []int
	for i, t := range texts {
		if bytes.Contains(t, []byte("\r\nloading:1\r\n")) {
			loading = append(loading, g.parts[i].server)
		}
	}
	if len(g.lacking)+len(loading) == 0 {
		return text
	}
	text = append(bytes.Clone(text), "\r\n# Ringmaster\r\n"...)
	if len(g.lacking) > 0 {
		text = append(text, "servers_missing:"+g.env.namesOf(g.lacking)+"\r\n"...)
	}
	if len(loading) > 0 {
		text = append(text, "servers_loading:"+g.env.namesOf(loading)+"\r\n"...)
	}
	return text
}

// addMissing adds to a joined MEMORY STATS what it lacks.
func (g *gather) addMissing(t *figures) {
	if len(g.lacking) > 0 {
		t.rows = append(t.rows, figuresRow{name: []byte("servers.missing"), raw: parser.AppendBulkString(nil, g.env.namesOf(g.lacking))})
	}
}
