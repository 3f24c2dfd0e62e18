// Package sentinel follows primaries that Redis Sentinel watches.
//
// # Purpose
//
// Sentinels agree on who the primary of a name is, but not at the same moment: one that is cut off or was asleep knows an
// old one, and who has decided on a new one says so before that server has changed. A [Watcher] asks several, decides
// between them as they do themselves, asks the server found whether it is a primary by now, and publishes the groups of
// servers that result.
//
// # Picture
//
//	timer, Hint, subscriptions ──▶ Run ──▶ ask several sentinels at once: MASTER, GET-MASTER-ADDR-BY-NAME, REPLICAS, SENTINELS
//	                                          │ a view each
//	                                          ▼
//	                                       decide: each name has the primary of the highest config epoch
//	                                          │
//	                                          ▼
//	                                       ROLE of who is new ── a primary? ──▶ publish, a log line per change
//
// Which view counts:
//   - A claim counts when most of the sentinels that answer know its server, as primary or as replica of that name: one
//     sentinel of another installation does not win. If there is none such, all count.
//   - Of those the one with the highest config epoch, then of most sentinels, then what was found before.
//   - What was found before stands against claims with lower epochs, for a minute at most.
//
// # Who may call
//
// Control plane. [Watcher.Run] needs a goroutine of its own and starts one for each sentinel that it asks or listens to;
// [Watcher.Hint], [Watcher.Status] and [Watcher.Configure], which changes the sentinels of the settings and the logins, may be called from
// any goroutine.
//
// # Ownership of bytes
//
// Published groups are not changed any more: everybody may keep and read them, nobody may write them.
//
// # Limits and errors
//
// At most [Config.Sentinels] and as many others as make [Config.Nodes] are asked, each within [Config.Timeout] and the
// limits of package respclient. A sentinel that answers nonsense is one that does not answer. When nobody answers, what was
// published stays. A server that can't be asked for its role counts as what the sentinels say.
package sentinel
