// Package memory returns unused memory to the operating system.
//
// # Purpose
//
// One huge value leaves its buffers as garbage. A proxy that is quiet afterwards allocates so little that Go collects
// the garbage only minutes later, and other processes of the host lack that memory meanwhile.
//
// # Picture
//
//	every 10 s:  footprint grown by 16 MiB since it was last trimmed?
//	             and no collection since the last look?  ──> debug.FreeOSMemory
//
// # Who may call
//
// Run needs a goroutine of its own. A collection runs concurrently with the loops.
//
// # Ownership of bytes
//
// None: it only reads figures.
//
// # Limits and errors
//
// A process that collects by itself is left alone, because Go returns its memory in time. A large heap that is in use
// is collected once, not again and again.
package memory
