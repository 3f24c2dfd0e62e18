package archtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// widest is how many characters a line of prose may have. Much longer lines can't be compared side by side.
const widest = 112

// TestProseIsWrapped checks the documents for contributors, and those that a program makes or wraps. Tables, code and
// drawings may be wider.
func TestProseIsWrapped(t *testing.T) {
	files, err := filepath.Glob("../../docs/adr/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no ADRs: %v", err)
	}
	for _, file := range append(files, "../../ARCHITECTURE.md", "../../CONTRIBUTING.md", "../../README.md", "../../docs/deviations.md", "../../docs/migrating.md", "../../docs/operating.md",
		"../../docs/replicas.md", "../../docs/security.md", "../../docs/tested.md", "../../docs/configuration.md", "../../docs/metrics.md", "../../docs/reloading.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code := false
		for i, line := range strings.Split(string(text), "\n") {
			start := strings.TrimLeft(line, " ")
			if strings.HasPrefix(start, "```") {
				code = !code
			}
			if code || strings.HasPrefix(start, "|") || strings.HasPrefix(line, "    ") {
				continue
			}
			if n := utf8.RuneCountInString(line); n > widest {
				t.Errorf("%s:%d has %d characters", strings.TrimPrefix(file, "../../"), i+1, n)
			}
		}
	}
}
