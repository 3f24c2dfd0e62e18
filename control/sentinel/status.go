package sentinel

import (
	"ringmaster/internal/refresh"
	"ringmaster/shard"
)

// Status is a copy of what a watcher knows, for the admin address and metrics.
type Status struct {
	refresh.Counts
	// Listening is the number of subscriptions that hold.
	Listening int
	// Groups are the current ones. They must not be changed.
	Groups []shard.Group
	// Masters are what is known of each name.
	Masters []Master
	// Sentinels are the addresses of those that are asked.
	Sentinels []string
}

// Master is one name.
type Master struct {
	Name string
	// Addr is the primary's HOST:PORT, Epoch the config epoch under which it is that.
	Addr  string
	Epoch uint64
	// Views is the number of sentinels that know the name, Agreed of those that say the same, Down of those that can't
	// reach the primary.
	Views, Agreed, Down int
	// Expected is who is to take over but is no primary yet, or "".
	Expected string
	// Doubtful says that the primary calls itself something else, or that Expected does.
	Doubtful bool
	// Remembered says that what was found before stands against what the sentinels asked say.
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
