// Package sentinel follows primaries that Redis Sentinel watches.
//
// # Purpose
//
// Sentinels agree on which server is the primary of a name, but not at the same moment. A sentinel that was cut off
// or asleep still names the old primary. A sentinel that has chosen a new one names it before that server has changed
// its role. A [Watcher] asks several sentinels, decides between their views by the sentinels' own rules, asks the
// chosen server whether it is a primary yet, and publishes the resulting groups of servers.
//
// # Picture
//
//	timer, Hint, subscriptions ──▶ Run ──▶ ask several sentinels at once: MASTER, GET-MASTER-ADDR-BY-NAME, REPLICAS, SENTINELS
//	                                          │ a view each
//	                                          ▼
//	                                       decide: each name has the primary of the highest config epoch
//	                                          │
//	                                          ▼
//	                                       ROLE of each new one ── a primary? ──▶ publish, a log line per change
//
// Which view counts:
//   - A claim counts if most of the sentinels that answer know its server, as primary or as replica of that name. So
//     one sentinel of another installation can't win. If no claim passes, all count.
//   - Among these the highest config epoch wins, then the most sentinels, then the previous result.
//   - The previous result stands against claims with lower epochs, for a minute at most.
//
// # Who may call
//
// Control plane. [Watcher.Run] needs a goroutine of its own and starts one for each sentinel that it asks or listens to;
// [Watcher.Hint], [Watcher.Status] and [Watcher.Configure], which changes the sentinels of the settings and the logins, may be called from
// any goroutine.
//
// # Ownership of bytes
//
// Published groups are never changed. Anyone may keep and read them, and nobody may write them.
//
// # Limits and errors
//
// A refresh asks at most [Config.Sentinels], and others to make up [Config.Nodes], each within [Config.Timeout] and
// the limits of package respclient. A sentinel that answers nonsense counts as silent. When no sentinel answers, the
// published groups stay. When a server can't be asked for its role, the sentinels' word counts.
package sentinel
