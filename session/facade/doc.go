// Package facade answers CLUSTER and READONLY as a node of a Redis Cluster, for clients that only work with a cluster.
//
// # Purpose
//
// With --cluster-facade one proxy or several look like the nodes of a cluster, each with a share of the slots. Clients
// find them with CLUSTER SLOTS. Any of them takes any key.
//
// # Picture
//
//	CLUSTER SLOTS, SHARDS, NODES ── Config.Cluster ──> the reply
//	CLUSTER COUNTKEYSINSLOT, GETKEYSINSLOT ── slotWalk ──> servers
//
// Files: cluster.go has the answers made from the configuration, slotwalk.go finds the keys of a slot.
//
// # Who may call
//
// Everything is Loop-only.
//
// # Ownership of bytes
//
// Arguments are borrowed until return.
//
// # Limits and errors
//
// A walk keeps at most maxWalk bytes of keys. Error texts are those of package texts.
package facade
