// Package load sends requests at a constant rate and measures latency from the moment
// each request should have been sent.
//
// # Purpose
//
// A closed loop stops sending while it waits, and so misses the very requests that a pause would have delayed
// (coordinated omission). Here the schedule is fixed before the run: request i is due at start + i/rate on connection
// i mod n, independent of the replies, and its latency runs from there. The result also has the generator's own
// lateness: a run with a large SendLag has measured the generator.
//
// # Picture
//
//	schedule ──► connection 0..n-1 ──► socket ──► server
//	   due times in a ring per connection ◄── replies, in order ──► histogram
//
// One thread does all of it, with epoll, because goroutines and Go's timers wake up to a millisecond late, which is
// more than the measured times.
//
// # Who may call
//
// Any goroutine; each call uses a thread of its own until it returns. Linux only.
//
// # Ownership of bytes
//
// Requests are borrowed until return.
//
// # Limits and errors
//
// The run ends with an error after an error reply, a lost connection, replies later than DrainTimeout, or more than
// MaxInFlight unanswered requests on a connection. Latencies above a minute count as a minute.
package load
