package memory

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	every = 10 * time.Second
	// worthwhile is the growth of the footprint from which a collection is worth its work, bytes.
	worthwhile = 16 << 20
)

// Run trims the process's memory until ctx ends.
func Run(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	t := newTrimmer()
	for {
		select {
		case <-ticker.C:
			t.look()
		case <-ctx.Done():
			return
		}
	}
}

// trimmer remembers the last figures.
type trimmer struct {
	samples  []metrics.Sample
	baseline uint64 // footprint after the last trim, bytes
	cycles   uint64 // collections at the last look
	free     func()
}

// The figures that are read. Footprint is total - released.
const (
	total = iota
	released
	cycles
)

func newTrimmer() *trimmer {
	t := &trimmer{free: debug.FreeOSMemory, samples: []metrics.Sample{
		total:    {Name: "/memory/classes/total:bytes"},
		released: {Name: "/memory/classes/heap/released:bytes"},
		cycles:   {Name: "/gc/cycles/total:gc-cycles"},
	}}
	t.baseline = t.read()
	return t
}

// read returns the footprint in bytes.
func (t *trimmer) read() uint64 {
	metrics.Read(t.samples)
	return t.samples[total].Value.Uint64() - t.samples[released].Value.Uint64()
}

// look trims if the footprint has grown and Go itself does not collect. It reports whether it has trimmed.
func (t *trimmer) look() bool {
	footprint := t.read()
	quiet := t.samples[cycles].Value.Uint64() == t.cycles
	t.cycles = t.samples[cycles].Value.Uint64()
	t.baseline = min(t.baseline, footprint)
	if !quiet || footprint < t.baseline+worthwhile {
		return false
	}
	t.free()
	t.free() // again, because the contents of a sync.Pool survive one collection
	t.baseline = t.read()
	t.cycles = t.samples[cycles].Value.Uint64()
	return true
}
