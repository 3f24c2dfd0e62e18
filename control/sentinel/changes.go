package sentinel

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// tell logs the changes from last to now.
func (w *Watcher) tell(last, now *topology, _ bool) {
	if last == nil {
		replicas := 0
		for _, s := range now.shards {
			replicas += len(s.replicas)
		}
		w.log.Info("sentinels found the primaries", slog.Int("sentinels", len(w.answering)), slog.Int("primaries", len(now.shards)), slog.Int("replicas", replicas))
	}
	for _, s := range now.shards {
		before := last.shard(s.name)
		if before == nil {
			before = &primary{name: s.name, addr: s.addr, replicas: s.replicas}
		}
		if before.addr != s.addr {
			w.log.Info(fmt.Sprintf("sentinel: primary of %s is now %s, was %s", s.name, s.addr, before.addr))
		}
		w.tellReplicas(before, s)
		w.tellState(before, s)
	}
}

func (w *Watcher) tellReplicas(before, s *primary) {
	for _, r := range before.replicas {
		if !slices.Contains(s.replicas, r) {
			why := "down or removed"
			if r == s.addr {
				why = "promoted"
			}
			w.log.Info(fmt.Sprintf("sentinel: replica %s of %s removed: %s", r, s.name, why))
		}
	}
	for _, r := range s.replicas {
		if !slices.Contains(before.replicas, r) {
			w.log.Info(fmt.Sprintf("sentinel: replica %s of %s added", r, s.name))
		}
	}
}

// tellState logs when a problem of a primary begins and ends.
func (w *Watcher) tellState(before, s *primary) {
	if before.addr == s.addr && before.isDown() != s.isDown() {
		if s.isDown() {
			w.log.Warn(fmt.Sprintf("sentinel: primary %s of %s is down according to %d of %d sentinels", s.addr, s.name, s.down, s.views))
		} else {
			w.log.Info(fmt.Sprintf("sentinel: primary %s of %s is up again", s.addr, s.name))
		}
	}
	switch {
	case s.expected != "" && s.expected != before.expected:
		w.log.Info(fmt.Sprintf("sentinel: %s is to become primary of %s, and is not yet", s.expected, s.name))
	case s.doubtful && s.expected == "" && !before.doubtful:
		w.log.Warn(fmt.Sprintf("sentinel: %s, the primary of %s, reports that it is not a primary", s.addr, s.name))
	}
	if !s.against.IsZero() && before.against.IsZero() {
		w.log.Warn(fmt.Sprintf("sentinel: the sentinels that answer know less about %s than before; primary %s stays", s.name, s.addr))
	}
}

// tellUnknown logs, once, the names that no sentinel knows any more.
func (w *Watcher) tellUnknown(names []string) {
	key := strings.Join(names, ", ")
	if len(names) > 0 && w.forgotten != key {
		w.log.Warn("sentinel: no sentinel knows " + key + " any more; the last known primaries stay")
	}
	w.forgotten = key
}
