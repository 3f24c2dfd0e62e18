// Package topology knows where one upstream's servers are.
//
// # Purpose
//
// An upstream's servers are listed in the settings, or found by asking a Redis Cluster or sentinels, and their replicas may be
// found by asking primaries. A [Topology] starts whoever asks, makes a map of each answer, hands the maps to the data plane,
// and describes it all to operators. It knows one upstream, so that a process may have several.
//
// # Picture
//
//	         Hint ─────────────┬──────────────────────┐
//	                           ▼                      ▼
//	          cluster.Watcher or sentinel.Watcher   replicas.Watcher
//	                           │ groups               │ health, replicas of fixed servers
//	                           ▼                      │
//	settings ──▶ New ──▶ shard.Numbers: the map ◂─────┤
//	                           │                      │
//	                           ▼                      ▼
//	                      Data.Follow             Data.Judge
//
// topology.go is the life of a topology, discover.go what differs between a cluster and sentinels, describe.go what the admin
// server shows, names.go a warning of fixed servers that are given twice.
//
// # Who may call
//
// Control plane. [New] asks the servers, and so may wait. [Topology.Run] needs a goroutine of its own and starts more. All other
// methods may be called from any goroutine.
//
// # Ownership of bytes
//
// Maps, health and descriptions are not changed once they are handed out: everybody may read them, nobody may write them.
//
// # Limits and errors
//
// [New] fails where the servers can't be found, with what each one answered. Later failures keep the last map, and are logged
// and counted. A map has at most [shard.MaxNodes] servers. Names are looked up for a warning for at most 10 s.
package topology
