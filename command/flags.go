package command

import (
	"math/bits"
	"strings"
)

// Flags is the set of properties that the servers report for a command. If servers differ it is the union, so that
// the restrictions of all of them are known.
type Flags uint32

// The flags of COMMAND (Redis 7.0 names in String), then two taken from the command tips.
const (
	FlagWrite Flags = 1 << iota
	FlagReadOnly
	FlagDenyOOM
	FlagAdmin
	FlagPubSub
	FlagNoScript
	FlagBlocking
	FlagLoading
	FlagStale
	FlagSkipMonitor
	FlagSkipSlowlog // Valkey: skip_commandlog
	FlagAsking
	FlagFast
	FlagNoAuth
	FlagMovableKeys
	FlagNoMandatoryKeys
	FlagNoMulti
	FlagAllowBusy
	FlagNoAsyncLoading
	FlagModule
	FlagNondeterministic // tips nondeterministic_output and nondeterministic_output_order
	FlagAllNodes         // tip request_policy:all_nodes: replicas are asked too
)

// flagNames is in the order of the constants.
var flagNames = [...]string{
	"write", "readonly", "denyoom", "admin", "pubsub", "noscript", "blocking", "loading", "stale",
	"skip_monitor", "skip_slowlog", "asking", "fast", "no_auth", "movablekeys",
	"no_mandatory_keys", "no_multi", "allow_busy", "no_async_loading", "module",
	"nondeterministic", "all_nodes",
}

// Has reports whether all of the flags in want are set. Any goroutine.
func (f Flags) Has(want Flags) bool { return f&want == want }

// String lists the flags in the servers' words, separated by a blank. Any goroutine.
func (f Flags) String() string {
	var names []string
	for rest := uint32(f); rest != 0; rest &= rest - 1 {
		names = append(names, flagNames[bits.TrailingZeros32(rest)])
	}
	return strings.Join(names, " ")
}

// parseFlag returns the bit of a flag in the servers' words, 0 if it is not known.
func parseFlag(name string) Flags {
	if name == "skip_commandlog" {
		return FlagSkipSlowlog
	}
	for i, n := range flagNames {
		if n == name {
			return 1 << i
		}
	}
	return 0
}
