package shard

// Group is a primary and its replicas, which hold the same keys: one shard of a topology that is discovered.
type Group struct {
	// Name is what a shard keeps when its primary changes: under Sentinel that of the master, which places the keys. In a
	// Redis Cluster, where slots do, there is none.
	Name     string
	Primary  Server
	Replicas []Server
	// Slots are the hash slots of a Redis Cluster's shard; none under Sentinel.
	Slots []SlotRange
}

// SlotRange is the slots from First to Last, both included.
type SlotRange struct{ First, Last uint16 }
