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
//	cluster:       clients that count what they write, publishers and their listeners ──► ringmaster
//	               ─► Redis Cluster whose slots move, whose nodes come, go, die and change roles
//	sentinel:      clients that know what they wrote ──► ringmaster ─► a sentinel trio whose primaries are killed
//	storm:         100 clients of each kind ──► ringmaster, whose settings change all the time
//	neighbours:    100 light clients beside one that floods or never reads
//	attack:        8 bystanders that judge every byte, beside clients whose scripts make servers write what they like
//	words:         scripts that answer with the words by which servers refuse a command, in front of all topologies
//	fuzz:          made-up COMMAND INFO, hostile servers, bytes beside a direct Redis
//
// # Who may call
//
// Nobody: the package has tests only. They scale by the environment: DIFF_COMMANDS,
// DIFF_SEED and DIFF_SKIP for the differential test, FAULT_SECONDS for the one under faults, RESHARD_SECONDS,
// FAILOVERS, CHURN_SECONDS, CLUSTER_CLIENTS and SENTINEL_CLIENTS for those whose primaries are killed or change; -short
// makes all of them quick. RELOADS, RELOAD_SECONDS and RELOAD_SEED are those of TestReloadStorm, and RELOAD_KINDS chooses what changes in it;
// KILL_SECONDS has TestKilledUpstreamLeavesOthers measure. ATTACK_SECONDS, ATTACK_FRONTS, ATTACK_SERVERS, ATTACK_FLAGS, ATTACK_SEED and SERVER_ARGS are those of TestAttack,
// WORDS_FRONTS of TestWordsOfScriptsAreData, FUZZ_SECONDS, FUZZ_SEED and FUZZ_WITHOUT of the fuzzers. RINGMASTER_BIN tests a ready
// binary, REDIS_SERVER runs another server (testkit).
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
