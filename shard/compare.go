package shard

import "slices"

// SamePlacement reports whether m and o place every key, channel and slot on the same number, and whether the servers
// that hold keys have the same addresses there. If so, requests that were sent by one map are where the other would
// send them. Names, weights and replicas do not count. The time is proportional to the number of servers. Any
// goroutine.
func (m *Map) SamePlacement(o *Map) bool {
	if m.random != o.random || m.tag != o.tag || !slices.Equal(m.shards, o.shards) {
		return false
	}
	for _, i := range m.shards {
		if !SameAddr(m.servers[i].Addr, o.servers[i].Addr) {
			return false
		}
	}
	switch {
	case !sameSlots(m.slots, o.slots) || !sameSlots(m.channels, o.channels):
		return false
	case m.slots != nil || len(m.shards) == 1:
		return true
	}
	return m.hash == o.hash && m.owners.equal(o.owners)
}

func sameSlots(a, b *[Slots]uint16) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// Equal reports whether m and o are equal in everything. Any goroutine.
func (m *Map) Equal(o *Map) bool {
	if m == o {
		return true
	}
	if !slices.Equal(m.servers, o.servers) || !m.SamePlacement(o) {
		return false
	}
	for i := range m.servers {
		if !slices.Equal(m.Replicas(i), o.Replicas(i)) {
			return false
		}
	}
	return true
}
