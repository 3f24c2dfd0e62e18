// Command ringmaster is a proxy that lets many Redis servers look like one.
//
// # Purpose
//
// Wiring only: it reads the settings, opens the listeners, has the servers found, starts the data plane and the
// admin server, waits for a signal, and stops them in the reverse order.
//
// # Picture
//
//	config.Loader -> listeners -> topology.New -> eventloop.Start -> admin.Server -> topology.Run, signal
//	                                                     ^                                           |
//	                                                     `--------------- Shutdown ------------------'
//
// # Who may call
//
// The shell. Exit status: 0 after a clean stop, 1 when it could not start or run, 2 when
// its settings are wrong.
//
// # Ownership of bytes
//
// None are held.
//
// # Limits and errors
//
// Every error says what is wrong and what to do about it, on standard error, which is written by one goroutine so that
// nothing waits for its reader. A second signal to stop, half a second or more after the first, ends the process at once.
package main
