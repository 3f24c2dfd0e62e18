// Package load sends requests at a constant rate and measures latency from the moment
// each request should have been sent.
//
// # Purpose
//
// A closed loop stops sending while it waits, and so misses the very requests that a
// pause would have delayed (coordinated omission). Here the schedule is fixed before the
// run: request i is due at start + i/rate on connection i mod n, whatever was answered,
// and its latency runs from there. How late the generator itself was is reported too: a
// run whose SendLag is large measured the generator.
//
// # Picture
//
//	schedule ──► connection 0..n-1 ──► socket ──► server
//	   due times in a ring per connection ◄── replies, in order ──► histogram
//
// One thread does all of it, with epoll: goroutines and Go's timers wake up to a
// millisecond late, which is more than what is measured.
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
// A reply that is an error, a lost connection, replies that do not come within
// DrainTimeout, or more than MaxInFlight unanswered requests on a connection end the run
// with an error. Latencies above a minute count as a minute.
package load
