// Package cluster discovers a Redis Cluster and follows it.
//
// # Purpose
//
// The nodes of a cluster agree on their map by gossip, so at any moment some know more than others, and a node that
// is cut off knows the least. A [Watcher] asks several nodes, decides between their views by the nodes' own rules,
// and publishes the resulting groups of servers.
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
//   - Views that say cluster_state:fail count only if none says ok, because such a node may be on the minority side
//     of a partition.
//   - Views that share no node with the known cluster, or with the other views, belong to another cluster.
//   - A node owns the slots that its own view gives it, if that has its latest epoch, otherwise those that the views
//     with its latest epoch give it.
//   - Of two claims with the same epoch, that of most of the asked primaries counts, then that of the smaller node
//     ID.
//   - The previous result counts like a view for nodes whose epoch no view knows yet. Against views that say ok it
//     does so for a minute at most.
//
// # Who may call
//
// Control plane. [Watcher.Run] needs a goroutine of its own and starts one for each node that it asks;
// [Watcher.Hint], [Watcher.Status] and [Watcher.Configure] (seeds and login) may be called from any goroutine.
//
// # Ownership of bytes
//
// Published groups are never changed. Anyone may keep and read them, and nobody may write them.
//
// # Limits and errors
//
// A refresh asks at most [Config.Nodes] nodes, or twice as many if most are silent, each within [Config.Timeout] and
// the limits of package respclient. A view has at most [MaxNodes] nodes, and no slot twice. A node that answers
// nonsense counts as silent. When no node answers, the published groups stay.
package cluster
