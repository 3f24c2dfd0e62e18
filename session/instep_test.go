package session_test

import (
	"testing"

	"ringmaster/command"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/dispatch"
	"ringmaster/shard"
)

// answersOnce are the commands that go over shared connections although their flags or their group say that they might wait, push
// or be about a connection, and why each answers exactly once and leaves nothing behind (docs/adr/0013-staying-in-step.md).
var answersOnce = map[string]string{
	"client":         "without a subcommand it is an error",
	"client|help":    "a list of texts",
	"client|pause":   "it is about the server's clients; the server answers at once",
	"client|unpause": "as CLIENT PAUSE",
	"info.shard":     "it is sent as INFO",
	"pubsub":         "without a subcommand it is an error",
	"pubsub|help":    "a list of texts",
	"restore-asking": "it is ASKING and RESTORE in one, with one reply",
	"save":           "the server stands still, and answers when it is done",
	"shutdown":       "an error is its only reply; otherwise the connection ends",
	"xread":          "with BLOCK it is a blocking command: command.Spec.Blocks",
	"xreadgroup":     "as XREAD",
}

// shares reports whether commands of a class go over a connection that clients share.
func shares(c command.Class) bool {
	switch c {
	case command.ClassSingle, command.ClassSameShard, command.ClassSplit, command.ClassAnyShard, command.ClassAllShards,
		command.ClassScan, command.ClassNamedShard:
		return true
	}
	return false
}

// suspicious reports whether a command may answer more or less than once, wait, push, or leave state on its connection.
func suspicious(s *command.Spec) bool {
	if s.Flags&(command.FlagBlocking|command.FlagPubSub|command.FlagNoMulti|command.FlagNoAuth|command.FlagAsking) != 0 {
		return true
	}
	switch s.Group {
	case "connection", "pubsub", "transactions":
		return true
	}
	return false
}

func TestWhatSharesAConnectionAnswersOnce(t *testing.T) {
	rules := dispatch.NewRules(session.Config{AdminCommands: true}, shard.ReadPrimary)
	seen := map[string]bool{}
	for i, spec := range command.All() {
		if !shares(rules.Class(uint16(i))) || !suspicious(spec) {
			continue
		}
		seen[spec.Name] = true
		if answersOnce[spec.Name] == "" {
			t.Errorf("%s goes over shared connections, is of group %q and has the flags %v: say in answersOnce why it answers exactly once, or decide otherwise",
				spec.Name, spec.Group, spec.Flags)
		}
	}
	for name := range answersOnce {
		if !seen[name] {
			t.Errorf("%s is explained and need not be", name)
		}
	}
}

// A command that the table lacks may be anything: a fence follows each, and none that waits or subscribes is sent as if it did not.
func TestCommandsThatTheTableLacksAreFenced(t *testing.T) {
	if dispatch.NewRules(session.Config{}, shard.ReadPrimary).Carrier(uint16(command.OtherID)) == 0 {
		t.Error("no fence follows what the table lacks")
	}
	for _, flag := range []string{"blocking", "pubsub"} {
		for _, arity := range []int{-1, 1, 2} {
			for _, keys := range []command.Info{{}, {First: 1, Last: 1, Step: 1}, {First: 1, Last: -1, Step: 1}} {
				in := keys
				in.Name, in.Arity, in.Flags = "x.y", arity, []string{flag}
				if spec := command.NewSpec(in); shares(spec.Class) {
					t.Errorf("a command with the flag %s, arity %d and keys %d to %d is sent over a shared connection", flag, arity, in.First, in.Last)
				}
			}
		}
	}
}

// What runs scripts, or loads them, is of the group scripting.
func TestEverythingThatRunsScriptsIsFenced(t *testing.T) {
	rules := dispatch.NewRules(session.Config{}, shard.ReadPrimary)
	for i, spec := range command.All() {
		if spec.Group == "scripting" && shares(spec.Class) && rules.Carrier(uint16(i)) == 0 && harmlessScripting[spec.Name] == "" {
			t.Errorf("%s is of the group scripting, and no fence follows it: say in harmlessScripting why none need", spec.Name)
		}
	}
}

// TestPoolKnowsWhatMayRunAScript by what it carries, and by EXEC's place in a transaction.
func TestPoolKnowsWhatMayRunAScript(t *testing.T) {
	rules := dispatch.NewRules(session.Config{}, shard.ReadPrimary)
	for i, spec := range command.All() {
		runs := spec.Traits.Has(command.TraitRunsScripts) && spec.ID != command.IDExec
		if carries := rules.Carrier(uint16(i))&pool.Scripts != 0; carries != runs {
			t.Errorf("%s carries scripts: %t, runs them: %t", spec.Name, carries, runs)
		}
	}
}

// harmlessScripting are commands of the group scripting that repeat nothing of what a client has written.
var harmlessScripting = map[string]string{
	"function":        "without a subcommand it is an error",
	"function|delete": "its errors are fixed texts",
	"function|dump":   "a bulk string",
	"function|flush":  "its errors are fixed texts",
	"function|help":   "a list of texts",
	"function|kill":   "its errors are fixed texts",
	"function|stats":  "bulk strings",
	"script":          "without a subcommand it is an error",
	"script|exists":   "integers",
	"script|flush":    "its errors are fixed texts",
	"script|help":     "a list of texts",
	"script|kill":     "its errors are fixed texts",
	"script|show":     "a bulk string",
}
