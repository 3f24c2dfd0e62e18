package command

import (
	"strings"
	"testing"
)

// TestRoutes checks the routes of the most important commands.
func TestRoutes(t *testing.T) {
	routes := map[string]string{
		"single pass": "get set incr hset lpush sadd zadd xadd geoadd pfadd bitfield object|encoding memory|usage xgroup|create xinfo|stream sscan dump restore expire hgetex substr",
		"same-shard pass": `msetnx msetex rename copy sinterstore zunionstore zinter lmpop pfcount pfmerge bitop lcs
			eval evalsha eval_ro fcall fcall_ro sort sort_ro xread xreadgroup georadius geosearchstore rpoplpush smove`,
		"split in-key-order":   "mget",
		"split all-equal":      "mset",
		"split sum":            "del unlink exists touch",
		"all-shards sum":       "dbsize",
		"all-shards min":       "lastsave",
		"all-shards texts":     "latency|doctor latency|graph memory|doctor memory|malloc-stats",
		"named-shard pass":     "info.shard",
		"all-shards all-equal": "flushall flushdb script|load script|flush function|load function|flush function|delete function|restore swapdb",
		"all-shards and":       "script|exists",
		"all-shards one-ok":    "script|kill function|kill",
		"all-shards concat":    "keys",
		"all-shards random":    "randomkey",
		"all-shards special":   "info function|stats memory|stats latency|latest latency|history latency|histogram slowlog|get slowlog|len role",
		"scan special":         "scan",
		"any-shard pass":       "config|get time lolwut command command|count command|docs command|getkeys command|info function|list function|dump cluster|info",
		"local pass":           "ping echo quit hello auth select reset client|id client|setname client|getname client|setinfo client|info client|list client|kill client|reply",
		"transaction pass":     "multi exec discard watch unwatch",
		"blocking pass":        "blpop brpop blmove brpoplpush blmpop bzmpop bzpopmin bzpopmax",
		"blocking min":         "wait waitaof",
		"pub-sub pass":         "subscribe psubscribe unsubscribe punsubscribe publish ssubscribe sunsubscribe spublish pubsub|channels",
		"pinned pass":          "client|tracking client|caching client|no-evict client|no-touch",
		"refused all-equal":    "shutdown replicaof slaveof failover save bgsave bgrewriteaof config|set config|rewrite module|load acl|setuser config|resetstat slowlog|reset commandlog|reset hotkeys|start trimslots",
		"refused sum":          "latency|reset",
		"refused special":      "debug acl|log hotkeys|get",
		"refused pass":         "monitor pfdebug pfselftest acl|list acl|getuser acl|users acl|dryrun cluster|migration migrate sync psync replconf script|debug cluster|meet cluster|setslot readonly asking",
	}
	for route, names := range routes {
		for _, name := range strings.Fields(names) {
			s := lookupPath(name)
			if s == nil {
				t.Errorf("%s: unknown", name)
			} else if got := s.Class.String() + " " + s.Merge.String(); got != route {
				t.Errorf("%s: %s, want %s", name, got, route)
			}
		}
	}
}

func TestSplitCommandsSayTheirWordsPerKey(t *testing.T) {
	for _, s := range All() {
		switch want := map[string]int{"mget": 1, "mset": 2, "del": 1, "unlink": 1, "exists": 1, "touch": 1}[s.Name]; {
		case s.WordsPerKey != want:
			t.Errorf("%s: %d words per key, want %d", s.Name, s.WordsPerKey, want)
		case s.Class == ClassSplit && (s.Find != FindRange || s.FirstKey != 1 || s.LastKey != -1 || s.Step != want):
			t.Errorf("%s is split, but its keys are not all of its words", s.Name)
		}
	}
}

func TestRefusedCommandsHaveAReasonAndAClassWhenAllowed(t *testing.T) {
	for _, s := range All() {
		if s.Class == ClassRefused && (s.Reason == "" || s.IfAllowed == ClassRefused) {
			t.Errorf("%s: reason %q, if allowed %v", s.Name, s.Reason, s.IfAllowed)
		}
		if s.Class != ClassRefused && s.IfAllowed != 0 {
			t.Errorf("%s is not refused, but has a class if allowed", s.Name)
		}
	}
}

func TestReadOnlyIsWhatTheServersCallReadonly(t *testing.T) {
	for name, want := range map[string]bool{"get": true, "eval_ro": true, "xread": true, "eval": false, "set": false, "xreadgroup": false, "time": false, "sort": false, "sort_ro": true} {
		if got := lookupPath(name).ReadOnly(); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEveryEnumHasAName(t *testing.T) {
	for c := ClassSingle; c <= ClassRefused; c++ {
		if c.String() == "invalid" {
			t.Errorf("class %d has no name", c)
		}
	}
	for m := MergePass; m <= MergeSpecial; m++ {
		if m.String() == "invalid" {
			t.Errorf("merge %d has no name", m)
		}
	}
	if (ClassRefused+1).String() != "invalid" || (MergeSpecial+1).String() != "invalid" {
		t.Error("a name too many")
	}
	if got := (FlagWrite | FlagFast | FlagAllNodes).String(); got != "write fast all_nodes" {
		t.Error(got)
	}
	for _, name := range flagNames {
		if got := parseFlag(name).String(); got != name {
			t.Errorf("flag %s reads as %q", name, got)
		}
	}
}

// openAdmin are the commands that servers flag admin and clients may give, with the reason.
var openAdmin = map[string]string{
	"client|kill":                   "it is about the proxy's clients; deny-commands keeps it from them",
	"client|list":                   "it is about the proxy's clients",
	"client|unblock":                "it is about the proxy's clients",
	"client|no-evict":               "it is about the client's own connection",
	"config|get":                    "clients ask what a server can; what is secret is left blank",
	"module|list":                   "clients ask what a server can",
	"slowlog|get":                   "it only tells, and servers leave passwords out",
	"slowlog|len":                   "it only tells",
	"commandlog|get":                "it only tells, and servers leave passwords out",
	"commandlog|len":                "it only tells",
	"latency|doctor":                "it only tells",
	"latency|graph":                 "it only tells",
	"latency|histogram":             "it only tells",
	"latency|history":               "it only tells",
	"latency|latest":                "it only tells",
	"cluster|count-failure-reports": "it only tells",
	"cluster|getslotmigrations":     "it only tells",
	"cluster|replicas":              "it only tells",
	"cluster|slaves":                "it only tells",
}

func TestCommandsForAdministratorsAreRefusedUnlessThereIsAReason(t *testing.T) {
	for _, s := range All() {
		admin := s.Flags.Has(FlagAdmin) && s.Class != ClassRefused && !s.HasSubs()
		if admin != (openAdmin[s.Name] != "") {
			t.Errorf("%s: %s, flags %s; the reason why clients may give it: %q", s.Name, s.Class, s.Flags, openAdmin[s.Name])
		}
	}
	for name := range openAdmin {
		if lookupPath(name) == nil {
			t.Errorf("%s: there is no such command", name)
		}
	}
}
