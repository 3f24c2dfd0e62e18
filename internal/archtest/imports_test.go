package archtest

import (
	"path"
	"strings"
	"testing"
)

// layer orders the folders: a package imports only packages of a lower layer. Packages
// of one layer do not know each other. A folder that is not listed has the layer of the one it is in.
var layer = map[string]int{
	"parser": 0, "command": 0, "shard": 0, "stats": 0,
	"pool/ask": 0, "pool/order": 0, "eventloop/tlsconn": 0,
	"auth": 1, "merge": 1, "pool/queue": 1, "pool/answer": 1,
	"pool/conn":     2,
	"pool":          3,
	"session/texts": 4, "session/slots": 4, "session/pace": 4, "session/intake": 4, "session/roster": 4,
	"session": 5,
	// Packages for only some commands are built on the core, in an order of their own: a lower one never names a
	// higher one.
	"session/gather": 6,
	"session/guard":  7, "session/discovery": 7, "session/blocking": 7,
	"session/tracking": 8, "session/pubsub": 8, "session/facade": 8,
	"session/transaction": 9,
	"session/clients":     10,
	"session/dispatch":    11,
	"eventloop":           12, "control": 12,
	"control/topology": 13,
	"control/process":  14,
	"cmd":              15,
}

// standsOn are folders whose layer would allow more imports than their job needs, with everything that they may
// import of the layer below.
var standsOn = map[string]struct {
	allowed []string
	why     string
}{
	"control/topology": {
		[]string{"control/cluster", "control/replicas", "control/sentinel"},
		"it joins those who follow servers, who do not know each other; settings, the admin server and the loops are brought to it by control/process, as values and as topology.Data",
	},
	"pool/queue": {
		[]string{"pool/ask"},
		"the queues of a connection are kept apart from what the connection does: they know what a request is, and no server",
	},
	"pool/answer": {
		[]string{"parser", "shard"},
		"what servers say is read from bytes alone, so that each version's words are tested without a connection",
	},
	"pool/conn": {
		[]string{"pool/answer", "pool/queue"},
		"a connection knows its own server only; who knows several tells it what to do, as its Keeper",
	},
	"merge": {
		[]string{"parser", "command"},
		"joining is a function of the replies; what it must know of the proxy comes in its Request as values, so that it is tested alone",
	},
}

// dataPlane are the packages that run on a loop and know neither sockets nor clocks.
var dataPlane = []string{"parser", "command", "shard", "merge", "pool", "session", "stats", "auth"}

// forbidden are imports that the data plane may not have, with the reason.
var forbidden = map[string]string{
	"net":                  "session and pool take bytes and give bytes; only eventloop has sockets",
	"net/http":             "no HTTP on a loop; the admin pages live in control/admin",
	"os":                   "a file or signal blocks the loop and every client on it",
	"os/exec":              "a process blocks the loop and every client on it",
	"os/signal":            "signals belong to cmd, which owns the lifecycle",
	"sync":                 "one loop owns what it touches: a lock would stop every client on it",
	"log":                  "log/slog is the logger, handed in by the caller",
	"flag":                 "flags are read in control/config; libraries get values",
	"github.com/spf13":     "flags are read in control/config; libraries get values",
	"go.yaml.in/yaml":      "files are read in control/config; libraries get values",
	module + "/control":    "the control plane publishes snapshots; the data plane never calls it",
	module + "/cmd":        "cmd wires; nothing depends on it",
	module + "/internal":   "test tools and the demo are no part of the data plane",
	module + "/bench":      "measuring tools are no part of the proxy",
	module + "/e2e":        "tests are no part of the proxy",
	module + "/eventloop":  "imports point down: eventloop stands above the packages it drives",
	"github.com/panjf2000": "only eventloop knows gnet, so that the rest is tested without a socket",
}

func TestOnlyEventloopImportsGnet(t *testing.T) {
	for _, f := range sources(t) {
		if f.dir == "eventloop" || f.ast.Name.Name == "pins" {
			continue
		}
		for _, imp := range f.imports() {
			if strings.HasPrefix(imp, "github.com/panjf2000/gnet") {
				t.Errorf("%s imports %s: only eventloop may, so that the rest is tested without a socket and gnet can be replaced in one place", f.path, imp)
			}
		}
	}
}

func TestDataPlaneImportsNothingThatBlocks(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || !within(f.dir, dataPlane) {
			continue
		}
		for _, imp := range f.imports() {
			for bad, why := range forbidden {
				if imp == bad || strings.HasPrefix(imp, bad+"/") && bad != "net" && bad != "log" {
					t.Errorf("%s imports %s: %s", f.path, imp, why)
				}
			}
		}
	}
}

func TestImportsPointDown(t *testing.T) {
	for _, f := range sources(t) {
		from, ranked := rank(f.dir)
		if f.test || !ranked {
			continue
		}
		for _, imp := range f.imports() {
			to, ok := strings.CutPrefix(imp, module+"/")
			if !ok || to == f.dir {
				continue
			}
			level, ranked := rank(to)
			if ranked && level >= from {
				t.Errorf("%s (layer %d) imports %s (layer %d): imports point down only, cmd > control/process > control/topology > eventloop, control > session/dispatch > session/clients > ... > session > session/texts > pool > auth, merge, pool's parts > parser, command, shard, stats; a cycle of duties starts with one import upwards", f.path, from, imp, level)
			}
		}
	}
}

func TestWhoStandsOnOthersOfItsLayerImportsOnlyThose(t *testing.T) {
	used := map[string]bool{}
	for _, f := range sources(t) {
		rule, ok := standsOn[f.dir]
		if f.test || !ok {
			continue
		}
		own, _ := rank(f.dir)
		for _, imp := range f.imports() {
			to, ok := strings.CutPrefix(imp, module+"/")
			level, ranked := rank(to)
			switch {
			case !ok || !ranked || level != own-1:
			case within(to, rule.allowed):
				used[f.dir+" "+to] = true
			default:
				t.Errorf("%s imports %s: %s", f.path, imp, rule.why)
			}
		}
	}
	for dir, rule := range standsOn {
		for _, to := range rule.allowed {
			if !used[dir+" "+to] {
				t.Errorf("standsOn lets %s import %s, which it does not: take it out", dir, to)
			}
		}
	}
}

func TestTestToolsAreImportedByTestsOnly(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || within(f.dir, []string{"internal/testkit", "e2e", "scripts", "bench"}) {
			continue
		}
		for _, imp := range f.imports() {
			if imp == "testing" || imp == module+"/internal/testkit" {
				t.Errorf("%s imports %s: it would be linked into the binary that operators run", f.path, imp)
			}
		}
	}
}

// rank returns the layer of a folder: its own, or that of the nearest folder above it that has one.
func rank(dir string) (int, bool) {
	for ; dir != "."; dir = path.Dir(dir) {
		if n, ok := layer[dir]; ok {
			return n, true
		}
	}
	return 0, false
}

func within(dir string, list []string) bool {
	for _, d := range list {
		if dir == d || strings.HasPrefix(dir, d+"/") {
			return true
		}
	}
	return false
}
