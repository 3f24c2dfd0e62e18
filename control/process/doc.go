// Package process is the running proxy: it joins settings, sockets, topologies, data plane and admin server.
//
// # Purpose
//
// It translates settings for each part, opens the listeners, finds the servers, starts the data plane and the admin
// server, and stops them in the reverse order. In between it reads the settings again on request, and applies them to
// all parts or to none.
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
// run.go is the life of a process, state.go the settings and parts in force. plane.go, listen.go and upstream.go
// translate the settings, descriptors.go decides how many files may be open, processors.go how many CPUs are used.
// reloads.go decides when settings are read again, reload.go is a reload, build.go its steps, login.go its try of a
// login. source.go is what the admin server can see, connect.go is `ringmaster check --connect`.
//
// # Who may call
//
// Control plane: cmd, on one goroutine. [Run] returns when the process must end. Reloads have a goroutine of their
// own. Only it stores a new state, and anyone may read the state.
//
// # Ownership of bytes
//
// No bytes are kept. Settings and states never change: a reload makes new ones. A socket belongs to the data plane
// after it is handed over. The state keeps a reference, so that a listener of another name can get a copy.
//
// # Limits and errors
//
// Errors say what is wrong and what to do about it. A reload has 10 s to read files and 30 s for the steps that can
// fail, in which logins take 5 s at most, and the loops have 30 s to apply it. One reload may wait for the running
// one, and all requests in the meantime share it. A second signal to stop, half a second or more after the first,
// ends [Run] at once.
//
// # Signals
//
//	SIGHUP, POST /reload   the settings are read again, one time after the other
//	SIGTERM, SIGINT        clients are served for --shutdown-delay while /readyz says 503. Then no client is taken, every session is drained, and
//	                       the loops stop. A client that waits in a blocking command is told that nothing ran if the server says so, otherwise
//	                       that it may have run (ADR 23)
//	SIGUSR1, SIGPIPE       a line in the log
package process
