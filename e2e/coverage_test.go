package e2e

import (
	"strings"
	"testing"

	"ringmaster/internal/testkit"
)

func TestEveryServerCommandIsSentOrExcluded(t *testing.T) {
	known := commandsOf(t, testkit.Redis(t))
	gr := loadGrammar(t, known)
	sent := sentCommands(gr)
	for name := range known {
		if !sent[name] && !gr.excludes(name) {
			t.Errorf("%s is neither sent nor excluded in testdata/differential.txt", name)
		}
	}
	for name := range gr.excluded {
		if sent[name] && known[name] {
			t.Errorf("%s is sent, so it need not be excluded", name)
		}
	}
}

// commandsOf are the names of the commands and subcommands that a server has.
func commandsOf(t *testing.T, s *testkit.Server) map[string]bool {
	t.Helper()
	v, err := testkit.ParseValue([]byte(testkit.Dial(t, s.Addr).Do("COMMAND", "LIST")))
	if err != nil || len(v.Elems) < 200 {
		t.Fatalf("COMMAND LIST gave %d names, %v", len(v.Elems), err)
	}
	known := map[string]bool{}
	for _, e := range v.Elems {
		known[strings.ToLower(e.Text)] = true
	}
	return known
}

// sentCommands are the commands that forms begin with, and with their second word as
// the server names subcommands.
func sentCommands(gr *grammar) map[string]bool {
	sent := map[string]bool{}
	for _, f := range gr.forms {
		for _, seq := range f.seqs {
			words := leading(seq)
			if len(words) > 0 {
				sent[strings.ToLower(words[0])] = true
			}
			if len(words) > 1 {
				sent[strings.ToLower(words[0]+"|"+words[1])] = true
			}
		}
	}
	return sent
}

// leading are the literal words that n starts with.
func leading(n node) []string {
	alts, ok := n.(choice)
	if !ok || len(alts) != 1 {
		return nil
	}
	var words []string
	for _, part := range alts[0].(sequence) {
		w, ok := part.(literal)
		if !ok {
			return words
		}
		words = append(words, string(w))
	}
	return words
}
