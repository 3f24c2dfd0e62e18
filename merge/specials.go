package merge

import "ringmaster/command"

// special is a merge for a single command, with words for the documentation.
type special struct {
	join  func(*Request, []byte) []byte
	words string
}

// specials are by command.
var specials = map[string]special{
	"scan":              {(*Request).joinScan, "shard after shard"},
	"info":              {(*Request).joinInfo, "each figure is added up, or the largest, or computed again, by its meaning"},
	"pubsub|numpat":     {(*Request).joinNumPat, "patterns of the proxy's clients, plus the largest number of other patterns on a shard"},
	"slowlog|get":       {(*Request).joinSlowLog, "the newest first, as many as requested; a command for all shards is one entry"},
	"slowlog|len":       {(*Request).joinSlowLogLen, "the number of entries of `SLOWLOG GET -1`"},
	"commandlog|get":    {(*Request).joinSlowLog, "the newest first, as many as requested"},
	"acl|log":           {(*Request).joinACLLog, "the newest first, as many as requested"},
	"latency|latest":    {(*Request).joinLatest, "for each event the latest and the longest of all shards"},
	"latency|history":   {(*Request).joinHistory, "in order of time"},
	"latency|histogram": {(*Request).joinHistogram, "the buckets are added up; commands for all shards count once"},
	"memory|stats":      {(*Request).joinMemory, "figures are added up, ratios computed again"},
	"role":              {(*Request).joinRole, "a primary with the replicas of all; if a server is not a primary, its own answer"},
	"function|stats":    {(*Request).joinFunctionStats, "the script that runs on any shard; libraries are the same on all"},
	"debug":             {(*Request).joinDebug, "one answer if all are the same, otherwise texts under the servers' names; `DEBUG OBJECT` and other commands with a key go to its shard"},
}

// Joins reports whether the replies of several servers to the command are joined. It is false only for a command of
// command.MergeSpecial that has no merge, because it describes one server. Any goroutine.
func Joins(spec *command.Spec) bool {
	_, ok := specials[spec.Name]
	return ok || spec.Merge != command.MergeSpecial
}

// Words says how several replies to the command become one, for the documentation. Any goroutine.
func Words(spec *command.Spec) string {
	if words := withoutMissing[spec.Name]; words != "" {
		return joinedBy(spec) + "; " + words
	}
	return joinedBy(spec)
}

func joinedBy(spec *command.Spec) string {
	switch spec.Merge {
	case command.MergeInKeyOrder:
		return "in the order of the keys"
	case command.MergeSum:
		return "summed"
	case command.MergeMin:
		return "the smallest number"
	case command.MergeAnd:
		return "1 where all answer 1"
	case command.MergeAllEqual:
		return "one answer, or the first error"
	case command.MergeOneOK:
		return "the first that is not an error"
	case command.MergeConcat:
		return "one after the other"
	case command.MergeRandom:
		return "one of them at random"
	case command.MergeTexts:
		return "texts one after the other, each under its server's name"
	case command.MergeSpecial:
		if s, ok := specials[spec.Name]; ok {
			return s.words
		}
		return "error: it describes one server"
	}
	return "the first's"
}
