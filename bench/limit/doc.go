// Command limit is the least that a server of the Redis protocol must do, on one thread.
//
// # Purpose
//
// scripts/bench-compare measures it as a peer of the proxies. It has one thread, and answers from memory with one read
// and one write for each socket that has requests. So a proxy with a CPU × limit of 2 costs twice as much as serving
// the clients without a server behind.
//
// It measures what every proxy does for its clients: it waits, reads, finds the ends of the requests, and writes
// well-formed replies of the right size. It does not measure the other half, because a proxy also writes to servers and
// reads from them. So a proxy of the same speed can not reach 1. A slower one can come near it or below it, because
// more clients then wait at each of its turns.
//
// # Picture
//
//	client ◄──► limit: main ──► responder.Server.Turn, for ever
//
// # Who may call
//
// scripts/bench-compare, and whoever wants to know what a machine's network costs:
//
//	go run ./bench/limit -listen 127.0.0.1:7000
//
// # Ownership of bytes
//
// See package responder.
//
// # Limits and errors
//
// It has no protection but the limits of package responder. It runs until a signal ends it.
//
// Go's runtime is kept out of the way as follows:
//
//   - There is one goroutine, and its system calls are raw ones. The runtime does not know of them, so it hands nothing
//     over to another thread before or after one.
//   - GOMAXPROCS is 1, so that the runtime wakes no thread to look for other goroutines.
//   - The goroutine is not locked to its thread. Every 10 ms the runtime makes it give way to others. Then the same
//     thread takes it up again, while a locked goroutine would cost two switches between threads.
//   - SIGURG is ignored. The runtime sends it to interrupt a goroutine, and it would end epoll_wait.
//   - The garbage collector is off below a limit of memory. All buffers are used again, so it would find nothing.
//
// What is left is the runtime's monitor, a thread that wakes up every 10 ms.
package main
