package doctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ringmaster/command"
	"ringmaster/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

// demo starts `ringmaster demo` and returns its port.
func demo(t *testing.T) int {
	t.Helper()
	port := testkit.FreePort(t)
	var out strings.Builder
	cmd := exec.Command(testkit.Ringmaster(t), "demo", "--listen", testkit.Loopback(port), "--admin", "", "--loops", "1")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	if !testkit.Eventually(testkit.Patience, func() bool { return testkit.Answers(testkit.Loopback(port)) }) {
		t.Fatal("the demo does not answer")
	}
	return port
}

// TestConsoleSessionsPrintWhatTheyShow runs the blocks of each document in order against one demo.
func TestConsoleSessionsPrintWhatTheyShow(t *testing.T) {
	dir := filepath.Dir(testkit.Need(t, "redis-cli"))
	port := strconv.Itoa(demo(t))
	for _, b := range blocks(t, "console") {
		for line, want := range prompts(b) {
			cmd := exec.Command("sh", "-c", strings.ReplaceAll(b.body[line][2:], "6380", port))
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
			got, err := cmd.CombinedOutput()
			if err != nil || strings.TrimRight(string(got), "\n") != want {
				t.Errorf("%s:%d: %s\ngot  %q, %v\nwant %q", b.path, b.line+1+line, b.body[line], got, err, want)
			}
		}
	}
}

// prompts returns the lines of b that begin with "$ ", in order, each with the lines that follow it.
func prompts(b block) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for i := 0; i < len(b.body); {
			end := i + 1
			for end < len(b.body) && !strings.HasPrefix(b.body[end], "$ ") {
				end++
			}
			if !yield(i, strings.Join(b.body[i+1:end], "\n")) {
				return
			}
			i = end
		}
	}
}

// The proxy's own texts for what it does not do. miniredis behind the demo has no such texts.
const (
	notYet  = "is not supported by this version of ringmaster"
	refused = "-NOPERM"
)

// deviations is the document that lists commands by how they are handled.
const deviations = "docs/deviations.md"

func TestListedCommandsAreAnsweredAsTheDocumentSays(t *testing.T) {
	text := readDocument(t, deviations).text
	addr := testkit.Loopback(demo(t))
	for _, name := range named(t, text, "## Commands over several servers", "## Refused commands", 2) {
		if reply := ask(t, addr, name); strings.Contains(reply, notYet) || strings.HasPrefix(reply, refused) ||
			command.Lookup([]byte(split(name)[0])) == nil {
			t.Errorf("%s says that %s works: %s", deviations, name, reply)
		}
	}
	for _, name := range named(t, text, "## Refused commands", "and their like", 0) {
		if reply := ask(t, addr, name); !strings.HasPrefix(reply, refused) && name != "NOPERM" {
			t.Errorf("%s says that %s is refused: %s", deviations, name, reply)
		}
	}
}

var span = regexp.MustCompile("`([A-Z][^`]*)`")

// named are the commands in code spans between two marks: in one column of a table, or anywhere when column is 0.
func named(t *testing.T, text, from, to string, column int) (names []string) {
	t.Helper()
	_, rest, found := strings.Cut(text, from)
	part, _, closed := strings.Cut(rest, to)
	if !found || !closed {
		t.Fatalf("%s lacks %q, or %q after it", deviations, from, to)
	}
	for _, line := range strings.Split(part, "\n") {
		if column > 0 {
			cells := strings.Split(line, "|")
			if len(cells) <= column {
				continue
			}
			line = cells[column]
		}
		for _, m := range span.FindAllStringSubmatch(line, -1) {
			names = append(names, m[1])
		}
	}
	if len(names) < 5 {
		t.Fatalf("only %q between %q and %q", names, from, to)
	}
	return names
}

// ask sends a command, with words added up to its arity, over a new connection.
func ask(t *testing.T, addr, line string) string {
	t.Helper()
	words := split(line)
	for need := arity(words); len(words) < need; {
		words = append(words, "k")
	}
	c := testkit.Dial(t, addr)
	defer c.Close()
	reply, err := c.Call(words...)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return reply
}

// arity is the fewest words of a command; 0 when it is unknown.
func arity(words []string) int {
	s := command.Lookup([]byte(words[0]))
	if s != nil && s.HasSubs() && len(words) > 1 {
		s = s.Sub([]byte(words[1]))
	}
	if s == nil {
		return 0
	}
	return max(s.Arity, -s.Arity)
}
