// Package refresh is what watchers of a topology have in common: when they ask, and how they ask many at once.
//
// # Purpose
//
// A topology is asked for by a timer, and early when somebody hints that it has changed. Of those asked some are silent:
// they must not hold up what the others know.
//
// # Picture
//
//	timer, Hint ──▶ Pace.Run ──▶ the watcher's refresh ──▶ All: ask, ask, ask ──▶ answers
//	                    ▴                                                            │
//	                    └──────────────── how long until the next ◂──────────────────┘
//
// # Who may call
//
// Control plane. [Pace.Run] needs a goroutine; [Pace.Hint] may be called from any. [All] starts a goroutine for each address
// and returns when they have ended.
//
// # Ownership of bytes
//
// None is kept.
//
// # Limits and errors
//
// Refreshes begin at least the pace's least time apart, however many hints come. An answer has a view or an error.
package refresh
