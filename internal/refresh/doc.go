// Package refresh has the common parts of topology watchers: when they ask, how they ask many servers at once, and
// what they do with a result.
//
// # Purpose
//
// A watcher asks by a timer, and sooner after a hint that the topology has changed. Some of the servers that it asks
// are silent, and they must not delay what the others know. The result is kept, and published if it differs from the
// previous one.
//
// # Picture
//
//	timer, Hint ──▶ Pace.Run ──▶ Subject.Find ──▶ Survey.Round, All: ask, ask, ask ──▶ answers ──▶ Views ──▶ Round
//	                    ▴                                                                             │
//	                    │                                     Follower: Count, Known, publish, Tell ◂─┤
//	                    └───────────────── Subject.Pause: how long until the next ◂───────────────────┘
//
// A [Subject] is the part of one kind of watcher: which servers it asks, how it decides between views, and what it
// logs. The [Follower] is the same for all.
//
// # Who may call
//
// Control plane. [Pace.Run] and [Follower.Run] need a goroutine each. [Pace.Hint], [Follower.Hint] and
// [Follower.Known] may be called from any goroutine. [All] starts a goroutine for each address and returns when all
// have ended.
//
// # Ownership of bytes
//
// No bytes are kept. Findings and groups never change after they are kept. Anyone may read them, and nobody may write
// them.
//
// # Limits and errors
//
// Refreshes begin at least the pace's least time apart, however many hints come. An answer has a view or an error. A
// refresh without a result keeps the previous finding. The first such refresh is logged, and the next result is. A
// refresh that the end of its context cuts short does not count.
package refresh
