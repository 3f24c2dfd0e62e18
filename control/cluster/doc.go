// Package cluster discovers a Redis Cluster and follows it.
//
// # Purpose
//
// The nodes of a cluster agree on their map by gossip, so that at any moment some of them know more than
// others, and a node that is cut off knows the least. A [Watcher] asks several, decides between them as the
// nodes themselves do, and publishes the groups of servers that result.
//
// # Picture
//
//	timer, Hint ──▶ Run ──▶ ask several nodes at once: CLUSTER INFO, NODES, SHARDS (or SLOTS)
//	                           │ a view each
//	                           ▼
//	                        merge: each slot goes to the claim with the highest config epoch
//	                           │                               ▲
//	                           ▼                               └── what was found before
//	                        groups ── changed? ──▶ publish, a log line per change
//
// Which view counts:
//   - Those of nodes that say cluster_state:fail count only when nobody says ok: such a node may sit on the
//     minority side of a partition.
//   - Those of nodes that share no node with the cluster known, or with the others, belong to another cluster.
//   - What a node owns is what it says itself, or else what the views say that know its latest epoch.
//   - Of two claims with the same epoch, that of most of the primaries asked counts, then that of the smaller node ID.
//   - What was found before counts like a view for the nodes whose epoch no view knows yet, for a minute
//     at most against views that say ok.
//
// # Who may call
//
// Control plane. [Watcher.Run] needs a goroutine of its own and starts one for each node that it asks;
// [Watcher.Hint], [Watcher.Status] and [Watcher.Configure], which changes the seeds and the login, may be called from any goroutine.
//
// # Ownership of bytes
//
// Published groups are not changed any more: everybody may keep and read them, nobody may write them.
//
// # Limits and errors
//
// Views are those of at most [Config.Nodes] nodes, twice as many when they are silent, each within
// [Config.Timeout] and the limits of package respclient. A view has at most [MaxNodes] nodes, and no
// slot twice. A node that answers nonsense is a node that does not answer. When nobody answers, what was
// published stays.
package cluster
