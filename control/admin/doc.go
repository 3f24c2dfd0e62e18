// Package admin serves what operators read over HTTP.
//
// # Purpose
//
// /metrics for Prometheus and what reads its format, /healthz (the process lives and its loops answer),
// /readyz (every server but replicas can be reached), /topology (where the servers are, as JSON), an index page, and
// Go's profiler where it is allowed. POST /reload has the settings read again.
//
// # Picture
//
//	scraper --HTTP--> Server --Source.Snapshot--> a message to each loop, a copy from each
//	                     |        `--Servers, Replicas, Discovery, Topology: what the control plane knows
//	                     |
//	                     `--> stats.Metrics (the table) --> text
//
// # Who may call
//
// Control plane. The handlers run on net/http's goroutines; they know the process
// through [Source] only, which must allow any goroutine.
//
// # Ownership of bytes
//
// An answer is complete in memory before its first byte is written, so that a slow
// reader holds neither a lock nor a snapshot.
//
// # Limits and errors
//
// At most [MaxConns] connections, of which one goes when another comes; 2 s for a request's head, 16 KiB of it, 10 s for the answer (a profile
// may take longer), 30 s idle. Names of this address that nobody gave are refused (421). One snapshot at a time, which has 2 s: after that the
// answer is 503 with the cause. Anything but GET and HEAD is 405, but for POST /reload:
// that waits up to 2 minutes, takes a body of 4 KiB, and refuses pages of other sites (403).
package admin
