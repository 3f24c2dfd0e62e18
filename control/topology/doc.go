// Package topology knows where one upstream's servers are.
//
// # Purpose
//
// An upstream's servers are listed in the settings, or found by asking a Redis Cluster or sentinels. Their replicas
// may be found by asking primaries. A [Topology] starts the watchers that ask, makes a map of each answer, hands the
// maps to the data plane, and describes all of it to operators. Settings may change while it runs: a [Change] is a
// checked new Config that waits to be taken. A Topology knows one upstream, so a process may have several.
//
// # Picture
//
//	         Hint ─────────────┬──────────────────────┐
//	                           ▼                      ▼
//	          cluster.Watcher or sentinel.Watcher   replicas.Watcher
//	                           │ groups               │ health, replicas of fixed servers
//	                           ▼                      │
//	settings ──▶ New ──────▶ shard.Numbers: the map ◂─┤
//	others ────▶ Prepare ──▶      │   │               │
//	                              │   └──▶ Change.Map, which the caller posts
//	                              ▼                   ▼
//	                         Data.Follow          Data.Judge
//
// A map is made and handed over under the map lock, so that the loops get maps in the order in which they were made.
// A Change holds the lock until Commit or Abort.
//
// topology.go is the life of a topology, change.go a change of its settings, discover.go the differences between a
// cluster and sentinels, describe.go what the admin server shows, names.go a warning about fixed servers that are
// listed twice.
//
// # Who may call
//
// Control plane. [New] asks the servers, so it may wait. [Topology.Run] needs a goroutine of its own and starts more.
// All other methods may be called from any goroutine. [Topology.Prepare] may wait for the map lock, but never for
// servers.
//
// # Ownership of bytes
//
// Maps, health and descriptions never change after they are handed out. Anyone may read them, and nobody may write
// them.
//
// # Limits and errors
//
// [New] fails if the servers can't be found, and the error says what each one answered. After later failures the last
// map stays, and they are logged and counted. A map has at most [shard.MaxNodes] discovered servers, or
// [shard.MaxServers] of a list, including replicas. The lookup of names for a warning takes at most 10 s.
//
// # A change of the servers, step by step
//
// A primary of a cluster dies and its replica is promoted:
//
//  1. cluster.Watcher refreshes by its timer, quickly while a primary of slots is failing, or at a Hint of a loop that was told MOVED.
//  2. It asks several nodes at once, each over a connection of internal/respclient. Each answer is a view: which node owns which slots in which epoch,
//     and where nodes can be reached.
//  3. It decides between the views, slot by slot, by config epoch. It makes groups of the result, which keep their places. When they differ from
//     those before, it logs what moved where, and publishes them.
//  4. The Topology numbers the servers (shard.Numbers: each keeps its number from map to map) and hands the map to the loops.
//  5. On each loop package pool dials new servers and drains removed ones. Package session takes the map. A client goes by it when what it has
//     under way is answered. Whatever is tied to connections follows, or its client is closed with a reason.
//
// Under Sentinel the steps are the same, but each name is a shard whose number passes from one primary to the next
// (ADR 10), and keys, cursors and subscriptions stay with it. A new primary is asked for its ROLE first, because
// sentinels announce it before it has that role.
//
// In a reload, Prepare makes the map of the new list. Each server keeps its number by its address (ADR 25), and found
// replicas stay with their primaries. No server is asked. Until Commit or Abort nothing is published: new results
// wait. After Commit, the watchers use the new settings and keep what they know.
package topology
