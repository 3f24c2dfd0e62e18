package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// findPeers looks for every peer's program and records versions and absences in r. A requested peer must be there,
// and so must our own programs unless other peers were requested.
func findPeers(o *options, r *Record) (chosen []peer, binaries map[string]string, err error) {
	named := map[string]bool{}
	for _, n := range o.peers {
		named[n] = true
	}
	binaries = map[string]string{}
	r.Skipped = map[string]string{}
	r.Versions = map[string]string{"redis-server": versionLine("redis-server", "--version"), "redis-benchmark": versionLine("redis-benchmark", "--version")}
	for _, p := range peers {
		if (len(o.peers) > 0 || p.asked) && !named[p.name] {
			continue
		}
		delete(named, p.name)
		if p.find != nil {
			binary, err := p.find(o)
			if err != nil && (len(o.peers) > 0 || p.name == ringmaster || p.name == limit) {
				return nil, nil, fmt.Errorf("%s: %w", p.name, err)
			}
			if err != nil {
				r.Skipped[p.name] = firstLine(err.Error())
				continue
			}
			binaries[p.name] = binary
			r.Versions[p.name] = p.version(binary)
		}
		chosen = append(chosen, p)
		r.Peers = append(r.Peers, p.name)
	}
	for n := range named {
		if n != "" {
			return nil, nil, fmt.Errorf("there is no peer %q", n)
		}
	}
	return chosen, binaries, nil
}

func installed(name string) func(*options) (string, error) {
	return func(*options) (string, error) { return exec.LookPath(name) }
}

func fromEnvironment(name string) func(*options) (string, error) {
	return func(*options) (string, error) {
		binary := os.Getenv(name)
		if binary == "" {
			return "", fmt.Errorf("$%s does not name a binary", name)
		}
		return exec.LookPath(binary)
	}
}

func envoyVersion(binary string) string {
	line := versionLine(binary, "--version") // …/envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL
	if _, rest, ok := strings.Cut(line, "version: "); ok {
		if parts := strings.Split(rest, "/"); len(parts) > 1 {
			return parts[1]
		}
	}
	return line
}

// buildRingmaster compiles the proxy unless a binary was named.
func (o *options) buildRingmaster() (string, error) {
	if o.ringmaster != "" {
		return exec.LookPath(o.ringmaster)
	}
	return o.build("ringmaster/cmd/ringmaster")
}

func (o *options) buildLimit() (string, error) { return o.build("ringmaster/bench/limit") }

func (o *options) build(program string) (string, error) {
	binary := filepath.Join(o.dir, path.Base(program))
	out, err := exec.Command("go", "build", "-o", binary, program).CombinedOutput()
	if err != nil {
		return "", errors.New(program + " does not build\n" + strings.TrimSpace(string(out)))
	}
	return binary, nil
}
