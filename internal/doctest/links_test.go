package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ringmaster/control/config"
)

// made are files of a release that a clone of another commit may lack.
var made = map[string]string{"BENCHMARKS.md": "written by scripts/bench-compare report"}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	flag    = regexp.MustCompile("`--([a-z0-9-]+)[^`]*`")
)

func TestLinksLeadSomewhere(t *testing.T) {
	for _, d := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(d.prose(), -1) {
			file, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(file, "://") || made[file] != "" {
				continue
			}
			target := d.path
			if file != "" {
				target = filepath.Join(filepath.Dir(d.path), file)
			}
			text, err := os.ReadFile(filepath.Join(root(t), target))
			if info, statErr := os.Stat(filepath.Join(root(t), target)); err != nil && (statErr != nil || !info.IsDir()) {
				t.Errorf("%s links %s, which does not exist", d.path, m[1])
			}
			if anchor != "" && !anchors(string(text))[anchor] {
				t.Errorf("%s links %s: no such heading", d.path, m[1])
			}
		}
	}
}

// anchors returns the names that GitHub gives to the headings of text.
func anchors(text string) map[string]bool {
	names := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		name := strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")
		names[regexp.MustCompile(`[^\w-]`).ReplaceAllString(name, "")] = true
	}
	return names
}

// others are flags in the documents that are not settings of the proxy.
var others = map[string]string{
	"help": "of every command", "version": "of the root command", "connect": "of check", "print": "of check",
	"concurrency": "of Envoy",
}

func TestFlagsInDocumentsExist(t *testing.T) {
	known := map[string]bool{"config": true}
	for _, s := range config.Settings() {
		known[s.Name] = true
	}
	for _, d := range documents(t) {
		for _, m := range flag.FindAllStringSubmatch(d.prose(), -1) {
			if !known[m[1]] && others[m[1]] == "" {
				t.Errorf("%s names --%s, which is no flag", d.path, m[1])
			}
		}
	}
}
