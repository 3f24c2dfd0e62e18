// Package refresh is what watchers of a topology have in common: when they ask, how they ask many at once, and what they do
// with a result.
//
// # Purpose
//
// A topology is asked for by a timer, and early when somebody hints that it has changed. Of those asked some are silent:
// they must not hold up what the others know. A result is kept, and published when it differs from the one before.
//
// # Picture
//
//	timer, Hint ──▶ Pace.Run ──▶ Subject.Find ──▶ Survey.Round, All: ask, ask, ask ──▶ answers ──▶ Views ──▶ Round
//	                    ▴                                                                             │
//	                    │                                     Follower: Count, Known, publish, Tell ◂─┤
//	                    └───────────────── Subject.Pause: how long until the next ◂───────────────────┘
//
// A [Subject] is what one kind of watcher adds: whom it asks, how it decides between views, and what it logs. The [Follower] is
// the same for all.
//
// # Who may call
//
// Control plane. [Pace.Run] and [Follower.Run] need a goroutine; [Pace.Hint], [Follower.Hint] and [Follower.Known] may be called
// from any. [All] starts a goroutine for each address and returns when they have ended.
//
// # Ownership of bytes
//
// None is kept. Findings and groups are not changed once they are kept: everybody may read them, nobody may write them.
//
// # Limits and errors
//
// Refreshes begin at least the pace's least time apart, however many hints come. An answer has a view or an error. A refresh
// without a result keeps the finding before it, and is logged once until there is a result again; one that is cut short by the
// end of its context counts for nothing.
package refresh
