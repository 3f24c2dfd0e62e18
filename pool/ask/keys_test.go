package ask

import (
	"testing"

	"ringmaster/shard"
)

func TestKeysHoldEverySlotAndEveryShard(t *testing.T) {
	for _, slot := range []int{-1, 0, 1, shard.MaxNumbers, shard.MaxNodes, shard.Slots - 1} {
		for _, reads := range []bool{false, true} {
			if k := KeysIn(slot, reads); k.Slot() != slot || k.Reads() != reads {
				t.Errorf("%d, %t: %d, %t", slot, reads, k.Slot(), k.Reads())
			}
		}
	}
	if k := Keys(0); k.Slot() >= 0 || k.Reads() {
		t.Errorf("nothing: %d, %t", k.Slot(), k.Reads())
	}
}
