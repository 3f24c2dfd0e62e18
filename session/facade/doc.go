// Package facade answers CLUSTER and READONLY as a node of a Redis Cluster, for clients that know only clusters.
//
// # Purpose
//
// With --cluster-facade a proxy, or several, look like the nodes of a cluster in which each has a share of the slots. Clients find them by
// CLUSTER SLOTS, and any node takes any key.
//
// # Picture
//
//	CLUSTER SLOTS, SHARDS, NODES ── Config.Cluster ──> the reply
//	CLUSTER COUNTKEYSINSLOT, GETKEYSINSLOT ── slotWalk ──> servers
//
// Files, by what they are about: cluster.go, slotwalk.go (keys of a slot).
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
// Texts are those of package texts.
package facade
