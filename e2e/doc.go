// Package e2e tests the built proxy between real clients and real servers.
//
// # Purpose
//
// What the three promises mean, seen from outside: replies equal a plain Redis's byte
// for byte, no reply reaches a stranger whatever breaks, and nobody suffers from a
// neighbour.
//
// # Picture
//
//	differential:  same random commands ─┬─► redis-server ──────────────┐
//	                                     └─► ringmaster ─► redis-server ┴─► equal?
//	faults:        200 tagging clients ──► ringmaster ─► 3 servers, killed, stopped, cut
//	topologies:    clients that know what they wrote ──► ringmaster ─► a cluster or a sentinel trio whose primaries are killed
//	neighbours:    100 light clients beside one that floods or never reads
//
// # Who may call
//
// Nobody: the package has tests only. They scale by the environment: DIFF_COMMANDS,
// DIFF_SEED and DIFF_SKIP for the differential test, FAULT_SECONDS for the one under faults, FAILOVERS,
// CLUSTER_CLIENTS and SENTINEL_CLIENTS for those with primaries that are killed; -short
// makes all of them quick. RINGMASTER_BIN tests a ready binary.
//
// # Ownership of bytes
//
// None.
//
// # Limits and errors
//
// A test without redis-server is skipped, and fails where the environment variable CI is
// set. Every wait is for a condition.
package e2e
