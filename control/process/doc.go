// Package process is the running proxy: it joins settings, sockets, topologies, data plane and admin server.
//
// # Purpose
//
// It translates settings into what each part takes, opens the listeners, has the servers found, starts the data plane and the admin
// server, and stops them in the reverse order.
//
// # Picture
//
//	config.Config ─▶ descriptors ─▶ listeners ─▶ topology.New ─▶ Starter ─▶ admin.Server ─▶ topology.Run, signal
//	                                                                ▴                                      │
//	                                                                └────────────── Shutdown ◂─────────────┘
//
// run.go is the life of a process, plane.go, listen.go and upstream.go what is made of the settings, descriptors.go how many files may be
// open, processors.go how many CPUs are used, source.go what the admin server gets to know, connect.go `ringmaster check --connect`.
//
// # Who may call
//
// Control plane: cmd, on one goroutine. [Run] returns when the process shall end.
//
// # Ownership of bytes
//
// None are held. Settings are not changed.
//
// # Limits and errors
//
// Errors say what is wrong and what to do about it. A second signal to stop, half a second or more after the first, ends [Run] at once.
package process
