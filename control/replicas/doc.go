// Package replicas watches the replication of servers that are read from.
//
// # Purpose
//
// A replica answers reads whether it has its primary's data or not. A [Watcher] asks primaries and replicas how far they
// are, and publishes which replicas the data plane may read from: what nothing is known of, or not now, is not among them.
//
// # Picture
//
//	every second, or sooner at a Hint, for each primary with replicas:
//
//	   primary: INFO ──▶ offset P at time t ──▶ history ──┐
//	   replica: INFO ──▶ link, offset R ──────────────────┴─▶ judge ──▶ publish
//
// A replica whose offset R has reached P has all that the primary had at t. The lag is the time between the latest such t and
// the primary's last answer. It needs no clock of the servers and no writes of ours, and it grows when the stream stands
// still although the link looks fine.
//
//	primary answers, link up, lag within the bound     read from it
//	primary answers, link down, lag within the bound   read from it where the primary turns out to be down
//	primary silent, lag was within the bound           read from it: nobody has newer data
//	anything else, or no answer                        do not
//
// Replicas may be named, or found: a primary's INFO lists those that are connected to it. A server is known by its address: what is known
// of it stays when its name changes, as it does when the login, the bound of the lag or the zones do.
//
// # Who may call
//
// Control plane. [Watcher.Run] needs a goroutine of its own and has one more for each primary, and one for each replica while
// it asks. The other methods may be called from any goroutine.
//
// # Ownership of bytes
//
// What is published is not changed any more.
//
// # Limits and errors
//
// A server has [Config].Timeout for an answer, within the limits of package respclient. A primary's list of replicas counts
// up to [MaxReplicas]. A server that answers nonsense is one that does not answer.
package replicas
