package merge

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ringmaster/parser"
)

// joinInfo makes one INFO of several.
func (r *Request) joinInfo(dst []byte) []byte {
	texts := make([][]byte, len(r.Parts))
	for i := range r.Parts {
		var ok bool
		if texts[i], ok = parser.Text(r.Parts[i].Reply); !ok || len(texts[i]) > maxInfoText {
			return r.odd(dst)
		}
	}
	text := r.withMissing(withClients(mergeInfo(texts), r.Clients), texts)
	if r.Cluster {
		text = asCluster(text)
	}
	return appendText(dst, r.Parts[0].Reply[0], text)
}

// withClients makes INFO count the clients that see each other in CLIENT LIST. INFO.SHARD shows the server's own
// figure.
func withClients(text []byte, n int) []byte {
	head, rest, ok := bytes.Cut(text, []byte("\r\nconnected_clients:"))
	i := bytes.Index(rest, []byte("\r\n"))
	if !ok || i < 0 {
		return text
	}
	return slices.Concat(head, fmt.Appendf(nil, "\r\nconnected_clients:%d", n), rest[i:])
}

// maxInfoText bounds one server's INFO, bytes, because it needs many times its length when it is taken apart.
const maxInfoText = 4 << 20

// infoSection is a section of INFO: its fields in the order in which they were first seen, and each field's values,
// one for each server that has it.
type infoSection struct {
	title   string
	names   []string
	values  map[string][]string
	modules map[string]bool // lines that are already in the section
	// offsets are the servers' own replication offsets, behind which their replicas lag.
	offsets  map[int]int64
	replicas []replica
}

// asCluster sets the fields by which clients and tools recognise a cluster.
func asCluster(text []byte) []byte {
	text = bytes.Replace(text, []byte("redis_mode:standalone\r\n"), []byte("redis_mode:cluster\r\n"), 1)
	return bytes.Replace(text, []byte("cluster_enabled:0\r\n"), []byte("cluster_enabled:1\r\n"), 1)
}

// mergeInfo joins the texts of INFO: sections and fields in the first server's order, then what only later ones have.
// Figures are joined by infoRules. A field without a rule keeps the first server's value.
func mergeInfo(texts [][]byte) []byte {
	if len(texts) == 1 {
		return texts[0]
	}
	var sections []*infoSection
	at := map[string]*infoSection{}
	for server, t := range texts {
		var s *infoSection
		for line := range strings.SplitSeq(string(t), "\r\n") {
			if line == "" {
				continue
			}
			title, isTitle := strings.CutPrefix(line, "# ")
			if s == nil || isTitle {
				if !isTitle {
					title = ""
				}
				if s = at[title]; s == nil {
					s = newInfoSection(title)
					at[title] = s
					sections = append(sections, s)
				}
			}
			if !isTitle {
				s.add(server, line)
			}
		}
	}
	var out []byte
	for i, s := range sections {
		if i > 0 {
			out = append(out, "\r\n"...)
		}
		out = s.append(out)
	}
	return out
}

func newInfoSection(title string) *infoSection {
	return &infoSection{title: title, values: map[string][]string{}, modules: map[string]bool{}, offsets: map[int]int64{}}
}

// replica is a line such as "slave0:ip=...,offset=...". The joined INFO numbers these lines again.
type replica struct {
	server int
	line   string
}

func isReplica(name string) bool {
	n, ok := strings.CutPrefix(name, "slave")
	return ok && n != "" && strings.Trim(n, "0123456789") == ""
}

func (s *infoSection) add(server int, line string) {
	name, value, ok := strings.Cut(line, ":")
	switch {
	case !ok:
		return
	case isReplica(name):
		s.replicas = append(s.replicas, replica{server, value})
		return
	case name == "module": // all lines of modules have this name
		if s.modules[value] {
			return
		}
		s.modules[value] = true
	case name == "master_repl_offset":
		n, _ := strconv.ParseInt(value, 10, 64)
		s.offsets[server] = n
	}
	if s.values[name] == nil {
		s.names = append(s.names, name)
	}
	s.values[name] = append(s.values[name], value)
}

// appendReplicas lists the replicas of all servers, each with the lag behind its own primary.
func (s *infoSection) appendReplicas(out []byte) []byte {
	furthest := int64(0)
	for _, n := range s.offsets {
		furthest = max(furthest, n)
	}
	for i, r := range s.replicas {
		head, tail, _ := strings.Cut(r.line, ",offset=")
		digits, rest, _ := strings.Cut(tail, ",")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || rest == "" {
			out = fmt.Appendf(out, "slave%d:%s\r\n", i, r.line)
			continue
		}
		out = fmt.Appendf(out, "slave%d:%s,offset=%d,%s\r\n", i, head, furthest-(s.offsets[r.server]-n), rest)
	}
	return out
}

func (s *infoSection) append(out []byte) []byte {
	if s.title != "" {
		out = fmt.Appendf(out, "# %s\r\n", s.title)
	}
	switch s.title {
	case "Keyspace":
		slices.SortStableFunc(s.names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	case "Errorstats":
		slices.Sort(s.names)
	}
	for _, name := range s.names {
		if name == "module" {
			for _, v := range s.values[name] {
				out = fmt.Appendf(out, "module:%s\r\n", v)
			}
			continue
		}
		out = append(append(out, name...), ':')
		out = append(append(out, s.value(name)...), "\r\n"...)
		if name == "connected_slaves" {
			out = s.appendReplicas(out)
		}
	}
	return out
}

// value is a field of the joined INFO.
func (s *infoSection) value(name string) string {
	values := s.values[name]
	if ratio, ok := infoRatios[name]; ok {
		if by := s.figure(ratio.by) - s.figure(ratio.less); by > 0 {
			return fmt.Sprintf(ratio.format, ratio.times*s.figure(ratio.of)/by)
		}
		return values[0]
	}
	if pairSections[s.title] && strings.Contains(values[0], "=") {
		return joinPairs(values)
	}
	if base, ok := strings.CutSuffix(name, "_human"); ok && s.values[base] != nil {
		if n, err := strconv.ParseFloat(s.value(base), 64); err == nil {
			return bytesToHuman(n)
		}
	}
	if join := infoRuleOf(name); join != nil {
		return join(values)
	}
	return values[0]
}

// figure returns a joined field as a number, 0 if it is none.
func (s *infoSection) figure(name string) float64 {
	if s.values[name] == nil {
		return 0
	}
	n, err := strconv.ParseFloat(s.value(name), 64)
	if err != nil {
		return 0
	}
	return n
}
