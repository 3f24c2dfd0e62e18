package dispatch

import (
	"fmt"
	"slices"
	"strings"

	"ringmaster/command"
	"ringmaster/merge"
	"ringmaster/session/facade"
)

// Document returns docs/commands.md, which says what becomes of every command of the table. Any goroutine.
func Document() string {
	var b strings.Builder
	b.WriteString(documentHead)
	groups := map[string][]*command.Spec{}
	var order []string
	for _, s := range command.All() {
		if s.Subs > 0 {
			continue // its subcommands are listed
		}
		if groups[s.Group] == nil {
			order = append(order, s.Group)
		}
		groups[s.Group] = append(groups[s.Group], s)
	}
	slices.Sort(order)
	for _, g := range order {
		fmt.Fprintf(&b, "\n## %s\n\n| command | since | one server | several servers | a Redis Cluster | why |\n|---|---|---|---|---|---|\n", g)
		for _, s := range groups[g] {
			one, several := handling(s, localHandlers[s.ID] != nil)
			cluster := handlingInCluster(s, several)
			if facade.Handlers[s.ID] != nil {
				several, cluster = "answered by the proxy, as a node of a cluster", "the same"
				one += "; with `--cluster-facade on` " + several
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", shown(s.Name), s.Since, one, several, cluster, s.Reason)
		}
	}
	b.WriteString(traitsHead)
	for _, t := range command.AllTraits() {
		var names []string
		for _, name := range t.Commands {
			names = append(names, "`"+shown(name)+"`")
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", t.Name, t.Means, strings.Join(names, " "))
	}
	return b.String()
}

// traitsHead begins the list of traits.
const traitsHead = `
## Traits

Traits are facts about commands that servers do not report, and that decide what the proxy does with a command. A command with the trait …

| trait | meaning | commands |
|---|---|---|
`

// shown returns a command's name as clients write it.
func shown(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "|", " ")) }

// handling describes what becomes of a command in front of one server and of several.
func handling(s *command.Spec, local bool) (one, several string) {
	if local {
		return "answered by the proxy", "the same"
	}
	switch s.Class {
	case command.ClassSingle:
		return "passed on", "to the key's shard"
	case command.ClassSameShard:
		return "passed on", "to the keys' shard, otherwise `CROSSSLOT`"
	case command.ClassSplit:
		return "passed on", "one part for each shard; " + merge.Words(s)
	case command.ClassAllShards:
		return "passed on", "to all shards; " + merge.Words(s)
	case command.ClassScan:
		return "passed on", merge.Words(s)
	case command.ClassNamedShard:
		return "`INFO` of the server: `INFO.SHARD 0 [section ...]`", "`INFO` of the shard with that number, from 0, or that server's name"
	case command.ClassAnyShard:
		return "passed on", "to one shard"
	case command.ClassTransaction:
		return "a transaction", "a transaction on one shard"
	case command.ClassBlocking:
		if s.ID == command.IDWait || s.ID == command.IDWaitaof {
			return "on a dedicated connection", "the same, at all shards; the smallest number"
		}
		return "on a dedicated connection", "the same, on the keys' shard, otherwise `CROSSSLOT`"
	case command.ClassPubSub:
		if s.Traits.Has(command.TraitPublishes) {
			return "passed on; counts clients", "the same, to the channel's shard"
		}
		return "pub/sub: shared subscriptions", "the same: channels by name, patterns on all shards"
	case command.ClassPinned:
		return "from then on the client uses a dedicated connection", "from then on the client uses dedicated connections to all shards"
	case command.ClassRefused:
		if s.IfAllowed == command.ClassAllShards {
			return "`NOPERM`, unless `--admin-commands allow`", "the same; if allowed, to all shards; " + merge.Words(s)
		}
		return "`NOPERM`, unless `--admin-commands allow`", "the same"
	}
	return "error: not supported", "the same"
}

// handlingInCluster says what is different in front of a Redis Cluster.
func handlingInCluster(s *command.Spec, several string) string {
	switch s.ID {
	case command.IDSelect:
		return "only database 0, because the nodes refuse others"
	case command.IDMove, command.IDSwapdb:
		return "the nodes refuse it"
	case command.IDPsubscribe, command.IDPunsubscribe:
		return "the same, but patterns on one primary, because the nodes forward messages to each other; on all primaries if the pattern may match key events"
	case command.IDSsubscribe, command.IDSunsubscribe, command.IDSpublish:
		return "the same, at the primary of the channel's slot"
	case command.IDPublish:
		return "the same, to one primary, because the nodes forward messages to each other"
	}
	switch s.Class {
	case command.ClassSingle:
		return "to the primary of the key's slot"
	case command.ClassSameShard:
		return "to the primary of the keys' slot, otherwise `CROSSSLOT`"
	case command.ClassSplit:
		return "one part for each slot; " + merge.Words(s)
	case command.ClassTransaction:
		return "a transaction in one slot"
	case command.ClassAllShards, command.ClassScan, command.ClassNamedShard, command.ClassPinned, command.ClassBlocking:
		return strings.NewReplacer("all shards", "all primaries", "keys' shard", "primary of the keys' slot", "shard", "primary").Replace(several)
	}
	return "the same"
}

const documentHead = `# Commands

<!-- Made from the command table and the session's handlers; do not edit. To make it again: scripts/gen-docs -->

This is what the proxy does with every command and subcommand of Redis 7.0, Redis 8 and Valkey 9,
and with its own. "Since" is the version that introduced the command, in the numbering of the first
of these servers that has it. A server that lacks a command says so itself.

If a command is not in this list, such as a module's command, the proxy asks a server about it once
(` + "`COMMAND INFO`" + `), and sends it to the server that has its keys. Without
` + "`--admin-commands allow`" + ` such a command is ` + "`NOPERM`" + ` if the server calls it admin or dangerous.
It is also ` + "`NOPERM`" + ` if the server forbids it in scripts and it is not a module's.

Operators can refuse more commands with ` + "`--deny-commands`" + `, and give commands other names with
` + "`--rename-command`" + `.
`
