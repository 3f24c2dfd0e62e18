// Command gen-commands makes command/table_gen.go from what live servers report about their commands.
//
//	go run ./scripts/gen-commands [--server PROGRAM]...
//
// It starts every server program given (default: redis-server and valkey-server where they are on the PATH) with
// nothing loaded or stored, asks it COMMAND and COMMAND DOCS, and writes the answers to
// command/testdata/servers/NAME-VERSION.json. Then it merges all files of that folder, so that a machine with only
// one server does not lose the answers of others. Run it from the top of the repository. --server "" asks no server
// and only merges, which is enough after a change of command/decisions.go.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"ringmaster/command"
)

const (
	folder = "command/testdata/servers"
	target = "command/table_gen.go"
)

// snapshot is one server's stored answer.
type snapshot struct {
	Server   string         `json:"server"` // "redis" or "valkey"
	Version  string         `json:"version"`
	Commands []command.Info `json:"commands"`
}

func (s snapshot) name() string { return s.Server + " " + s.Version }

func main() {
	servers := pflag.StringSlice("server", installed(), "server program to ask (repeatable)")
	pflag.Parse()
	if err := run(*servers); err != nil {
		fmt.Fprintln(os.Stderr, "gen-commands:", err)
		os.Exit(1)
	}
}

func installed() (found []string) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			found = append(found, path)
		}
	}
	return found
}

func run(servers []string) error {
	if _, err := os.Stat(filepath.Dir(target)); err != nil {
		return fmt.Errorf("run it from the top of the repository: %w", err)
	}
	for _, program := range servers {
		if program == "" {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		s, err := ask(ctx, program)
		cancel()
		if err != nil {
			return fmt.Errorf("asking %s: %w", program, err)
		}
		if err := store(s); err != nil {
			return err
		}
		fmt.Printf("%s: %d commands\n", s.name(), len(s.Commands))
	}
	snapshots, err := load()
	if err != nil {
		return err
	}
	source, err := render(withOwn(merge(snapshots)), snapshots)
	if err != nil {
		return err
	}
	return os.WriteFile(target, source, 0o644)
}

// store writes a snapshot, one command a line so that differences can be read.
func store(s snapshot) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	out := fmt.Appendf(nil, "{\"server\": %q, \"version\": %q, \"commands\": [", s.Server, s.Version)
	for i, c := range s.Commands {
		if i > 0 {
			out = append(out, ',')
		}
		line, err := json.Marshal(c)
		if err != nil {
			return err
		}
		out = append(append(out, '\n'), line...)
	}
	name := filepath.Join(folder, s.Server+"-"+s.Version+".json")
	return os.WriteFile(name, append(out, "\n]}\n"...), 0o644)
}

// load reads all snapshots: Redis before Valkey, each from old to new.
func load() ([]snapshot, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no server to ask and nothing in %s", folder)
	}
	var all []snapshot
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var s snapshot
		if err := json.Unmarshal(data, &s); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b snapshot) int {
		return cmp.Or(cmp.Compare(a.Server, b.Server), compareVersions(a.Version, b.Version))
	})
	return all, nil
}

func compareVersions(a, b string) int {
	var x, y [3]int
	fmt.Sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2])
	fmt.Sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2])
	return slices.Compare(x[:], y[:])
}
