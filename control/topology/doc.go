// Package topology knows where one upstream's servers are.
//
// # Purpose
//
// An upstream's servers are listed in the settings, or found by asking a Redis Cluster or sentinels, and their replicas may be
// found by asking primaries. A [Topology] starts whoever asks, makes a map of each answer, hands the maps to the data plane,
// and describes it all to operators. Settings may change while it runs: a [Change] has been checked and waits to be taken. It knows one
// upstream, so that a process may have several.
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
// Whoever makes a map has the turn, so that maps are handed over in the order in which they are made. A Change has it until Commit or
// Abort.
//
// topology.go is the life of a topology, change.go other settings, discover.go what differs between a cluster and sentinels, describe.go
// what the admin server shows, names.go a warning of fixed servers that are given twice.
//
// # Who may call
//
// Control plane. [New] asks the servers, and so may wait. [Topology.Run] needs a goroutine of its own and starts more. All other
// methods may be called from any goroutine. [Topology.Prepare] waits for a map that is being made, not for servers.
//
// # Ownership of bytes
//
// Maps, health and descriptions are not changed once they are handed out: everybody may read them, nobody may write them.
//
// # Limits and errors
//
// [New] fails where the servers can't be found, with what each one answered. Later failures keep the last map, and are logged
// and counted. A map has at most [shard.MaxNodes] servers that are discovered, or [shard.MaxServers] of a list, replicas included. Names
// are looked up for a warning for at most 10 s.
//
// # A change of the servers, step by step
//
// A primary of a cluster dies and its replica is promoted:
//
//  1. cluster.Watcher refreshes by its timer, quickly while a primary of slots is failing, or at a Hint of a loop that was told MOVED.
//  2. It asks several nodes at once, each over a connection of internal/respclient. Each answer is a view: who owns what under which epoch,
//     and where nodes can be reached.
//  3. It decides between the views, slot by slot, by config epoch. It makes groups of it, and leaves them in their places. When they differ from
//     those before, it logs what moved where, and publishes them.
//  4. The Topology numbers the servers (shard.Numbers: each keeps its number from map to map) and hands the map to the loops.
//  5. On each loop package pool dials what is new and drains what is gone. Package session takes the map. A client goes by it when what it has
//     under way is answered. Whatever is tied to connections follows, or its client is closed with a reason.
//
// Under Sentinel the steps are the same, but each name is a shard whose number passes from one primary to the next (ADR 10): keys, cursors
// and subscriptions stay with it. A new primary is asked for its ROLE first, since sentinels announce one before it is one.
//
// In a reload, Prepare makes the map of the new list: each server keeps its number by its address (ADR 25), and replicas that were found stay with
// their primaries. No server is asked. Until Commit or Abort nothing is published: what is found meanwhile waits, or is looked at again later.
// After Commit, those who watch go by the new settings and keep what they know.
package topology
