package shard

// Group is a primary and its replicas, which hold the same keys: one shard of a topology that is discovered.
type Group struct {
	Primary  Server
	Replicas []Server
	// Slots are the hash slots of a Redis Cluster's shard; none under Sentinel, where Name places the keys.
	Slots []SlotRange
}

// SlotRange is the slots from First to Last, both included.
type SlotRange struct{ First, Last uint16 }
