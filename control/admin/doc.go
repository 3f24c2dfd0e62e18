// Package admin is the HTTP server for operators.
//
// # Purpose
//
// It serves /metrics in Prometheus's format, /healthz (the process lives and its loops answer), /readyz (every server
// except replicas can be reached), /topology (where the servers are, as JSON), an index page, and Go's profiler if
// that is allowed. POST /reload reads the settings again.
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
// There are at most [MaxConns] connections; a further one replaces another. A request's head has 2 s and 16 KiB, the
// answer 10 s (a profile may take longer), and an idle connection 30 s. Host names that are not in the settings are
// refused (421). There is one snapshot at a time. It has 2 s, then the answer is 503 with the cause. Methods other
// than GET and HEAD get 405, except POST /reload, which waits up to 2 minutes, takes a body of 4 KiB, and refuses
// pages of other sites (403).
package admin
