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

Served as ` + "`/metrics`" + ` on the address that ` + "`--admin`" + ` gives (127.0.0.1:9380), in Prometheus's text format.
Counters start at 0 with the process. Latencies are histograms with a bucket for every power of two from 16 µs to 17 s.

| metric | kind | unit | labels | what it says |
|---|---|---|---|---|
`

const documentTail = `
Besides these there are the usual ` + "`go_*` and `process_*`" + ` metrics: memory, descriptors, CPU time, garbage collection.

Values of ` + "`reason`" + `:

- of ` + "`ringmaster_clients_closed_total`" + `: %s
- of ` + "`ringmaster_server_disconnects_total`" + `: %s
- of ` + "`ringmaster_redirects_total`" + `: %s; ` + "`retry`" + ` is a node that can't answer now, ` + "`unknown`" + ` one that no map has named yet, ` + "`read`" + ` a read whose replica was lost or ceased to be fit

Requests may ask for the address by IP address, by localhost, by the host of ` + "`--admin`" + ` or by a name that ` + "`--admin-hosts`" + ` gives; others are answered 421.

Beside ` + "`/metrics`" + ` the same address serves:

- ` + "`/healthz`" + `: 200 while the process lives and its loops answer within 2 s, otherwise 503. For restarting it.
- ` + "`/readyz`" + `: 200 if all primaries of all upstreams are reachable, otherwise 503 with the unreachable ones. 503 from SIGTERM on. For sending it traffic.
- ` + "`/topology`" + `: the servers as JSON; replicas, whether they get reads, and why not; of a Redis Cluster which slots each node has, how often nodes were asked and what they said; what sentinels say of each master.
- ` + "`POST /reload`" + `: reloads the settings ([Reloading](reloading.md)). 200 with the generation, the hash, and the names of the settings that changed and of those that need a restart; 422 with the problems if the reload is refused; 503 while ringmaster is stopping; 504 if the reload takes too long; 403 for pages of other sites.
- ` + "`/debug/pprof/`" + `: Go's profiler, with ` + "`--pprof`" + ` only.
`
