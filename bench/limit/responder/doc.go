// Package responder answers Redis requests from memory, on one thread and with as few system calls as the protocol
// allows.
//
// # Purpose
//
// It is what bench/limit runs. It keeps no keys: GET returns a value of the size that was set last, whatever the key,
// so that a client has the same work as with a store.
//
// # Picture
//
//	epoll_wait ──► for each socket: read ──► scan ──► answer, for each whole request ──► write
//	                                          │                                           │
//	                      rest of a request: kept                    what the socket does not take: kept
//
// A client that has not taken its replies is not read until it has.
//
// # Who may call
//
// One goroutine. Turn makes its system calls without telling Go's scheduler, so while it waits, neither this goroutine's
// processor nor the garbage collector can go on. A process should do nothing else meanwhile. Linux only.
//
// # Ownership of bytes
//
// All buffers belong to the Server. Those of a connection are kept for the next one with the same descriptor.
//
// # Limits and errors
//
// It closes a connection after bytes that are no request, a request beyond MaxRequest, or one whose reply is beyond
// MaxReply. A command that it does not know gets an error reply. What is kept for a connection is bounded by these two
// limits, and nothing limits the number of connections but the system.
package responder
