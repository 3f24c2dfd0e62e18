// Package proc runs the programs of a comparison and reads what they cost.
//
// # Purpose
//
// Start a server or a proxy, wait until it answers, stop it for certain, and read the
// processor time and memory that the kernel accounts to it.
//
// # Picture
//
//	Start ──► Process ──► WaitReady ──► Usage … Usage ──► Stop
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
// Stop asks with SIGTERM and kills after StopTimeout. A program that ends by itself is
// an error at the next call, with the end of what it printed.
package proc
