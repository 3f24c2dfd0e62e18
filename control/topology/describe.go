package topology

import (
	"ringmaster/control/cluster"
	"ringmaster/control/replicas"
	"ringmaster/control/sentinel"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Description is what /topology shows of an upstream.
type Description struct {
	Topology Kind
	Servers  []Server
	// Replicas are those that are read from, or might be.
	Replicas []replicas.Status `json:",omitempty"`
	// Cluster is what is known of the cluster that is followed.
	Cluster *cluster.Status `json:",omitempty"`
	// Sentinel is what is known of the primaries that are followed.
	Sentinel *sentinel.Status `json:",omitempty"`
}

// Server is a server as /topology shows it.
type Server struct {
	shard.Server
	// Unescaped names what the server puts into replies as a client wrote it, so that it goes over connections of its own, unless
	// the setting scripts is shared: "scripts", "modules".
	Unescaped []string `json:",omitempty"`
}

// Describe is what /topology shows now; unescaped is by server number, as from [Unescaped]. Any goroutine.
func (t *Topology) Describe(unescaped [][]string) *Description {
	m := t.current.Load()
	d := &Description{Topology: *t.kind.Load()}
	for _, i := range m.Shards() {
		s := Server{Server: m.Server(i)}
		if i < len(unescaped) {
			s.Unescaped = unescaped[i]
		}
		d.Servers = append(d.Servers, s)
	}
	if t.replicas != nil {
		d.Replicas = t.replicas.Status()
	}
	if t.watcher != nil {
		t.watcher.describe(d)
	}
	return d
}

// Unescaped is, by server number, what the loops have found that servers of the upstream with this name do not escape. Any goroutine.
func Unescaped(loops []stats.Loop, upstream string) [][]string {
	var scripts, modules []bool
	for l := range loops {
		for _, u := range loops[l].Upstreams {
			if u.Name != upstream || u.Gone {
				continue
			}
			for n, s := range u.Servers {
				if n == len(scripts) {
					scripts, modules = append(scripts, false), append(modules, false)
				}
				scripts[n], modules[n] = scripts[n] || s.UnescapedScripts, modules[n] || s.UnescapedModules
			}
		}
	}
	var list [][]string
	for n := range scripts {
		var of []string
		if scripts[n] {
			of = append(of, "scripts")
		}
		if modules[n] {
			of = append(of, "modules")
		}
		list = append(list, of)
	}
	return list
}

// Names are the servers' names by number, "" for those that are gone. Any goroutine.
func (t *Topology) Names() []string {
	m := t.current.Load()
	names := make([]string, m.Len())
	for i := range names {
		names[i] = m.Server(i).Name
	}
	return names
}

// Counted is what /metrics shows of how the servers are discovered; nil: they are fixed. Any goroutine.
func (t *Topology) Counted() *stats.Topology {
	if t.watcher == nil {
		return nil
	}
	c := &stats.Topology{Kind: string(*t.kind.Load())}
	t.watcher.count(c)
	return c
}

// ReplicaStats is what /metrics shows of replicas, by name; nil: nothing is read from replicas. Any goroutine.
func (t *Topology) ReplicaStats() map[string]stats.Replica {
	if t.replicas == nil {
		return nil
	}
	out := map[string]stats.Replica{}
	for _, r := range t.replicas.Status() {
		out[r.Name] = stats.Replica{Readable: r.Readable, LagSeconds: uint64(r.LagMillis / 1000), LagBytes: uint64(r.LagBytes)}
	}
	return out
}
