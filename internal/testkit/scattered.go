package testkit

// Scattered gives each node of a cluster its slots as they lie after years of resharding: in many small ranges. Any goroutine.
func Scattered(nodes int) [][]uint16 {
	slots := make([][]uint16, nodes)
	for slot := range clusterSlots {
		at := slot * 7 % nodes
		slots[at] = append(slots[at], uint16(slot))
	}
	return slots
}
