package pool

import (
	"testing"
	"time"

	"ringmaster/pool/conn"
	"ringmaster/shard"
)

// A replica is known to be fit since before its connection was made: it must be asked again, or it would get no reads as long as
// nothing changes.
func TestWhatIsOlderThanAConnectionIsAskedForAgain(t *testing.T) {
	hints := 0
	cfg := testConfig()
	cfg.Reads, cfg.Hint = shard.ReadReplica, func() { hints++ }
	p := newTestPool(t, cfg, 1, nil)
	var n shard.Numbers
	n.Replicas = true
	m, err := n.Attach(p.m, []shard.Group{{Replicas: []shard.Server{{Name: "D", Addr: "D:1", Weight: 1}}}})
	if err != nil {
		t.Fatal(err)
	}
	p.Follow(m)
	rings := p.rings[conn.Key{Proto: 2}]
	for _, c := range rings.conns {
		ready(t, c)
	}
	start := time.Time{}.Add(time.Hour)
	judge := func(asked int64) bool {
		hints = 0
		p.Judge(conn.Health{"D:1": {Reads: conn.ReadsAlways, At: start.Add(time.Duration(asked))}}, start)
		return rings.PickRead(0, 0) != nil
	}
	if judge(p.Now-1) || hints != 1 {
		t.Errorf("it is read from, or %d hints were given", hints)
	}
	if !judge(p.Now+1) || hints != 0 {
		t.Errorf("it is not read from, or %d hints were given", hints)
	}
	checkPool(t, p)
}
