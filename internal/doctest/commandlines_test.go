package doctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

func TestCommandLinesInDocumentsAreRight(t *testing.T) {
	files := settingsFiles(t)
	targets := makeTargets(t)
	for _, b := range blocks(t, "sh") {
		for i, line := range b.body {
			line, _, _ = strings.Cut(line, " #")
			words := split(line)
			for len(words) > 0 && assignment.MatchString(words[0]) {
				words = words[1:]
			}
			if len(words) == 0 || strings.HasPrefix(words[0], "#") {
				continue
			}
			if problem := judge(t, words, files, targets); problem != "" {
				t.Errorf("%s:%d: %s: %s", b.path, b.line+1+i, strings.TrimSpace(line), problem)
			}
		}
	}
}

var (
	assignment = regexp.MustCompile(`^[A-Z_]+=`)
	word       = regexp.MustCompile(`'[^']*'|[^\s']+`)
)

// split breaks a line into words at blanks; single quotes keep a word together.
func split(line string) (words []string) {
	for _, w := range word.FindAllString(line, -1) {
		words = append(words, strings.Trim(w, "'"))
	}
	return words
}

// judge returns the problem of a command line, or "".
func judge(t *testing.T, words []string, files map[string]string, targets map[string]bool) string {
	t.Helper()
	switch name := words[0]; {
	case name == "ringmaster" || name == "bin/ringmaster":
		return check(t, words[1:], files)
	case name == "make":
		for _, target := range words[1:] {
			if !assignment.MatchString(target) && !targets[target] {
				return "the Makefile has no target " + target
			}
		}
	case strings.HasPrefix(name, "scripts/") || name == ".ci/run":
		info, err := os.Stat(filepath.Join(root(t), name))
		if err != nil || info.Mode()&0o111 == 0 {
			return "no such script"
		}
	case name == "go":
		for _, w := range words[1:] {
			if _, err := os.Stat(filepath.Join(root(t), strings.TrimSuffix(w, "/..."))); strings.HasPrefix(w, "./") && err != nil {
				return "no folder " + w
			}
		}
	case name == "git", name == "kill", name == "curl":
	default:
		return "the test does not know this command; teach it or leave it out"
	}
	return ""
}

// check runs a command line as "ringmaster check", which starts nothing.
func check(t *testing.T, args []string, files map[string]string) string {
	t.Helper()
	switch {
	case len(args) > 0 && args[0] == "version":
	case len(args) > 0 && args[0] == "demo":
		args = append([]string{"check", "--upstream", "127.0.0.1:1"}, args[1:]...)
	case len(args) == 0 || args[0] != "check":
		args = append([]string{"check"}, args...)
	}
	for i, a := range args {
		if path, ok := files[a]; ok {
			args[i] = path
		}
	}
	out, err := exec.Command(testkit.Ringmaster(t), args...).CombinedOutput()
	if err != nil {
		return string(out)
	}
	return ""
}

var (
	firstLine = regexp.MustCompile(`^# (/\S+)$`)
	secret    = regexp.MustCompile(`/etc/ringmaster/[a-z-]*password`)
)

// reference is the document whose first YAML block is the whole file that its command lines name.
const reference, referenceFile = "docs/configuration.md", "ringmaster.yaml"

// settingsFiles writes every YAML block that is a whole file, a password file and certificates to a new folder. Such a block
// begins with a comment that has its path. The keys are the paths in the documents.
func settingsFiles(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	ca := testkit.NewCA(t)
	cert := ca.Issue("proxy")
	files := map[string]string{
		"/etc/ringmaster/password": password, "/etc/ringmaster/tls.crt": cert.CertFile, "/etc/ringmaster/tls.key": cert.KeyFile,
		"/etc/ringmaster/clients.crt": ca.File,
	}
	if err := os.WriteFile(password, []byte("battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks(t, "yaml") {
		name := referenceFile
		if m := firstLine.FindStringSubmatch(b.body[0]); m != nil {
			name = m[1]
		} else if b.path != reference || files[name] != "" {
			continue // examples of one setting, which control/config reads
		}
		text := secret.ReplaceAllString(strings.Join(b.body, "\n"), password)
		path := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files[name] = path
	}
	return files
}

func TestSettingsFilesInDocumentsAreRight(t *testing.T) {
	n := 0
	for name, path := range settingsFiles(t) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		n++
		if problem := check(t, []string{"--config", path}, nil); problem != "" {
			t.Errorf("%s: %s", name, problem)
		}
	}
	if n == 0 {
		t.Error("no document shows a whole file")
	}
}

func makeTargets(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9-]+):.*## `).FindAllStringSubmatch(string(text), -1) {
		targets[m[1]] = true
	}
	return targets
}
