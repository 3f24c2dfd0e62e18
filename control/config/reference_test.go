package config

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated documents anew")

const referenceFile = "../../docs/configuration.md"

func TestReferenceIsCurrent(t *testing.T) {
	if *update {
		if err := os.WriteFile(referenceFile, []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Reference(), string(text)); diff != "" {
		t.Errorf("not what the table says; run scripts/gen-docs\n%s", diff)
	}
}

func TestEveryExampleInTheReferenceIsRight(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(Reference(), -1)
	if len(blocks) != len(Settings())+1 {
		t.Errorf("%d examples for %d settings and one file", len(blocks), len(Settings()))
	}
	for _, b := range blocks {
		var ps Problems
		got := parseFile("example", []byte(b[1]), &ps)
		if len(ps) > 0 || len(got) == 0 {
			t.Errorf("%s%v", b[1], ps)
		}
	}
}

func TestTheWholeFileInTheReferenceLoads(t *testing.T) {
	_, rest, _ := strings.Cut(Reference(), "```yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	secret := write(t, "secret", "x\n")
	text = regexp.MustCompile(`/etc/ringmaster/[a-z-]+`).ReplaceAllString(text, secret)
	c := mustLoad(t, []string{"--config", write(t, "r.yaml", text)})
	if len(c.Upstream) != 3 || c.Password.Reveal() != "x" {
		t.Errorf("%+v", c)
	}
}
