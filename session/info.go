package session

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ringmaster/parser"
)

// joinInfo makes one INFO of several: sections and fields in the first server's order, figures
// joined as their meaning asks.
func (g *gather) joinInfo(dst []byte) []byte {
	texts := make([][]byte, len(g.parts))
	for i := range g.parts {
		b := g.parts[i].buf.B
		start := bytes.IndexByte(b, '\n') + 1
		if (b[0] != '$' && b[0] != '=') || start == 0 || len(b) < start+2 {
			return parser.AppendError(dst, errOddReply)
		}
		texts[i] = b[start : len(b)-2]
		if b[0] == '=' {
			texts[i] = bytes.TrimPrefix(texts[i], []byte("txt:"))
		}
	}
	text := mergeInfo(texts, g.env.Config.Cluster.Enabled)
	if g.parts[0].buf.B[0] == '=' {
		return fmt.Appendf(dst, "=%d\r\ntxt:%s\r\n", len(text)+4, text)
	}
	return parser.AppendBulk(dst, text)
}

// infoSum are the fields that add up over servers; a trailing '*' matches any ending.
var infoSum = []string{
	"connected_clients", "cluster_connections", "blocked_clients", "tracking_clients", "clients_in_timeout_table",
	"pubsubpatterns", "used_memory", "used_memory_rss", "used_memory_peak", "used_memory_overhead",
	"used_memory_startup", "used_memory_dataset", "used_memory_lua", "used_memory_vm_*", "used_memory_functions",
	"used_memory_scripts*", "used_memory_scripts_eval", "number_of_*", "maxmemory", "maxclients",
	"allocator_allocated", "allocator_active", "allocator_resident", "mem_not_counted_for_evict", "mem_clients_*",
	"mem_replication_backlog", "mem_aof_buffer", "mem_cluster_links", "rdb_changes_since_last_save",
	"total_*", "instantaneous_*", "rejected_connections", "sync_*", "expired_*", "evicted_*", "keyspace_*",
	"pubsub_*", "pubsubshard_channels", "tracking_total_*", "unexpected_error_replies", "dump_payload_sanitizations",
	"acl_access_denied_*", "reply_buffer_*", "io_threaded_*", "used_cpu_*", "connected_slaves", "lazyfree*",
	"lazyfreed_objects", "active_defrag_*", "slave_expires_tracked_keys", "migrate_cached_sockets",
}

// infoMax are the fields where the largest counts.
var infoMax = []string{
	"uptime_in_seconds", "uptime_in_days", "client_recent_max_*", "loading", "async_loading",
	"rdb_bgsave_in_progress", "aof_rewrite_in_progress", "total_blocking_keys", "latest_fork_usec",
}

// clusterFields are the fields by which clients and tools recognise a cluster.
var clusterFields = map[string]string{"redis_mode": "cluster", "cluster_enabled": "1"}

// mergeInfo joins the texts of INFO. The keyspace, command and error figures are added part by part;
// a field that is no number, or whose sum means nothing, is the first server's.
func mergeInfo(texts [][]byte, cluster bool) []byte {
	fields := make([]map[string]string, len(texts))
	for i, t := range texts {
		fields[i] = map[string]string{}
		for _, line := range strings.Split(string(t), "\r\n") {
			if name, value, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, "#") {
				fields[i][name] = value
			}
		}
	}
	seen := map[string]bool{}
	var out []string
	section := ""
	for _, line := range strings.Split(string(texts[0]), "\r\n") {
		if strings.HasPrefix(line, "# ") {
			out = addMissing(out, section, fields, seen)
			section = strings.TrimPrefix(line, "# ")
		}
		name, _, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(line, "#") {
			out = append(out, line)
			continue
		}
		seen[name] = true
		value, ok := clusterFields[name]
		if !ok || !cluster {
			value = mergeField(name, fields)
		}
		out = append(out, name+":"+value)
	}
	out = addMissing(out, section, fields, seen)
	return []byte(human(strings.Join(out, "\r\n"), fields))
}

// addMissing adds the fields of a section of many names that only later servers have, by name, behind the
// section's last line.
func addMissing(out []string, section string, fields []map[string]string, seen map[string]bool) []string {
	prefix, ok := map[string]string{"Keyspace": "db", "Commandstats": "cmdstat_", "Errorstats": "errorstat_"}[section]
	if !ok {
		return out
	}
	var missing []string
	for _, f := range fields[1:] {
		for name, value := range f {
			if strings.HasPrefix(name, prefix) && !seen[name] && strings.Contains(value, "=") {
				seen[name] = true
				missing = append(missing, name+":"+mergeField(name, fields))
			}
		}
	}
	slices.Sort(missing)
	end := len(out)
	for end > 0 && out[end-1] == "" {
		end--
	}
	return slices.Insert(out, end, missing...)
}

func mergeField(name string, fields []map[string]string) string {
	var values []string
	for _, f := range fields {
		if v, ok := f[name]; ok {
			values = append(values, v)
		}
	}
	switch {
	case len(values) == 1:
		return values[0]
	case strings.HasPrefix(name, "db") || strings.HasPrefix(name, "cmdstat_") || strings.HasPrefix(name, "errorstat_"):
		return sumPairs(values)
	case matches(infoSum, name):
		return fold(values, func(a, b float64) float64 { return a + b })
	case matches(infoMax, name):
		return fold(values, func(a, b float64) float64 { return max(a, b) })
	}
	return values[0]
}

func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if stem, ok := strings.CutSuffix(p, "*"); p == name || ok && strings.HasPrefix(name, stem) {
			return true
		}
	}
	return false
}

// fold joins numbers; texts that are none leave the first as it is.
func fold(values []string, f func(a, b float64) float64) string {
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
	return strconv.FormatFloat(sum, 'f', digits, 64)
}

// sumPairs adds "keys=1,expires=0,avg_ttl=0" figure by figure. Averages are weighted by the first figure.
func sumPairs(values []string) string {
	type pair struct {
		name          string
		sum, weighted float64
	}
	var pairs []pair
	var weight float64
	for _, v := range values {
		var first float64
		for i, kv := range strings.Split(v, ",") {
			name, text, _ := strings.Cut(kv, "=")
			n, _ := strconv.ParseFloat(text, 64)
			if i == 0 {
				first = n
				weight += n
			}
			if i >= len(pairs) {
				pairs = append(pairs, pair{name: name})
			}
			pairs[i].sum += n
			pairs[i].weighted += n * first
		}
	}
	out := make([]string, len(pairs))
	for i, p := range pairs {
		n, digits := p.sum, 0
		if p.name == "avg_ttl" || p.name == "usec_per_call" {
			n = 0
			if weight > 0 {
				n = p.weighted / weight
			}
		}
		if p.name == "usec_per_call" {
			digits = 2
		}
		out[i] = p.name + "=" + strconv.FormatFloat(n, 'f', digits, 64)
	}
	return strings.Join(out, ",")
}

// human writes the "_human" twins of the memory figures anew.
func human(text string, fields []map[string]string) string {
	lines := strings.Split(text, "\r\n")
	for i, line := range lines {
		name, _, ok := strings.Cut(line, ":")
		base, isHuman := strings.CutSuffix(name, "_human")
		if !ok || !isHuman || !matches(infoSum, base) {
			continue
		}
		n, err := strconv.ParseFloat(mergeField(base, fields), 64)
		if err == nil {
			lines[i] = name + ":" + bytesToHuman(n)
		}
	}
	return strings.Join(lines, "\r\n")
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
