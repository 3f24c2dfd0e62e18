package admin

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"ringmaster/stats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLoops is a process with fixed servers whose answers the test chooses.
type fakeLoops struct {
	loops    []stats.Loop
	servers  []string
	snapshot func(ctx context.Context) error
	ready    error
	hosts    []string
	reload   func(ctx context.Context) (*Reloaded, error)
}

func (f *fakeLoops) Snapshot(ctx context.Context) ([]stats.Loop, error) {
	if f.snapshot != nil {
		if err := f.snapshot(ctx); err != nil {
			return nil, err
		}
	}
	return f.loops, nil
}

func (f *fakeLoops) Ready(context.Context) error     { return f.ready }
func (f *fakeLoops) Listeners() []stats.ListenerView { return nil }

func (f *fakeLoops) Upstreams() []stats.UpstreamView {
	return []stats.UpstreamView{{Name: "default", Servers: f.servers}}
}
func (f *fakeLoops) Topology() any      { return map[string]any{"Servers": f.servers} }
func (f *fakeLoops) LogDropped() uint64 { return 7 }
func (f *fakeLoops) Hosts() []string    { return f.hosts }

func (f *fakeLoops) Settings() stats.Settings {
	return stats.Settings{MaxClients: 50, Generation: 3, Digest: 1<<52 - 1, Reloads: 4, Refused: 5, Failed: true}
}

func (f *fakeLoops) Reload(ctx context.Context) (*Reloaded, error) { return f.reload(ctx) }

// serve runs a Server on a free port until the test ends and returns its address.
func serve(t *testing.T, c Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, done := New(c), make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestHealthFollowsTheLoopsAndReadinessTheServers(t *testing.T) {
	source := &fakeLoops{}
	addr := serve(t, Config{Source: source})
	check := func(path string, wantCode int, wantBody string) {
		t.Helper()
		if code, body := get(t, addr+path); code != wantCode || strings.TrimSpace(body) != wantBody {
			t.Errorf("%s: %d %q, want %d %q", path, code, body, wantCode, wantBody)
		}
	}
	check("/healthz", 200, "ok")
	check("/readyz", 200, "ok")
	source.ready = errors.New("server alpha (10.0.0.1:6379) cannot be reached: connection refused")
	check("/healthz", 200, "ok")
	check("/readyz", 503, source.ready.Error())
	source.snapshot = func(context.Context) error { return errors.New("a loop did not answer") }
	check("/healthz", 503, "a loop did not answer")
	check("/metrics", 503, "a loop did not answer")
}

func TestSnapshotsHaveADeadlineAndAreTakenOneAtATime(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	first := true
	h := &handler{snapshotLock: make(chan struct{}, 1)}
	h.Source = &fakeLoops{snapshot: func(ctx context.Context) error {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("no deadline")
		}
		if !first {
			t.Error("two at a time")
		}
		first = false
		close(entered)
		<-release
		return nil
	}}
	done := make(chan error, 1)
	go func() { _, err := h.snapshot(context.Background(), h.snapshotLock); done <- err }()
	<-entered
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.snapshot(gone, h.snapshotLock); err == nil || err.Error() != "an earlier request still waits for the loops" {
		t.Errorf("second: %v", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Errorf("first: %v", err)
	}
}

func TestIndexLinksToWhatThereIs(t *testing.T) {
	link := regexp.MustCompile(`href="([^"]+)"`)
	for _, pprof := range []bool{false, true} {
		addr := serve(t, Config{Source: &fakeLoops{}, Pprof: pprof})
		_, page := get(t, addr+"/")
		links := link.FindAllStringSubmatch(page, -1)
		for _, l := range links {
			if code, _ := get(t, addr+"/"+l[1]); code != 200 {
				t.Errorf("%s: %d", l[1], code)
			}
		}
		code, _ := get(t, addr+"/debug/pprof/goroutine?debug=1")
		if pprof != (code == 200) || pprof != (len(links) == 5) {
			t.Errorf("pprof %v: %d, %d links", pprof, code, len(links))
		}
		if code, _ := get(t, addr+"/nothing"); code != 404 {
			t.Errorf("/nothing: %d", code)
		}
	}
}

func TestOnlyGetIsAllowed(t *testing.T) {
	addr := serve(t, Config{Source: &fakeLoops{}})
	resp, err := http.Post("http://"+addr+"/metrics", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", resp.StatusCode)
	}
}

func TestAHugeHeadIsRefused(t *testing.T) {
	addr := serve(t, Config{Source: &fakeLoops{}})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() { // the server may close while this is being written
		_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	}()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.Contains(line, "431") {
		t.Errorf("%q", line)
	}
}

func TestServersThatShareAPortFailAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := New(Config{Source: &fakeLoops{}}).Serve(l); err == nil {
		t.Error("served on a closed listener")
	}
}

func sampleView() *stats.View {
	l := stats.NewLoop(3)
	l.Call(0, 20_000)
	l.Call(0, 1<<40)
	l.Error(0, []byte("-WRONGTYPE x"))
	l.ClientsOpened = 2
	l.ClientsClosed[stats.Quit] = 1
	l.AddUpstream("default", 1).Servers[0].State = stats.ServerUp
	return &stats.View{Loops: []stats.Loop{*l}, Commands: []string{"get", "set", "del"}, Version: "v1",
		Upstreams: []stats.UpstreamView{{Name: "default", Servers: []string{"a\"\\\nb"}}}}
}

func TestMetricsText(t *testing.T) {
	source := &fakeLoops{loops: sampleView().Loops, servers: sampleView().Upstreams[0].Servers}
	addr := serve(t, Config{Source: source, Commands: []string{"get", "set", "del"}, Version: "v1"})
	_, body := get(t, addr+"/metrics")
	for _, want := range []string{
		"# HELP ringmaster_command_calls_total Commands answered",
		"# TYPE ringmaster_command_calls_total counter",
		`ringmaster_command_calls_total{command="get"} 2`,
		`ringmaster_command_errors_total{command="get",code="WRONGTYPE"} 1`,
		`ringmaster_command_duration_seconds_bucket{command="get",le="1.6384e-05"} 0`,
		`ringmaster_command_duration_seconds_bucket{command="get",le="3.2768e-05"} 1`,
		`ringmaster_command_duration_seconds_bucket{command="get",le="17.179869184"} 1`,
		`ringmaster_command_duration_seconds_bucket{command="get",le="+Inf"} 2`,
		`ringmaster_command_duration_seconds_count{command="get"} 2`,
		`ringmaster_clients_connected 1`,
		`ringmaster_clients_closed_total{reason="quit"} 1`,
		`ringmaster_server_up{server="a\"\\\nb",upstream="default"} 1`,
		`ringmaster_max_clients 50`,
		`ringmaster_config_generation 3`,
		`ringmaster_config_hash 4503599627370495`,
		`ringmaster_config_reloads_total{result="ok"} 4`,
		`ringmaster_config_reloads_total{result="error"} 5`,
		`ringmaster_config_reload_success 0`,
		`ringmaster_log_lines_dropped_total 7`,
		`ringmaster_build_info{version="v1"} 1`,
		"process_resident_memory_bytes ",
		"go_goroutines ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(body, `command="set"`) {
		t.Error("a command that was never called has a series")
	}
}

func TestTopologyIsTheSourcesAsJSON(t *testing.T) {
	addr := serve(t, Config{Source: &fakeLoops{servers: []string{"a", "b"}}})
	code, body := get(t, addr+"/topology")
	if want := "{\n  \"Servers\": [\n    \"a\",\n    \"b\"\n  ]\n}\n"; code != 200 || body != want {
		t.Errorf("%d %q, want %q", code, body, want)
	}
}

// TestEveryLineIsPrometheusText checks the format: a HELP and a TYPE before the samples of each metric of ringmaster,
// and no series twice.
func TestEveryLineIsPrometheusText(t *testing.T) {
	addr := serve(t, Config{Source: &fakeLoops{loops: sampleView().Loops}})
	_, body := get(t, addr+"/metrics")
	sample := regexp.MustCompile(`^([a-z_0-9]+)(\{.*\})? [0-9eE.+-]+$`)
	suffix := regexp.MustCompile(`_(bucket|sum|count)$`)
	typed, seen := map[string]bool{}, map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			typed[strings.Fields(name)[0]] = true
			continue
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("not a sample: %q", line)
			continue
		}
		if seen[m[1]+m[2]] {
			t.Errorf("twice: %s", line)
		}
		seen[m[1]+m[2]] = true
		if strings.HasPrefix(m[1], "ringmaster_") && !typed[m[1]] && !typed[suffix.ReplaceAllString(m[1], "")] {
			t.Errorf("no TYPE before %s", line)
		}
	}
	if !typed["ringmaster_loop_turns_total"] {
		t.Error("no metric of a loop")
	}
}

var update = flag.Bool("update", false, "write the generated documents anew")

func TestMetricsDocumentIsCurrent(t *testing.T) {
	const file = "../../docs/metrics.md"
	if *update {
		if err := os.WriteFile(file, []byte(MetricsDocument()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(MetricsDocument(), string(text)); diff != "" {
		t.Errorf("not what the table says; run scripts/gen-docs\n%s", diff)
	}
}
