// Package shard says which server a key belongs to.
//
// # Purpose
//
// A [Map] is an immutable table from key to shard, built once from a list of servers, a
// [Distribution] and a [Hash]. Ketama and modula place every key on the server that
// twemproxy 0.5.0 (x86-64) places it on, so that a migration from there moves no key;
// maglev follows its paper; random draws again for each call. [Slot] is Redis Cluster's
// hash slot.
//
// # Picture
//
//	key ──tag──▶ part to hash ──Hash──▶ 32 bits ──Distribution──▶ shard 0 … Len()-1
//	user:{42}:n        42                              ketama   next point on the hash ring
//	                                                   maglev   entry of a table of 65,537
//	                                                   modula   remainder by total weight
//	                                                   random   (no key, no hash)
//
// In a map of [New] a shard's number is its server's position in [Config.Servers], in whatever order the distribution
// uses them. [Numbers] makes the maps of servers that change, in which numbers last:
//
//	New: [A B C]      ──▶ Numbers.Fixed ──▶ 0 A   1 B   2 C           its first map
//	New: [D C]        ──▶ Numbers.Fixed ──▶ 0 -   1 -   2 C   3 D     A and B leave empty places
//	New: [C A]        ──▶ Numbers.Fixed ──▶ 0 A   1 -   2 C   3 -     A is back
//
// # Who may call
//
// [New] and the Parse functions belong to start-up and the control plane: they allocate.
// Everything on a built Map, and [Slot], may be called from any goroutine: they neither
// lock, block nor allocate. A [Numbers] has one user at a time.
//
// # Ownership of bytes
//
// Keys are borrowed until return. A Map copies the servers that it is given.
//
// # Limits and errors
//
// A map has at most [MaxServers] servers, names of [MaxName] bytes and a total weight of [MaxTotalWeight]. [New]
// refuses more than that, names used twice, weights below 1 and hash tags that are not two bytes. Lookup and Slot
// cannot fail: every key, the empty one included, has a shard.
//
// The numbers of a list that changes are below [MaxNumbers]. There are at most twice as many as the list and its
// replicas ever had servers at once, or 64 if that is more. So the memory for numbers stays bounded, however often
// the list changes. [Numbers.Fixed] refuses more than [MaxServers] servers with their replicas.
//
// Ketama gives a server weight/total of the 160 points per server, rounded down to a multiple of four, as twemproxy
// does. So a weight far below the others' may leave a server without a key. Maglev refuses to build such a table.
//
// Servers that fail keep their keys: twemproxy's auto_eject_hosts has no counterpart here.
// Ketama, maglev and the hash md5 need MD5, which Go refuses (by a panic) when it runs with
// GODEBUG=fips140=only.
package shard
