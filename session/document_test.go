package session_test

import (
	"flag"
	"os"
	"testing"

	"ringmaster/session/dispatch"
)

var update = flag.Bool("update", false, "write docs/commands.md")

func TestCommandsDocumentIsCurrent(t *testing.T) {
	const file = "../docs/commands.md"
	if *update {
		if err := os.WriteFile(file, []byte(dispatch.Document()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil || string(have) != dispatch.Document() {
		t.Errorf("%s is not what the table says (%v); run scripts/gen-docs", file, err)
	}
}
