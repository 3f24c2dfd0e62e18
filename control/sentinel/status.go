package sentinel

import (
	"ringmaster/internal/refresh"
	"ringmaster/shard"
)

// Status is a copy of what a watcher knows, for the admin address and metrics.
type Status struct {
	refresh.Counts
	// Listening is the number of open subscriptions.
	Listening int
	// Groups are the current groups. They must not be changed.
	Groups []shard.Group
	// Masters has what is known about each name.
	Masters []Master
	// Sentinels are the addresses of the sentinels that the latest refresh asked.
	Sentinels []string
}

// Master is one name.
type Master struct {
	Name string
	// Addr is the primary's HOST:PORT, Epoch the config epoch in which it became primary.
	Addr  string
	Epoch uint64
	// Views is the number of sentinels that know the name, Agreed of those that name Addr, Down of those that can't
	// reach it.
	Views, Agreed, Down int
	// Expected is the server that is to take over but is no primary yet, or "".
	Expected string
	// Doubtful says that the primary, or Expected, reports another role.
	Doubtful bool
	// Remembered says that the previous result stands against the sentinels' present claims.
	Remembered bool
}

// Status copies what is known now. Any goroutine.
func (w *Watcher) Status() Status {
	k := w.follower.Known()
	s := Status{Counts: k.Counts, Listening: int(w.subscribed.Load()), Groups: k.Groups, Sentinels: k.Asked}
	if k.Found == nil {
		return s
	}
	for _, p := range k.Found.shards {
		s.Masters = append(s.Masters, Master{
			Name: p.name, Addr: p.addr, Epoch: p.epoch, Views: p.views, Agreed: p.agreed, Down: p.down,
			Expected: p.expected, Doubtful: p.doubtful, Remembered: !p.against.IsZero(),
		})
	}
	return s
}
