// Package memory gives memory that is no longer used back to the operating system.
//
// # Purpose
//
// One huge value leaves its buffers behind as garbage. A proxy that is quiet afterwards allocates so little
// that Go collects it minutes later, and a host that runs several processes misses it meanwhile.
//
// # Picture
//
//	every 10 s:  footprint grown by 16 MiB since it was last trimmed?
//	             and no collection since the last look?  ──> debug.FreeOSMemory
//
// # Who may call
//
// Run runs on a goroutine of its own. A collection runs beside the loops.
//
// # Ownership of bytes
//
// None: it looks at figures only.
//
// # Limits and errors
//
// A process that collects by itself is left alone: Go returns its memory in time. A large heap that is
// in use is collected once, not again and again.
package memory
