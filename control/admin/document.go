package admin

import (
	"fmt"
	"strings"

	"ringmaster/internal/prose"
	"ringmaster/stats"
)

// MetricsDocument is docs/metrics.md: every metric of the table.
func MetricsDocument() string {
	var b strings.Builder
	b.WriteString(documentHead)
	for _, m := range stats.Metrics() {
		labels := "-"
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Kind, m.Unit, labels, m.Help)
	}
	fmt.Fprintf(&b, documentTail, quoted(stats.CloseReasons, func(i int) string { return stats.CloseReason(i).String() }),
		quoted(stats.DisconnectReasons, func(i int) string { return stats.DisconnectReason(i).String() }),
		quoted(stats.RedirectReasons, func(i int) string { return stats.Redirect(i).String() }))
	return prose.Wrap(b.String())
}

func quoted(n int, name func(int) string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = "`" + name(i) + "`"
	}
	return strings.Join(all, ", ")
}

const documentHead = `# Metrics

<!-- Made from the table in stats/table.go; do not edit. To make it again: scripts/gen-docs -->

ringmaster serves these metrics as ` + "`/metrics`" + ` on the address that ` + "`--admin`" + ` gives (default 127.0.0.1:9380), in Prometheus's text format.
Counters start at 0 when the process starts. Latencies are histograms with a bucket for every power of two from 16 µs to 17 s.

| metric | kind | unit | labels | what it says |
|---|---|---|---|---|
`

const documentTail = `
There are also the usual ` + "`go_*` and `process_*`" + ` metrics for memory, descriptors, CPU time and garbage collection.

Values of ` + "`reason`" + `:

- of ` + "`ringmaster_clients_closed_total`" + `: %s
- of ` + "`ringmaster_server_disconnects_total`" + `: %s
- of ` + "`ringmaster_redirects_total`" + `: %s; ` + "`retry`" + ` means that the node can't answer now, ` + "`unknown`" + ` that no map has named the node yet, ` + "`read`" + ` that the replica for a read was lost or is no longer fit

The Host header of a request must be an IP address, localhost, the host of ` + "`--admin`" + ` or a name that ` + "`--admin-hosts`" + ` gives. Other requests get 421.

The same address also serves:

- ` + "`/healthz`" + `: 200 while the process lives and its loops answer within 2 s, otherwise 503. Use it to decide whether to restart ringmaster.
- ` + "`/readyz`" + `: 200 while all primaries of all upstreams can be reached, otherwise 503 with the names of those that can't be reached. It is 503 from SIGTERM on. Use it to decide whether to send traffic.
- ` + "`/topology`" + `: the servers as JSON. It shows whether each replica gets reads, and why not. For a Redis Cluster it shows the slots of each node, how often nodes were asked and what they answered; for Sentinel, what the sentinels report of each master.
- ` + "`POST /reload`" + `: reloads the settings ([Reloading](reloading.md)). 200 with the generation, the hash, the names of the settings that changed, and the names of those that need a restart; 422 with the problems if the reload is refused; 503 while ringmaster is stopping; 504 if the reload takes too long; 403 for pages of other sites.
- ` + "`/debug/pprof/`" + `: Go's profiler, only with ` + "`--pprof`" + `.
`
