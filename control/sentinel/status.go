package sentinel

import (
	"slices"
	"time"

	"ringmaster/shard"
)

// Status is a copy of what a watcher knows, for the admin address and metrics.
type Status struct {
	// Refreshes counts the times that sentinels were asked, Failures those that had no result.
	Refreshes, Failures uint64
	// Changes counts the groups that differed from those before, the first included.
	Changes uint64
	// Asked counts the sentinels asked, Silent those that did not answer, or not with a view.
	Asked, Silent uint64
	// Outvoted counts the views that named another primary than the one that was found.
	Outvoted uint64
	// LastGood is when sentinels last gave a result; zero before the first time.
	LastGood time.Time
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

// count adds what a refresh took.
func (s *Status) count(answers []answer, outvoted int) {
	s.Asked += uint64(len(answers))
	s.Outvoted += uint64(outvoted)
	s.Sentinels = s.Sentinels[:0:0]
	for _, a := range answers {
		s.Sentinels = append(s.Sentinels, a.Addr)
		if a.View == nil {
			s.Silent++
		}
	}
	slices.Sort(s.Sentinels)
}

// Age is the time since the last good result, 0 before the first.
func (s *Status) Age() time.Duration {
	if s.LastGood.IsZero() {
		return 0
	}
	return time.Since(s.LastGood)
}

// Status copies what is known now. Any goroutine.
func (w *Watcher) Status() Status {
	w.mu.Lock()
	s, t := w.status, w.current
	s.Groups = w.groups
	w.mu.Unlock()
	if t == nil {
		return s
	}
	for _, p := range t.shards {
		s.Masters = append(s.Masters, Master{
			Name: p.name, Addr: p.addr, Epoch: p.epoch, Views: p.views, Agreed: p.agreed, Down: p.down,
			Expected: p.expected, Doubtful: p.doubtful, Remembered: !p.against.IsZero(),
		})
	}
	return s
}
