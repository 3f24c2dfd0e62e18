package stats

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamesFollowPrometheus(t *testing.T) {
	name := regexp.MustCompile(`^ringmaster(_[a-z]+)+$`)
	seen := map[string]bool{}
	for _, m := range Metrics() {
		switch {
		case !name.MatchString(m.Name):
			t.Errorf("%s: not in ringmaster_lower_case", m.Name)
		case seen[m.Name]:
			t.Errorf("%s: twice", m.Name)
		case (m.Kind == Counter) != strings.HasSuffix(m.Name, "_total"):
			t.Errorf("%s: counters, and only they, end in _total", m.Name)
		case m.Kind == Distribution && !strings.HasSuffix(m.Name, "_seconds"):
			t.Errorf("%s: a histogram's name ends in its unit", m.Name)
		case m.Unit == "bytes" && !strings.Contains(m.Name, "_bytes"):
			t.Errorf("%s: its unit, bytes, is not in the name", m.Name)
		case !strings.HasSuffix(m.Help, ".") || m.Unit == "" || m.Source == "" || m.read == nil:
			t.Errorf("%s: incomplete: help %q unit %q source %q", m.Name, m.Help, m.Unit, m.Source)
		}
		seen[m.Name] = true
	}
}

// collectAll renders samples as "name{values} value" for comparison.
func collectAll(t *testing.T, v *View) map[string]uint64 {
	t.Helper()
	got := map[string]uint64{}
	for _, m := range Metrics() {
		m.Samples(v, func(s Sample) {
			if len(s.Labels) != len(m.Labels) {
				t.Errorf("%s: labels %v for %v", m.Name, s.Labels, m.Labels)
			}
			if (s.Histogram != nil) != (m.Kind == Distribution) {
				t.Errorf("%s: histogram %v", m.Name, s.Histogram)
			}
			value := s.Value
			if s.Histogram != nil {
				value = s.Histogram.Count()
			}
			if value != 0 {
				got[strings.TrimPrefix(m.Name, "ringmaster_")+"{"+strings.Join(s.Labels, ",")+"}"] = value
			}
		})
	}
	return got
}

func TestSamplesSumOverLoopsAndSkipUnusedCommands(t *testing.T) {
	a, b := NewLoop(3), NewLoop(3)
	inA, inB := a.AddUpstream("main", 2), b.AddUpstream("main", 2)
	a.AddUpstream("other", 1).Servers[0].State = ServerUp
	b.AddUpstream("other", 1).Servers[0].State = ServerUp
	a.ClientsOpened, a.ClientsClosed[Quit] = 5, 1
	b.ClientsOpened = 2
	a.Call(0, 1000)
	b.Call(0, 1000)
	b.Call(2, 1000)
	a.Error(0, []byte("-ERR x"))
	b.Error(0, []byte("-OOM x"))
	b.Error(0, []byte("-ERR x"))
	inA.Servers[0].State, inB.Servers[0].State = ServerUp, ServerUp
	inA.Servers[1].State, inB.Servers[1].State = ServerUp, ServerDown
	inA.Servers[1].Disconnects[ServerStalled], inB.Servers[1].Disconnects[ServerStalled] = 1, 2
	inB.Servers[0].Latency.Observe(1)
	b.Turns, b.TurnRequests = 3, 9
	a.Redirects[RedirectAsk], b.Redirects[RedirectAsk] = 1, 2
	a.Hops[0], b.Hops[0], b.Hops[MaxHops-1] = 2, 3, 1
	a.Left, b.Left, inB.Draining = 4, 1, 1

	v := &View{Loops: []Loop{*a, *b}, Commands: []string{"get", "set"}, Version: "v1", Uptime: 9,
		Settings: Settings{MaxClients: 11, Generation: 12, Digest: 13, Reloads: 14, Refused: 15}}
	v.Upstreams = []UpstreamView{{Name: "main", Servers: []string{"one"}, Topology: &Topology{
		Kind: "cluster", Refreshes: 21, Failures: 22, Changes: 23, Asked: 24, Silent: 25, Outvoted: 26, Age: 27, Nodes: 28, Slotted: true, Covered: 29, Moving: 30,
	}}, {Name: "other", Servers: []string{"one"}, Replicas: map[string]Replica{"r": {Readable: true, LagBytes: 5}}}}
	want := map[string]uint64{
		"build_info{v1}": 1, "uptime_seconds{}": 9, "max_clients{}": 11, "config_generation{}": 12, "config_hash{}": 13,
		"config_reloads_total{ok}": 14, "config_reloads_total{error}": 15, "config_reload_success{}": 1,
		"command_calls_total{get}": 2, "command_calls_total{2}": 1,
		"command_duration_seconds{get}": 2, "command_duration_seconds{2}": 1,
		"command_errors_total{get,ERR}": 2, "command_errors_total{get,OOM}": 1,
		"clients_connected{}": 6, "clients_opened_total{}": 7, "clients_closed_total{quit}": 1,
		"server_up{one,main}": 1, "server_disconnects_total{1,main,stalled}": 3, "server_duration_seconds{one,main}": 1,
		"server_up{one,other}": 1, "replica_readable{r,other}": 1, "replica_lag_bytes{r,other}": 5,
		"loop_clients{0}": 4, "loop_clients{1}": 2, "loop_turns_total{1}": 3, "loop_requests_total{1}": 9,
		"redirects_total{ask}": 3, "redirect_hops_total{1}": 5, "redirect_hops_total{16}": 1,
		"topology_connections_left_total{}": 5, "topology_connections_draining{}": 1,
		"topology_refreshes_total{cluster,main}": 21, "topology_refresh_failures_total{cluster,main}": 22, "topology_changes_total{cluster,main}": 23,
		"topology_nodes_asked_total{cluster,main}": 24, "topology_nodes_silent_total{cluster,main}": 25, "topology_nodes_outvoted_total{cluster,main}": 26,
		"topology_age_seconds{cluster,main}": 27, "topology_nodes{cluster,main}": 28, "topology_slots_covered{cluster,main}": 29, "topology_slots_moving{cluster,main}": 30,
	}
	if diff := cmp.Diff(want, collectAll(t, v)); diff != "" {
		t.Error(diff)
	}
}

// TestLoopsAreJoinedByTheUpstreamsName: one loop already has a new upstream, another still has a removed one of that
// name, and their places differ. No series comes out twice.
func TestLoopsAreJoinedByTheUpstreamsName(t *testing.T) {
	a, b, c := NewLoop(0), NewLoop(0), NewLoop(0)
	b.AddUpstream("gone", 1).Servers[0].Requests = 100
	first, second := a.AddUpstream("main", 2), a.AddUpstream("other", 1)
	other, old, young := b.AddUpstream("other", 1), b.AddUpstream("main", 3), b.AddUpstream("main", 1)
	c.AddUpstream("gone", 1)
	old.Gone = true
	for i, u := range []*Upstream{first, second, other, old, young} {
		for n := range u.Servers {
			u.Servers[n].Requests, u.Servers[n].State = uint64(1)<<i, ServerUp
		}
	}
	old.Servers[0].State = ServerDown
	v := &View{Loops: make([]Loop, 3), Upstreams: []UpstreamView{{Name: "other", Servers: []string{"x"}}, {Name: "main", Servers: []string{"y", "z"}}, {Name: "new", Servers: []string{"y"}}}}
	for i, l := range []*Loop{a, b, c} {
		l.CopyTo(&v.Loops[i])
	}
	want := map[string]uint64{
		"server_requests_total{x,other}": 2 + 4, "server_requests_total{y,main}": 1 + 8 + 16, "server_requests_total{z,main}": 1 + 8,
		"server_up{x,other}": 1, "server_up{y,main}": 1, "server_up{z,main}": 1,
	}
	got := collectAll(t, v)
	delete(got, "build_info{}")
	delete(got, "config_reload_success{}")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, m := range Metrics() {
		seen := map[string]bool{}
		m.Samples(v, func(s Sample) {
			if key := strings.Join(s.Labels, ","); seen[key] {
				t.Errorf("%s{%s}: twice", m.Name, key)
			} else {
				seen[key] = true
			}
		})
	}
}

func TestAnEmptyViewHasNoServersAndNoCommands(t *testing.T) {
	got := collectAll(t, &View{Settings: Settings{Failed: true}})
	if diff := cmp.Diff(map[string]uint64{"build_info{}": 1}, got); diff != "" {
		t.Error(diff)
	}
}
