package topology

import (
	"ringmaster/control/cluster"
	"ringmaster/control/replicas"
	"ringmaster/control/sentinel"
	"ringmaster/shard"
	"ringmaster/stats"
)

// Description is an upstream as /topology shows it.
type Description struct {
	Topology Kind
	Servers  []Server
	// Replicas are the replicas that get reads, or could.
	Replicas []replicas.Status `json:",omitempty"`
	// Cluster is what is known about the Redis Cluster.
	Cluster *cluster.Status `json:",omitempty"`
	// Sentinel is what is known about the primaries under Sentinel.
	Sentinel *sentinel.Status `json:",omitempty"`
}

// Server is a server as /topology shows it.
type Server struct {
	shard.Server
	// Unescaped names what the server puts into replies unescaped, as the client wrote it: "scripts", "modules". Such
	// commands go over their own connections, unless the setting scripts is shared.
	Unescaped []string `json:",omitempty"`
}

// Describe returns what /topology shows now. unescaped is by server number, as from [Unescaped]. Any goroutine.
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

// Unescaped returns, by server number, what the servers of the upstream do not escape, as far as the loops have found
// out. Any goroutine.
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

// Names returns the servers' names by number, "" for removed servers. Any goroutine.
func (t *Topology) Names() []string {
	m := t.current.Load()
	names := make([]string, m.Len())
	for i := range names {
		names[i] = m.Server(i).Name
	}
	return names
}

// Counted returns what /metrics shows about the discovery of servers; nil: they are fixed. Any goroutine.
func (t *Topology) Counted() *stats.Topology {
	if t.watcher == nil {
		return nil
	}
	c := &stats.Topology{Kind: string(*t.kind.Load())}
	t.watcher.count(c)
	return c
}

// ReplicaStats returns what /metrics shows about replicas, by name; nil: replicas get no reads. Any goroutine.
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
