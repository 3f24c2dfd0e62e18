// Command ringmaster is a proxy that makes many Redis servers look like one.
//
// # Purpose
//
// The command line: it reads the settings, sets up log and signals, and runs [ringmaster/control/process], or checks the settings.
//
// # Picture
//
//	config.Loader, log, signals -> process.Run -> exit status
//
// # Who may call
//
// The shell. Exit status: 0 after a clean stop, 1 when it could not start or run, 2 when
// its settings are wrong.
//
// # Ownership of bytes
//
// No bytes are kept.
//
// # Limits and errors
//
// Every error says what is wrong and what to do about it, on standard error. One goroutine writes that, so that
// nothing waits for its reader. A second signal to stop, half a second or more after the first, ends the process at
// once.
package main
