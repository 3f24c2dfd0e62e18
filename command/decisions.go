package command

// Decision is one place where this package deviates from the servers' flags, keys and tips, or where they say
// nothing.
type Decision struct {
	Name   string // as Spec.Name
	Class  Class
	Merge  Merge
	Reason string
	// IfAllowed and Merge count when an operator allows a ClassRefused command.
	IfAllowed Class
}

// keywordFinders are the commands whose keys no key spec describes in full.
var keywordFinders = map[string]Finder{
	"sort":              FindSort,      // STORE may be anywhere, the last one counts
	"migrate":           FindMigrate,   // KEYS counts only when the third word is empty
	"georadius":         FindGeoRadius, // of STORE and STOREDIST the last one counts
	"georadiusbymember": FindGeoRadius, // as GEORADIUS
	"xread":             FindStreams,   // a stream option's value may read "streams"
	"xreadgroup":        FindStreams,   // so may the names of group and consumer
}

const (
	ownState     = "the proxy keeps this state of its clients itself"
	ownID        = "client IDs are the proxy's, not a server's"
	onConnection = "it leaves state on the connection"
	clusterNode  = "it is for clients that choose a cluster's node themselves; the proxy chooses for them"
	topology     = "it would change the servers behind the proxy for everybody"
	persistence  = "it starts a save on every server behind the proxy"
	users        = "it would change the servers' users, one of which the proxy logs in as"
	replication  = "it is for replicas, not for clients"
	perServer    = "its reply is a text about one server"
	newest       = "the newest entries of all shards, not of one"
	forgets      = "it deletes what other clients measure or look up"
	tellsUsers   = "it shows the servers' users, which are not the clients' users"
	hotKeys      = "it measures whole servers, and only one measurement can run at a time"
	selfTest     = "it is for developers of servers"
)

// Decisions lists the decisions. The list is shared and must not be changed. Any goroutine.
func Decisions() []Decision { return decisions[:] }

var decisions = [...]Decision{
	// Answered by the proxy.
	{Name: "ping", Class: ClassLocal, Reason: "it checks the proxy; for a client that tracks keys it goes to all servers, and their answers come after their invalidations"},
	{Name: "echo", Class: ClassLocal, Reason: "it has no key and needs no server"},
	{Name: "quit", Class: ClassLocal, Reason: "it is about the client's connection"},
	{Name: "hello", Class: ClassLocal, Reason: ownState},
	{Name: "auth", Class: ClassLocal, Reason: ownState},
	{Name: "select", Class: ClassLocal, Reason: ownState},
	{Name: "reset", Class: ClassLocal, Reason: ownState},
	{Name: "client|id", Class: ClassLocal, Reason: ownID},
	{Name: "client|setname", Class: ClassLocal, Reason: ownState},
	{Name: "client|getname", Class: ClassLocal, Reason: ownState},
	{Name: "client|setinfo", Class: ClassLocal, Reason: ownState},
	{Name: "client|info", Class: ClassLocal, Reason: ownState},
	{Name: "client|list", Class: ClassLocal, Reason: ownID},
	{Name: "client|kill", Class: ClassLocal, Reason: ownID},
	{Name: "client|unblock", Class: ClassLocal, Reason: ownID},
	{Name: "client|reply", Class: ClassLocal, Reason: "on a shared connection it would swallow other clients' replies"},
	{Name: "client|capa", Class: ClassLocal, Reason: "it announces redirects that the client can follow; the proxy follows redirects itself"},
	{Name: "acl|whoami", Class: ClassLocal, Reason: "the client's user is the proxy's, not a server's"},

	// Transactions. MULTI and EXEC have no flag or tip of their own.
	{Name: "multi", Class: ClassTransaction, Reason: "it opens a transaction"},
	{Name: "exec", Class: ClassTransaction, Reason: "it runs a transaction"},
	{Name: "discard", Class: ClassTransaction, Reason: "it drops a transaction"},
	{Name: "watch", Class: ClassTransaction, Reason: "it ties keys to the connection until EXEC"},
	{Name: "unwatch", Class: ClassTransaction, Reason: "it frees the keys of WATCH"},

	// Connections of their own.
	{Name: "client|tracking", Class: ClassPinned, Reason: onConnection},
	{Name: "client|trackinginfo", Class: ClassPinned, Reason: "it reads state of the connection"},
	{Name: "client|getredir", Class: ClassPinned, Reason: "it reads state of the connection"},
	{Name: "client|caching", Class: ClassPinned, Reason: onConnection},
	{Name: "client|no-evict", Class: ClassPinned, Reason: onConnection},
	{Name: "client|no-touch", Class: ClassPinned, Reason: onConnection},
	{Name: "client|import-source", Class: ClassPinned, Reason: onConnection},

	// Several shards.
	{Name: "scan", Class: ClassScan, Merge: MergeSpecial, Reason: "its cursor contains the number of the shard"},
	{Name: "randomkey", Class: ClassAllShards, Merge: MergeRandom, Reason: "a shard without keys must not hide keys of the others"},
	{Name: "config|get", Class: ClassAnyShard, Reason: "the shards have the same settings, so one answers for all; passwords are left blank unless `--admin-commands allow`"},
	{Name: "info.shard", Class: ClassNamedShard, Reason: "the proxy's own command, after Envoy's"},
	{Name: "lastsave", Class: ClassAllShards, Merge: MergeMin, Reason: "only writes up to the earliest save are saved on every shard"},
	{Name: "role", Class: ClassAllShards, Merge: MergeSpecial, Reason: "each shard has its own replicas"},
	{Name: "slowlog|len", Class: ClassAllShards, Merge: MergeSpecial, Reason: "it counts the entries of SLOWLOG GET -1"},
	{Name: "slowlog|get", Class: ClassAllShards, Merge: MergeSpecial, Reason: newest},
	{Name: "commandlog|get", Class: ClassAllShards, Merge: MergeSpecial, Reason: newest},
	{Name: "latency|doctor", Class: ClassAllShards, Merge: MergeTexts, Reason: perServer},
	{Name: "latency|graph", Class: ClassAllShards, Merge: MergeTexts, Reason: perServer},
	{Name: "memory|doctor", Class: ClassAllShards, Merge: MergeTexts, Reason: perServer},
	{Name: "memory|malloc-stats", Class: ClassAllShards, Merge: MergeTexts, Reason: perServer},
	{Name: "swapdb", Class: ClassAllShards, Merge: MergeAllEqual, Reason: "a database has the same number on every shard"},
	{Name: "msetnx", Class: ClassSameShard, Reason: "it sets all keys or none, so it cannot be split (Redis 7.0's tip said it could)"},
	{Name: "msetex", Class: ClassSameShard, Reason: "NX and XX mean all keys or none, so it cannot be split, whatever its tip says"},
	{Name: "script|debug", Class: ClassRefused, IfAllowed: ClassPinned, Reason: "it turns the connection into a debugger session"},

	// State of a connection to a cluster node.
	{Name: "asking", Class: ClassRefused, IfAllowed: ClassPinned, Reason: clusterNode},
	{Name: "readonly", Class: ClassRefused, IfAllowed: ClassPinned, Reason: clusterNode},
	{Name: "readwrite", Class: ClassRefused, IfAllowed: ClassPinned, Reason: clusterNode},

	// Refused: they act on whole servers or on the proxy's own connections.
	{Name: "shutdown", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: "it would stop every server behind the proxy"},
	{Name: "debug", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeSpecial, Reason: "it can crash or stall a server"},
	{Name: "replicaof", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: topology},
	{Name: "slaveof", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: topology},
	{Name: "failover", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: topology},
	{Name: "module|load", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: "it loads code into every server"},
	{Name: "module|loadex", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: "it loads code into every server"},
	{Name: "module|unload", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: "it removes code from every server"},
	{Name: "migrate", Class: ClassRefused, IfAllowed: ClassSameShard, Reason: "it moves keys to places where the proxy does not look for them"},
	{Name: "restore-asking", Class: ClassRefused, IfAllowed: ClassSingle, Reason: "it is for servers that move keys among themselves"},
	{Name: "sync", Class: ClassRefused, IfAllowed: ClassPinned, Reason: replication},
	{Name: "psync", Class: ClassRefused, IfAllowed: ClassPinned, Reason: replication},
	{Name: "replconf", Class: ClassRefused, IfAllowed: ClassPinned, Reason: replication},
	{Name: "save", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: persistence},
	{Name: "bgsave", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: persistence},
	{Name: "bgrewriteaof", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: persistence},
	{Name: "config|set", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: topology},
	{Name: "config|rewrite", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: topology},
	{Name: "config|resetstat", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: forgets},
	{Name: "slowlog|reset", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: forgets},
	{Name: "commandlog|reset", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: forgets},
	{Name: "latency|reset", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeSum, Reason: forgets},
	{Name: "hotkeys|start", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: hotKeys},
	{Name: "hotkeys|stop", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: hotKeys},
	{Name: "hotkeys|reset", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: hotKeys},
	{Name: "hotkeys|get", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeSpecial, Reason: hotKeys},
	{Name: "monitor", Class: ClassRefused, IfAllowed: ClassPinned, Reason: "it shows what all other clients send"},
	{Name: "pfdebug", Class: ClassRefused, IfAllowed: ClassSingle, Reason: selfTest},
	{Name: "pfselftest", Class: ClassRefused, IfAllowed: ClassAnyShard, Reason: selfTest},
	{Name: "trimslots", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: "it deletes the keys of slots"},
	{Name: "client|pause", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: "it would stop every client of the servers"},
	{Name: "client|unpause", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: "it undoes somebody else's CLIENT PAUSE"},
	{Name: "acl|setuser", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: users},
	{Name: "acl|deluser", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: users},
	{Name: "acl|load", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: users},
	{Name: "acl|list", Class: ClassRefused, IfAllowed: ClassAnyShard, Reason: tellsUsers},
	{Name: "acl|users", Class: ClassRefused, IfAllowed: ClassAnyShard, Reason: tellsUsers},
	{Name: "acl|getuser", Class: ClassRefused, IfAllowed: ClassAnyShard, Reason: tellsUsers},
	{Name: "acl|dryrun", Class: ClassRefused, IfAllowed: ClassAnyShard, Reason: tellsUsers},
	{Name: "acl|log", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeSpecial, Reason: tellsUsers},
	{Name: "acl|save", Class: ClassRefused, IfAllowed: ClassAllShards, Merge: MergeAllEqual, Reason: users},
}

// refusedCluster are the CLUSTER subcommands that change a cluster. All are refused for the same reason.
var refusedCluster = [...]string{
	"addslots", "addslotsrange", "bumpepoch", "cancelslotmigrations", "delslots", "delslotsrange",
	"failover", "flushslot", "flushslots", "forget", "meet", "migrateslots", "migration", "replicate", "reset",
	"saveconfig", "set-config-epoch", "setslot", "syncslots",
}

// decide applies the decision about s, if there is one.
func decide(s *Spec) {
	for i := range decisions {
		if d := &decisions[i]; d.Name == s.Name {
			s.Class, s.Merge, s.IfAllowed, s.Reason = d.Class, d.Merge, d.IfAllowed, d.Reason
		}
	}
	for _, sub := range refusedCluster {
		if s.Name == "cluster|"+sub {
			s.Class, s.IfAllowed, s.Reason = ClassRefused, ClassAnyShard, topology
		}
	}
	if s.Class != ClassSplit {
		s.WordsPerKey = 0
	}
}
