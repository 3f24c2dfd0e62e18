// Package proc runs the programs of a comparison and reads what they use.
//
// # Purpose
//
// Start a server or a proxy, wait until it answers, stop it for certain, and read the
// processor time, memory, system calls and context switches that the kernel accounts to it.
//
// # Picture
//
//	Start ──► Process ──► WaitReady ──► CPU, RSS, ActivityOf … ──► Stop
//	             │
//	             └── output into a file, its tail in every error
//
// # Who may call
//
// Any goroutine; one Process belongs to one caller at a time. Linux only: the figures
// come from /proc and from the kernel's per-process CPU clock.
//
// # Ownership of bytes
//
// Nothing is shared.
//
// # Limits and errors
//
// Stop asks with SIGTERM and kills after StopTimeout. If a program ends by itself, the next call returns an error
// with the end of its output.
package proc
