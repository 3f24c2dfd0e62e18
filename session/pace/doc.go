// Package pace says how many requests one client may have under way.
//
// # Purpose
//
// A client's requests stand in the same queues as everybody's. How many may stand there at once is bounded by number, and by the bytes of
// the replies that they are likely to bring: a thousand GETs of a megabyte would keep others waiting for a gigabyte. Pace learns from
// each reply.
//
// # Picture
//
//	a reply ── Learn ──▸ Pace ──▸ ByNumber ──▸ ByBytes          the client reads
//	                                      └──▸ NotReading       it has unread output
//
// # Who may call
//
// Everything is Loop-only. There are no clocks here: times come in as pool.Loop.Now.
//
// # Ownership of bytes
//
// No bytes come here.
//
// # Limits and errors
//
// What is learnt stops counting at 1 << 30, because more makes no difference. No function fails.
package pace
