package config

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

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
	if len(blocks) != len(Settings())+2 {
		t.Errorf("%d examples for %d settings and two files", len(blocks), len(Settings()))
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
	c := loadExample(t, text)
	if len(c.Upstream) != 3 || c.Password.Reveal() != "x" {
		t.Errorf("%+v", c)
	}
}

// loadExample loads a file of the reference, with a password file that exists.
func loadExample(t *testing.T, text string) *Config {
	t.Helper()
	text = regexp.MustCompile(`/etc/ringmaster/[a-z-]*password`).ReplaceAllString(text, write(t, "secret", "x\n"))
	return mustLoad(t, []string{"--config", write(t, "r.yaml", text)})
}

func TestTheFileWithListenersAndUpstreamsInTheReferenceLoads(t *testing.T) {
	_, rest, _ := strings.Cut(Reference(), "```yaml\n# /etc/ringmaster/several.yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	c := loadExample(t, text)
	if len(c.Listeners) != 2 || c.Listeners[0].Name != "public" || c.Listeners[0].Upstream != "cache" || c.Listeners[1].Password.Reveal() != "x" ||
		!c.Listeners[1].AdminCommands || c.Listeners[0].AdminCommands {
		t.Errorf("%+v", c.Listeners)
	}
	if len(c.Upstreams) != 2 || c.Upstreams[0].Timeout != 2*time.Second || c.Upstreams[1].Timeout != time.Second/2 ||
		c.Upstreams[1].UpstreamPassword.Reveal() != "x" || c.Upstreams[0].UpstreamPassword != "" || c.Upstreams[1].Topology != Cluster {
		t.Errorf("%+v", c.Upstreams)
	}
}
