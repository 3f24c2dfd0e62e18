package testkit

// Scattered gives each node of a cluster its slots in many small ranges, as after years of resharding. Any goroutine.
func Scattered(nodes int) [][]uint16 {
	slots := make([][]uint16, nodes)
	for slot := range clusterSlots {
		at := slot * 7 % nodes
		slots[at] = append(slots[at], uint16(slot))
	}
	return slots
}
