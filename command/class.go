package command

// Class says how a command is routed.
type Class uint8

// The classes. "Whole" means that the words go to one server unchanged.
const (
	ClassSingle      Class = iota // one key: whole to its shard
	ClassSameShard                // several keys, which must be on one shard; no key: any shard
	ClassSplit                    // grouped per shard, Spec.WordsPerKey words for each key
	ClassAllShards                // whole to every shard
	ClassAnyShard                 // whole to any one shard
	ClassLocal                    // answered by the proxy
	ClassTransaction              // MULTI EXEC DISCARD WATCH UNWATCH
	ClassBlocking                 // waits on the server; keys as in ClassSameShard
	ClassPubSub                   // SUBSCRIBE, PUBLISH, PUBSUB and similar commands
	ClassPinned                   // leaves state on the connection: needs one of its own
	ClassScan                     // SCAN: walks shard after shard
	ClassNamedShard               // to the shard that the second word names
	ClassRefused                  // refused unless allowed; then Spec.IfAllowed is its class
)

var classNames = [...]string{
	"single", "same-shard", "split", "all-shards", "any-shard", "local", "transaction",
	"blocking", "pub-sub", "pinned", "scan", "named-shard", "refused",
}

// String names the class as in the documentation. Any goroutine.
func (c Class) String() string { return nameOf(classNames[:], uint8(c)) }

// Merge says how the replies of several shards become one reply.
type Merge uint8

// The ways to merge, after the response policies of Redis's command tips.
const (
	MergePass       Merge = iota // one server is asked; its reply is passed on
	MergeInKeyOrder              // elements are put back in the order of the request's keys
	MergeSum                     // integers are added, element by element for arrays
	MergeMin                     // the least integer, element by element for arrays
	MergeAnd                     // 1 where every shard says 1, element by element for arrays
	MergeAllEqual                // the reply of any if none failed, otherwise the error
	MergeOneOK                   // the first that is no error; if all failed, an error
	MergeConcat                  // elements of all arrays, one after the other
	MergeFirst                   // the reply of the first shard
	MergeRandom                  // one of the replies that are not nil, at random
	MergeTexts                   // texts one after the other, each under its server's name
	MergeSpecial                 // a rule of its own, by command
)

var mergeNames = [...]string{
	"pass", "in-key-order", "sum", "min", "and", "all-equal", "one-ok", "concat", "first",
	"random", "texts", "special",
}

// String names the merge as in the documentation. Any goroutine.
func (m Merge) String() string { return nameOf(mergeNames[:], uint8(m)) }

func nameOf(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "invalid"
}
