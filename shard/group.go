package shard

// Group is a primary and its replicas, which hold the same keys. It is one shard of a discovered topology.
type Group struct {
	// Name is the name that a shard keeps when its primary changes. Under Sentinel it is the name of the master,
	// which places the keys. In a Redis Cluster slots place the keys, and there is no name.
	Name     string
	Primary  Server
	Replicas []Server
	// Slots are the hash slots of a Redis Cluster's shard; none under Sentinel.
	Slots []SlotRange
}

// SlotRange is the slots from First to Last, both included.
type SlotRange struct{ First, Last uint16 }
