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
package topology
