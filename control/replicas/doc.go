// Package replicas watches the replication of servers that are read from.
//
// # Purpose
//
// A replica answers reads even without its primary's data. A [Watcher] asks primaries and replicas for their
// replication offsets, and publishes which replicas the data plane may read from. A replica of unknown state is never
// among them.
//
// # Picture
//
//	every second, or sooner at a Hint, for each primary with replicas:
//
//	   primary: INFO ──▶ offset P at time t ──▶ history ──┐
//	   replica: INFO ──▶ link, offset R ──────────────────┴─▶ judge ──▶ publish
//
// A replica whose offset R has reached P has all that the primary had at t. The lag is the time between the latest
// such t and the primary's last answer. It needs neither the servers' clocks nor extra writes, and it grows when the
// stream stalls although the link looks fine.
//
//	primary answers, link up, lag within the bound     read from it
//	primary answers, link down, lag within the bound   read from it where the primary turns out to be down
//	primary silent, lag was within the bound           read from it: no server has newer data
//	anything else, or no answer                        do not read from it
//
// Replicas are given, or found in the primary's INFO, which lists those that are connected to it. A server is
// identified by its address. So what is known about it stays when its name, the login, the lag bound or the zones
// change.
//
// # Who may call
//
// Control plane. [Watcher.Run] needs a goroutine of its own and has one more for each primary, and one for each replica while
// it asks. The other methods may be called from any goroutine.
//
// # Ownership of bytes
//
// Published values are never changed.
//
// # Limits and errors
//
// A server must answer within [Config].Timeout and the limits of package respclient. At most [MaxReplicas] replicas
// of a primary's list count. A server that answers nonsense counts as silent.
package replicas
