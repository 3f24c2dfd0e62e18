// Package process is the running proxy: it joins settings, sockets, topologies, data plane and admin server.
//
// # Purpose
//
// It translates settings into what each part takes, opens the listeners, has the servers found, starts the data plane and the admin
// server, and stops them in the reverse order. In between it reads the settings again when it is asked to, and has all parts go by them,
// or none.
//
// # Picture
//
//	config.Config ─▶ descriptors ─▶ listeners ─▶ topology.New ─▶ Starter ─▶ admin.Server ─▶ topology.Run, signal
//	                                                                ▴                                      │
//	                                                                └────────────── Shutdown ◂─────────────┘
//
//	SIGHUP, POST /reload ─▶ reloads: one at a time ─▶ Load ─▶ Config.Merge ─▶ build: sockets, new topologies, logins, Prepare, descriptors
//	                                                                             │ anything fails              │
//	                                                                             ▼                             ▼
//	                                                             forget: nothing has changed     Plane.Apply ─▶ keep: the next state
//
// run.go is the life of a process, state.go what is in force. plane.go, listen.go and upstream.go are what is made of the settings,
// descriptors.go how many files may be open, processors.go how many CPUs are used. reloads.go decides when settings are read again,
// reload.go is what happens then, build.go its steps, login.go the login that is tried. source.go is what the admin server gets to know,
// connect.go `ringmaster check --connect`.
//
// # Who may call
//
// Control plane: cmd, on one goroutine. [Run] returns when the process shall end. Reloads have a goroutine of their own, which alone stores a
// new state; everybody may read the state.
//
// # Ownership of bytes
//
// None are held. Settings and states are not changed: a reload makes others. Sockets belong to the data plane once it has them; the state
// keeps a reference, to copy one for a listener of another name.
//
// # Limits and errors
//
// Errors say what is wrong and what to do about it. A reload has 10 s to read files and 30 s for what can fail, of which logins take 5 s at most, and
// the loops have 30 s to go by it. One reload may wait for the one that runs; all who ask meanwhile share it. A second signal to stop, half a second or
// more after the first, ends [Run] at once.
//
// # Signals
//
//	SIGHUP, POST /reload   the settings are read again, one time after the other
//	SIGTERM, SIGINT        clients are served for --shutdown-delay while /readyz says 503. Then no client is taken, every session is drained, and
//	                       the loops stop. A client that waits in a blocking command is told that nothing ran if the server says so, otherwise
//	                       that it may have run (ADR 23)
//	SIGUSR1, SIGPIPE       a line in the log
package process
