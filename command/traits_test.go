package command

import (
	"math/bits"
	"strings"
	"testing"
)

func TestTraitsNameCommandsOfTheTable(t *testing.T) {
	for i, tr := range AllTraits() {
		if tr.Bit != 1<<i {
			t.Errorf("%s is not in the order of the constants", tr.Name)
		}
		for _, name := range tr.Commands {
			base, sub, _ := strings.Cut(name, "|")
			spec := Lookup([]byte(base))
			if spec != nil && sub != "" {
				spec = spec.Sub([]byte(sub))
			}
			if spec == nil || !spec.Traits.Has(tr.Bit) {
				t.Errorf("%s: %s is not in the table, or the table lacks the trait; run make gen", tr.Name, name)
			}
		}
	}
	named := 0
	for _, tr := range AllTraits() {
		named += len(tr.Commands)
	}
	for _, spec := range All() {
		named -= bits.OnesCount32(uint32(spec.Traits))
	}
	if named != 0 {
		t.Errorf("the table has %d traits that traits.go does not give; run make gen", -named)
	}
}

func TestIDsNameTheirCommands(t *testing.T) {
	for id, name := range map[uint16]string{IDAcl: "acl", IDClientNoEvict: "client|no-evict", IDEvalshaRo: "evalsha_ro", IDInfoShard: "info.shard", IDZunionstore: "zunionstore"} {
		if got := All()[id].Name; got != name {
			t.Errorf("%d is %s, want %s", id, got, name)
		}
	}
}
