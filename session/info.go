package session

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
func (g *gather) joinInfo(dst []byte) []byte {
	texts := make([][]byte, len(g.parts))
	for i := range g.parts {
		var ok bool
		if texts[i], ok = stringOf(g.parts[i].buf.B); !ok || len(texts[i]) > maxInfoText {
			return parser.AppendError(dst, errOddReply)
		}
	}
	text := g.withMissing(withClients(mergeInfo(texts), g.clients), texts)
	if g.env.Config.Cluster.Enabled {
		text = asCluster(text)
	}
	return appendText(dst, g.parts[0].buf.B[0], text)
}

// countClients counts the clients of all loops, before which the gather does not end.
func (g *gather) countClients() {
	g.hold()
	g.env.askLoopsFor(g.s, func(e *Env) any {
		n := 0
		e.roster.each(func(s *Session) {
			if !s.eof {
				n++
			}
		})
		return n
	}, func(answers []any) {
		g.clients = 0
		for _, n := range answers {
			g.clients += n.(int)
		}
		g.release()
	})
}

// withClients has INFO count the clients that see each other in CLIENT LIST. INFO.SHARD tells the server's own figure.
func withClients(text []byte, n int) []byte {
	head, rest, ok := bytes.Cut(text, []byte("\r\nconnected_clients:"))
	i := bytes.Index(rest, []byte("\r\n"))
	if !ok || i < 0 {
		return text
	}
	return slices.Concat(head, fmt.Appendf(nil, "\r\nconnected_clients:%d", n), rest[i:])
}

// maxInfoText bounds what one server's INFO may say, bytes: taken apart it takes many times its length.
const maxInfoText = 4 << 20

// infoSection is a section of INFO: its fields in the order in which they were first seen, and each field's values,
// one for each server that has it.
type infoSection struct {
	title   string
	names   []string
	values  map[string][]string
	modules map[string]bool // lines that are there already
	// offsets are the servers' own, of which their replicas are behind.
	offsets  map[int]int64
	replicas []replica
}

// asCluster has the fields by which clients and tools recognise a cluster say so.
func asCluster(text []byte) []byte {
	text = bytes.Replace(text, []byte("redis_mode:standalone\r\n"), []byte("redis_mode:cluster\r\n"), 1)
	return bytes.Replace(text, []byte("cluster_enabled:0\r\n"), []byte("cluster_enabled:1\r\n"), 1)
}

// mergeInfo joins the texts of INFO: sections and fields in the first server's order, then what only later ones have.
// Figures are joined by infoRules; what has no rule there is the first server's.
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

// replica is a line such as "slave0:ip=...,offset=...": they are numbered anew.
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
	case name == "module": // the lines of modules have no other name
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

// appendReplicas lists the replicas of all servers, each as far behind as it is behind its own.
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

// figure is a joined field as a number, 0 where it is none.
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

// fold joins numbers; where one is none the first stands for all.
func fold(values []string, whole func(a, b int64) int64, f func(a, b float64) float64) string {
	if text, ok := foldWhole(values, whole); ok {
		return text
	}
	var sum float64
	digits := 0
	for i, v := range values {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return values[0]
		}
		if _, frac, ok := strings.Cut(v, "."); ok {
			digits = max(digits, len(frac))
		}
		if i == 0 {
			sum = n
		} else {
			sum = f(sum, n)
		}
	}
	return strconv.FormatFloat(sum, 'f', min(digits, maxDigits), 64)
}

// foldWhole joins whole numbers that are not so large that a sum of them might be too large.
func foldWhole(values []string, f func(a, b int64) int64) (text string, ok bool) {
	const limit = 1 << 50 // there are at most shard.MaxServers values, 1 << 12
	var sum int64
	for i, v := range values {
		n, ok := parser.Int([]byte(v))
		if !ok || n > limit || n < -limit {
			return "", false
		}
		if i == 0 {
			sum = n
		} else {
			sum = f(sum, n)
		}
	}
	return strconv.FormatInt(sum, 10), true
}

// maxDigits bounds the digits behind the point that a joined number has.
const maxDigits = 17

// pairSections have values such as "keys=1,expires=0,avg_ttl=0".
var pairSections = map[string]bool{"Keyspace": true, "Commandstats": true, "Latencystats": true, "Errorstats": true}

// joinPairs joins values of pairs name by name: counts are added, averages computed anew, and of percentiles the
// largest counts, for they can't be added.
func joinPairs(values []string) string {
	columns := make([]column, 0, 8)
	for _, v := range values {
		j := 0
		for kv := range strings.SplitSeq(v, ",") {
			name, text, _ := strings.Cut(kv, "=")
			if j >= len(columns) || columns[j].name != name {
				j = slices.IndexFunc(columns, func(c column) bool { return c.name == name })
			}
			if j < 0 {
				if j = len(columns); j == maxColumns {
					return values[0]
				}
				columns = append(columns, column{name, make([]string, 0, len(values))})
			}
			columns[j].values = append(columns[j].values, text)
			j++
		}
	}
	var out []byte
	for i, c := range columns {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, c.name...), '=')
		out = append(out, c.join(columns)...)
	}
	return string(out)
}

// maxColumns bounds the pairs of a field; servers have seven at most.
const maxColumns = 64

// column is a name of pairs with the values of each server that has it.
type column struct {
	name   string
	values []string
}

func (c *column) join(all []column) string {
	switch {
	case c.name == "usec_per_call":
		return strconv.FormatFloat(average(total(valuesOf(all, "usec")), total(valuesOf(all, "calls"))), 'f', 2, 64)
	case c.name == "avg_ttl":
		return strconv.FormatFloat(weighted(c.values, valuesOf(all, "expires")), 'f', 0, 64)
	case strings.HasPrefix(c.name, "p") && strings.Trim(c.name[1:], "0123456789.") == "":
		return largest(c.values)
	}
	return summed(c.values)
}

func valuesOf(all []column, name string) []string {
	for i := range all {
		if all[i].name == name {
			return all[i].values
		}
	}
	return nil
}

func total(values []string) (sum float64) {
	for _, v := range values {
		n, _ := strconv.ParseFloat(v, 64)
		sum += n
	}
	return sum
}

func average(sum, count float64) float64 {
	if count <= 0 {
		return 0
	}
	return sum / count
}

// weighted is the mean of values, each counted as often as its weight says.
func weighted(values, weights []string) float64 {
	if len(values) != len(weights) {
		return 0
	}
	var sum float64
	for i, v := range values {
		n, _ := strconv.ParseFloat(v, 64)
		w, _ := strconv.ParseFloat(weights[i], 64)
		sum += n * w
	}
	return average(sum, total(weights))
}

// bytesToHuman prints as Redis does (server.c, bytesToHuman).
func bytesToHuman(n float64) string {
	for _, unit := range []string{"B", "K", "M", "G", "T"} {
		if n < 1024 || unit == "T" {
			if unit == "B" {
				return fmt.Sprintf("%.0fB", n)
			}
			return fmt.Sprintf("%.2f%s", n, unit)
		}
		n /= 1024
	}
	return ""
}
