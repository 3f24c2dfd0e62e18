package replicas

import (
	"time"

	"ringmaster/pool"
)

// Status is what is known about one replica, for the admin address and metrics.
type Status struct {
	// Name and Addr are the replica's, Primary is its primary's name.
	Name, Addr, Primary string
	// Zone is its availability zone, "" if unknown.
	Zone string `json:",omitempty"`
	// Readable says that it gets reads, Alone that it gets them only while its primary is down, and Why why it is not
	// readable.
	Readable bool
	Alone    bool   `json:",omitempty"`
	Why      string `json:",omitempty"`
	// LagMillis is by how many ms it lags behind its primary's last answer, LagBytes how many bytes it lacks, as far
	// as is known.
	LagMillis, LagBytes int64
}

// Status lists the replicas. Any goroutine.
func (w *Watcher) Status() []Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []Status{}
	for _, g := range w.groups {
		for _, r := range g.replicas {
			v := r.verdict
			list = append(list, Status{
				Name: r.server.Name, Addr: r.server.Addr, Primary: g.primary.server.Name, Zone: w.zone(r), Readable: v.reads == pool.ReadsAlways,
				Alone: v.reads == pool.ReadsAlone, Why: v.why, LagMillis: int64(v.lag / time.Millisecond), LagBytes: v.bytes,
			})
		}
	}
	return list
}
