package pool

import (
	"testing"

	"ringmaster/shard"
)

func TestKeysHoldEverySlotAndEveryShard(t *testing.T) {
	for _, slot := range []int{-1, 0, 1, shard.MaxNumbers, shard.MaxNodes, shard.Slots - 1} {
		for _, reads := range []bool{false, true} {
			if k := KeysIn(slot, reads); k.slot() != slot || k.reads() != reads {
				t.Errorf("%d, %t: %d, %t", slot, reads, k.slot(), k.reads())
			}
		}
	}
	if k := Keys(0); k.slot() >= 0 || k.reads() {
		t.Errorf("nothing: %d, %t", k.slot(), k.reads())
	}
}
