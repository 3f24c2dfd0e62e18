package command

import (
	"math/bits"
	"slices"
	"strings"
)

// Traits are facts about a command that neither its flags nor its class say, as a set of bits.
type Traits uint32

// The traits. AllTraits says what each means and which commands have it.
const (
	TraitSubscribes Traits = 1 << iota
	TraitUnsubscribes
	TraitPublishes
	TraitPublishesToSelf
	TraitForSubscribers
	TraitActsInMulti
	TraitStateless
	TraitAsksFirst
	TraitRunsScripts
	TraitCarriesScripts
	TraitLoadsCode
	TraitBringsCode
	TraitEndsWaits
	TraitReplicates
	TraitChangesReply
	TraitTakenApart
	TraitShowsSecrets
	TraitCanLockOut
)

// Trait is one trait with what it means and the commands that have it.
type Trait struct {
	Bit      Traits
	Name     string
	Means    string // completes "A command with the trait …"
	Commands []string
}

// traits is in the order of the constants.
var traits = [...]Trait{
	{TraitSubscribes, "subscribes", "subscribes to messages, and is answered once for each name", []string{"subscribe", "psubscribe", "ssubscribe"}},
	{TraitUnsubscribes, "unsubscribes", "unsubscribes from messages, and is answered once for each name", []string{"unsubscribe", "punsubscribe", "sunsubscribe"}},
	{TraitPublishes, "publishes", "sends a message to a channel", []string{"publish", "spublish"}},
	{TraitPublishesToSelf, "publishes-to-self", "may send a message to its own client", []string{"publish", "spublish", "exec", "eval", "evalsha", "fcall"}},
	{TraitForSubscribers, "for-subscribers", "is allowed for a RESP2 client that has subscribed",
		[]string{"subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe", "ping", "quit", "reset"}},
	{TraitActsInMulti, "acts-in-multi", "acts at once after MULTI instead of being queued", []string{"multi", "exec", "discard", "watch", "quit", "reset"}},
	{TraitStateless, "stateless", "is answered by the proxy, and could be answered by any server", []string{"ping", "echo"}},
	{TraitAsksFirst, "asks-first", "is answered by the proxy after the proxy has asked other loops or servers",
		[]string{"client|list", "client|kill", "client|unblock", "cluster|countkeysinslot", "cluster|getkeysinslot"}},
	{TraitRunsScripts, "runs-scripts", "may keep a server busy with a script, so that it answers others with BUSY",
		[]string{"eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro", "exec"}},
	{TraitCarriesScripts, "carries-scripts", "is answered with text of a script, which may forge replies (ADR 13)",
		[]string{"eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro"}},
	{TraitLoadsCode, "loads-code", "is answered with text of the code that it loads or shows, which may forge replies (ADR 13)",
		[]string{"script|load", "function|load", "function|restore", "function|list", "debug"}},
	{TraitBringsCode, "brings-code", "sends code of the client to a server, or runs such code (`--deny-scripts`)",
		[]string{"eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro", "script|load", "script|debug", "function|load", "function|restore"}},
	{TraitEndsWaits, "ends-waits", "ends what other commands wait for, so it does not wait for them", []string{"script|kill", "function|kill", "client|unpause"}},
	{TraitReplicates, "replicates", "reaches replicas although its flags do not say that it writes (Redis 7.0, CMD_MAY_REPLICATE)",
		[]string{"publish", "spublish", "pfcount", "eval", "evalsha", "fcall"}},
	{TraitChangesReply, "changes-reply", "has its reply changed by the proxy, even in front of one server", []string{"info"}},
	{TraitTakenApart, "taken-apart", "has replies that take much longer to combine than to copy",
		[]string{"info", "slowlog|get", "commandlog|get", "acl|log", "latency|latest", "latency|history", "latency|histogram", "memory|stats", "function|stats"}},
	{TraitShowsSecrets, "shows-secrets", "is answered with secrets, which are left out unless `--admin-commands allow`", []string{"config|get", "module|list"}},
	{TraitCanLockOut, "can-lock-out", "could lock the proxy out of its servers; then it is refused", []string{"config|set", "acl|setuser", "acl|deluser", "acl|load"}},
}

// AllTraits lists the traits. The list is shared and must not be changed. Any goroutine.
func AllTraits() []Trait { return traits[:] }

// traitsOf returns the traits of the command with this name.
func traitsOf(name string) (t Traits) {
	for i := range traits {
		if slices.Contains(traits[i].Commands, name) {
			t |= traits[i].Bit
		}
	}
	return t
}

// Has reports whether all of the traits in want are set. Any goroutine.
func (t Traits) Has(want Traits) bool { return t&want == want }

// String lists the traits, separated by a blank. Any goroutine.
func (t Traits) String() string {
	var names []string
	for rest := uint32(t); rest != 0; rest &= rest - 1 {
		names = append(names, traits[bits.TrailingZeros32(rest)].Name)
	}
	return strings.Join(names, " ")
}
