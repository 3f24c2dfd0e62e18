package stats

import (
	"maps"
	"slices"
)

// View is the source of the metrics: a copy of every loop's counters, and the names for their numbers. It never
// changes after it is made.
type View struct {
	Loops []Loop
	// Commands names command IDs.
	Commands []string
	// Upstreams are the upstreams of the settings. Their names are unique.
	Upstreams []UpstreamView
	// Listeners are those that speak TLS.
	Listeners []ListenerView
	// Version is the program's version, Uptime its age in seconds.
	Version string
	Uptime  uint64
	// LogDropped counts the log lines that were dropped.
	LogDropped uint64
	// Settings describes the settings in force.
	Settings Settings
}

// Settings has the metrics of the settings in force.
type Settings struct {
	// MaxClients is the limit on client connections.
	MaxClients uint64
	// Generation is 1 at the start, and one more after each reload that changed something. Digest is a number that is
	// the same for processes with the same settings.
	Generation, Digest uint64
	// Reloads counts the readings of the settings that succeeded, Refused those that were refused because something
	// was wrong. Failed says that the latest was refused.
	Reloads, Refused uint64
	Failed           bool
}

// UpstreamView is what is known about an upstream outside the loops.
type UpstreamView struct {
	Name string
	// Servers has the servers' names by number; "": there is no server now.
	Servers []string
	// Replicas are the replicas that get reads, or could, by name.
	Replicas map[string]Replica
	// Topology is what is known about discovered servers; nil: the servers are fixed.
	Topology *Topology
}

// ListenerView is what is known outside the loops about a listener that speaks TLS.
type ListenerView struct {
	Name string
	// Handshakes counts the handshakes by result.
	Handshakes [TLSResults]uint64
	// Reloads counts how often new certificates were put into use, Refused how often files were refused.
	Reloads, Refused uint64
	Certificates     []Certificate
}

// Certificate is a certificate that clients see.
type Certificate struct {
	File string
	// NotAfter is when it ends, in seconds since 1970.
	NotAfter uint64
}

// Topology has the counts of the discovery of servers.
type Topology struct {
	// Kind is its name in the words of --topology.
	Kind string
	// Refreshes counts the refreshes, Failures those without a map, Changes the maps that differed from the previous
	// one, and the first.
	Refreshes, Failures, Changes uint64
	// Asked counts the nodes asked, Silent those that did not answer, Outvoted the answers that were not followed.
	Asked, Silent, Outvoted uint64
	// Age is the time since the latest refresh with a map, seconds.
	Age uint64
	// Nodes is the number of known nodes that can be asked.
	Nodes uint64
	// Slotted says that they share the hash slots of a Redis Cluster. Covered is the number of slots with a primary,
	// Moving of those that are being moved.
	Slotted         bool
	Covered, Moving uint64
}

// Replica is what is known about a replica.
type Replica struct {
	// Readable says that it gets reads.
	Readable bool
	// LagSeconds is the age of the oldest write that it lacks, LagBytes how many bytes it lacks.
	LagSeconds, LagBytes uint64
}

// Sample is one value of a metric.
type Sample struct {
	// Labels are the values for Metric.Labels, in that order.
	Labels []string
	// Value is the value of a counter or gauge.
	Value uint64
	// Histogram is the value of a Histogram metric, in nanoseconds; nil otherwise.
	Histogram *Histogram
}

// collect reads the samples of one metric from v.
type collect func(v *View, emit func(Sample))

func once(get func(*View) uint64) collect {
	return func(v *View, emit func(Sample)) { emit(Sample{Value: get(v)}) }
}

// total sums over the loops.
func total(get func(*Loop) uint64) collect {
	return once(func(v *View) uint64 {
		var sum uint64
		for i := range v.Loops {
			sum += get(&v.Loops[i])
		}
		return sum
	})
}

// perLoop has a sample for each loop.
func perLoop(get func(*Loop) uint64) collect {
	return func(v *View, emit func(Sample)) {
		for i := range v.Loops {
			emit(Sample{Labels: []string{itoa(i)}, Value: get(&v.Loops[i])})
		}
	}
}

// perUpstream sums over the loops and their upstreams.
func perUpstream(get func(*Upstream) uint64) collect {
	return total(func(l *Loop) (sum uint64) {
		for _, u := range l.Upstreams {
			sum += get(u)
		}
		return sum
	})
}

// perServer has a sample for each server, summed over the loops.
func perServer(get func(*Server) uint64) collect {
	return func(v *View, emit func(Sample)) {
		v.eachServer(func(labels []string, of []*Server) {
			var sum uint64
			for _, s := range of {
				sum += get(s)
			}
			emit(Sample{Labels: labels, Value: sum})
		})
	}
}

// eachServer calls f with every server's labels and each loop's counters of it. Loops may add and remove an upstream
// at different times, so they are joined by its name.
func (v *View) eachServer(f func(labels []string, of []*Server)) {
	for _, up := range v.Upstreams {
		names, all := []string{}, map[string][]*Server{}
		for i := range v.Loops {
			for _, u := range v.Loops[i].Upstreams {
				if u.Name != up.Name {
					continue
				}
				for n, s := range u.Servers {
					name := nameOf(up.Servers, n)
					if name == "" || u.Gone && n >= len(up.Servers) {
						continue // gone
					}
					if all[name] == nil {
						names = append(names, name)
					}
					all[name] = append(all[name], s)
				}
			}
		}
		for _, name := range names {
			f([]string{name, up.Name}, all[name])
		}
	}
}

// serverUp is 1 for a server that every loop can reach.
func serverUp(v *View, emit func(Sample)) {
	v.eachServer(func(labels []string, of []*Server) {
		up, gone := uint64(1), 0
		for _, s := range of {
			switch s.State {
			case ServerUp:
			case ServerGone:
				gone++
			default:
				up = 0
			}
		}
		if gone < len(of) {
			emit(Sample{Labels: labels, Value: up})
		}
	})
}

// serverUnescaped is 1 for texts that a server does not escape, as any loop has found.
func serverUnescaped(v *View, emit func(Sample)) {
	v.eachServer(func(labels []string, of []*Server) {
		var scripts, modules uint64
		for _, s := range of {
			if s.UnescapedScripts {
				scripts = 1
			}
			if s.UnescapedModules {
				modules = 1
			}
		}
		emit(Sample{Labels: append(labels[:2:2], "scripts"), Value: scripts})
		emit(Sample{Labels: append(labels[:2:2], "modules"), Value: modules})
	})
}

// perListener calls f for each listener that speaks TLS.
func perListener(f func(l ListenerView, emit func(Sample))) collect {
	return func(v *View, emit func(Sample)) {
		for _, l := range v.Listeners {
			f(l, emit)
		}
	}
}

func handshakes(l ListenerView, emit func(Sample)) {
	for r, n := range l.Handshakes {
		emit(Sample{Labels: []string{l.Name, TLSResult(r).String()}, Value: n})
	}
}

func certificates(l ListenerView, emit func(Sample)) {
	for _, c := range l.Certificates {
		emit(Sample{Labels: []string{l.Name, c.File}, Value: c.NotAfter})
	}
}

func certificateReloads(l ListenerView, emit func(Sample)) {
	emit(Sample{Labels: []string{l.Name, "ok"}, Value: l.Reloads})
	emit(Sample{Labels: []string{l.Name, "error"}, Value: l.Refused})
}

// perReplica has a sample for each replica.
func perReplica(get func(Replica) uint64) collect {
	return func(v *View, emit func(Sample)) {
		for _, u := range v.Upstreams {
			for _, name := range slices.Sorted(maps.Keys(u.Replicas)) {
				emit(Sample{Labels: []string{name, u.Name}, Value: get(u.Replicas[name])})
			}
		}
	}
}

func readable(r Replica) uint64 {
	if r.Readable {
		return 1
	}
	return 0
}

func serverDisconnects(v *View, emit func(Sample)) {
	v.eachServer(func(labels []string, of []*Server) {
		for r := range DisconnectReasons {
			var sum uint64
			for _, s := range of {
				sum += s.Disconnects[r]
			}
			emit(Sample{Labels: append(labels[:2:2], DisconnectReason(r).String()), Value: sum})
		}
	})
}

func serverLatency(v *View, emit func(Sample)) {
	v.eachServer(func(labels []string, of []*Server) {
		h := new(Histogram)
		for _, s := range of {
			h.Add(&s.Latency)
		}
		emit(Sample{Labels: labels, Histogram: h})
	})
}

func clientsClosed(v *View, emit func(Sample)) {
	for r := range CloseReasons {
		var sum uint64
		for i := range v.Loops {
			sum += v.Loops[i].ClientsClosed[r]
		}
		emit(Sample{Labels: []string{CloseReason(r).String()}, Value: sum})
	}
}

// commandLatency has a sample for each command called at least once.
func commandLatency(v *View, emit func(Sample)) {
	v.EachCommand(func(name string, h *Histogram) { emit(Sample{Labels: []string{name}, Histogram: h}) })
}

func commandCalls(v *View, emit func(Sample)) {
	v.EachCommand(func(name string, h *Histogram) { emit(Sample{Labels: []string{name}, Value: h.Count()}) })
}

// EachCommand calls f for every command called at least once, in the order of the
// command table, with its latency over all loops.
func (v *View) EachCommand(f func(name string, latency *Histogram)) {
	for id := range v.commandCount() {
		h := new(Histogram)
		for i := range v.Loops {
			if c := v.Loops[i].Command(uint16(id)); c != nil {
				h.Add(&c.Latency)
			}
		}
		if h.Count() > 0 {
			f(nameOf(v.Commands, id), h)
		}
	}
}

// EachError calls f for every command and error code that occurred.
func (v *View) EachError(f func(command, code string, count uint64)) {
	for id := range v.commandCount() {
		var codes []string
		counts := make(map[string]uint64)
		for i := range v.Loops {
			v.Loops[i].eachError(uint16(id), func(code string, n uint64) {
				if counts[code] == 0 {
					codes = append(codes, code)
				}
				counts[code] += n
			})
		}
		for _, code := range codes {
			f(nameOf(v.Commands, id), code, counts[code])
		}
	}
}

func commandErrors(v *View, emit func(Sample)) {
	v.EachError(func(command, code string, n uint64) {
		emit(Sample{Labels: []string{command, code}, Value: n})
	})
}

func (v *View) commandCount() int {
	n := 0
	for i := range v.Loops {
		n = max(n, len(v.Loops[i].commands))
	}
	return n
}

func buildInfo(v *View, emit func(Sample)) {
	emit(Sample{Labels: []string{v.Version}, Value: 1})
}

// connected returns the number of clients connected to a loop. A copy is made between events, so no client is closed
// before it was opened, but the result is clamped nevertheless.
func connected(l *Loop) uint64 {
	open := l.ClientsOpened
	for _, n := range l.ClientsClosed {
		if n > open {
			return 0
		}
		open -= n
	}
	return open
}

func redirected(v *View, emit func(Sample)) {
	for r := range RedirectReasons {
		var sum uint64
		for i := range v.Loops {
			sum += v.Loops[i].Redirects[r]
		}
		emit(Sample{Labels: []string{Redirect(r).String()}, Value: sum})
	}
}

// redirectHops has a sample for each hop that occurred, and always one for the first.
func redirectHops(v *View, emit func(Sample)) {
	for hop := range MaxHops {
		var sum uint64
		for i := range v.Loops {
			sum += v.Loops[i].Hops[hop]
		}
		if hop == 0 || sum > 0 {
			emit(Sample{Labels: []string{itoa(hop + 1)}, Value: sum})
		}
	}
}

// slotted has a sample if the servers share hash slots.
func slotted(get func(*Topology) uint64) collect {
	return func(v *View, emit func(Sample)) {
		for _, u := range v.Upstreams {
			if t := u.Topology; t != nil && t.Slotted {
				emit(Sample{Labels: []string{t.Kind, u.Name}, Value: get(t)})
			}
		}
	}
}

// discovered has a sample if the servers are discovered.
func discovered(get func(*Topology) uint64) collect {
	return func(v *View, emit func(Sample)) {
		for _, u := range v.Upstreams {
			if t := u.Topology; t != nil {
				emit(Sample{Labels: []string{t.Kind, u.Name}, Value: get(t)})
			}
		}
	}
}

func configReloads(v *View, emit func(Sample)) {
	emit(Sample{Labels: []string{"ok"}, Value: v.Settings.Reloads})
	emit(Sample{Labels: []string{"error"}, Value: v.Settings.Refused})
}

func configReloadSuccess(v *View) uint64 {
	if v.Settings.Failed {
		return 0
	}
	return 1
}
