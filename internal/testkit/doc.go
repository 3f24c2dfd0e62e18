// Package testkit starts the peers of the tests: real servers, the real proxy, and scripted peers.
//
// # Purpose
//
// It starts redis-server, nutcracker and the ringmaster binary, each on a free port, keeps their logs for a failed
// test, and stops them when the test ends. It has one small RESP client, written independently of package parser,
// that returns replies as raw bytes, so that it can judge the proxy.
//
// # Picture
//
//	test ── Conn ──► Proxy (the built binary) ──► Redis / FakeShard
//	   └─── Conn ───────────────► Forwarder ────► Redis
//	                              cuts, resets
//
//	servers             server.go, program.go (which server), process.go, port.go, death_linux.go and death_other.go (they end with us)
//	several of them     cluster.go, reshard.go (slots move), scattered.go, sentinel.go
//	the proxy           proxy.go, settings.go (they change), admin.go (its admin address); nutcracker.go (twemproxy)
//	clients             conn.go, reply.go (bytes), value.go (meaning); fakeshard.go, a scripted server
//	networks            network.go, names.go, forwarder.go, certs.go (certificates)
//	time                wait.go
//
// # Who may call
//
// Tests only. Functions that take a testing.TB end the test when they fail and
// therefore run on the test's own goroutine; the others return an error and may be
// called from any goroutine. A Conn belongs to one goroutine at a time.
//
// # Ownership of bytes
//
// Every result is a copy that the caller keeps, except that of ReadReplyInto, which appends to the caller's buffer.
//
// # Limits and errors
//
// Every wait is for a condition, and bounded by a generous deadline, after which the test fails with the condition's
// name. A missing redis-server skips the test, but fails it where the environment variable CI is set. REDIS_SERVER
// runs the tests with another server: a program's path or a name of scripts/servers, which are looked for in
// SERVERS_DIR.
package testkit
