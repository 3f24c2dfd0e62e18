// Package demo runs small Redis servers inside the process.
//
// # Purpose
//
// `ringmaster demo` shows the proxy in front of real shards on a machine that
// has no Redis installed.
//
// # Picture
//
//	redis-cli -> ringmaster -> miniredis demo-1, demo-2, demo-3 (loopback, free ports)
//
// # Who may call
//
// cmd/ringmaster and tests. Any goroutine.
//
// # Ownership of bytes
//
// None are shared; the servers speak TCP.
//
// # Limits and errors
//
// The servers listen on loopback only, keep everything in memory, and know most but not all commands of Redis. Start
// fails if there is no free port, and then leaves nothing running.
package demo
