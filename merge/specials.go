package merge

import "ringmaster/command"

// special is a merge that belongs to one command, with its words for the documentation.
type special struct {
	join  func(*Request, []byte) []byte
	words string
}

// specials are by command.
var specials = map[string]special{
	"scan":              {(*Request).joinScan, "shard after shard"},
	"info":              {(*Request).joinInfo, "figures added, the largest or computed anew, by their meaning"},
	"pubsub|numpat":     {(*Request).joinNumPat, "those of the proxy's clients, and the most others that a shard has"},
	"slowlog|get":       {(*Request).joinSlowLog, "the newest first, as many as asked for; what was for all shards is one entry"},
	"slowlog|len":       {(*Request).joinSlowLogLen, "as many as `SLOWLOG GET -1` gives"},
	"commandlog|get":    {(*Request).joinSlowLog, "the newest first, as many as asked for"},
	"acl|log":           {(*Request).joinACLLog, "the newest first, as many as asked for"},
	"latency|latest":    {(*Request).joinLatest, "of each event the latest and the longest of all"},
	"latency|history":   {(*Request).joinHistory, "in the order of time"},
	"latency|histogram": {(*Request).joinHistogram, "the buckets added, but of what is for all shards"},
	"memory|stats":      {(*Request).joinMemory, "figures added, ratios computed anew"},
	"role":              {(*Request).joinRole, "a primary with the replicas of all; a server that is none is the answer itself"},
	"function|stats":    {(*Request).joinFunctionStats, "the script that runs on any; libraries are the same on all"},
	"debug":             {(*Request).joinDebug, "one answer where all say the same, else texts under the servers' names; `DEBUG OBJECT` and other commands of a key to its shard"},
}

// Joins reports whether replies of several servers to the command make one: false only for a command of
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
		return "the least"
	case command.MergeAnd:
		return "1 where all say 1"
	case command.MergeAllEqual:
		return "one answer, or the first error"
	case command.MergeOneOK:
		return "the first that is no error"
	case command.MergeConcat:
		return "one after the other"
	case command.MergeRandom:
		return "one of them by chance"
	case command.MergeTexts:
		return "texts one behind the other, each under its server's name"
	case command.MergeSpecial:
		if s, ok := specials[spec.Name]; ok {
			return s.words
		}
		return "error: it describes one server"
	}
	return "the first's"
}
