package e2e

import (
	"maps"
	"slices"
	"strings"
)

// attackForm is one way to make a server echo a text.
type attackForm struct {
	name     string
	scripted bool // by a script: the reply is the server's alone
	// commands are what is sent for a text; key is one that the attacker may use, own a name for its libraries.
	commands func(text, key, own string) [][]string
}

// plainForms are commands that may echo an argument, $P; those of modules and of newer servers are errors elsewhere.
var plainForms = []string{
	"$P", "$P $P", "GET", "GET $P $P $P", "SET k v $P", "SETEX k $P v", "GETEX $K $P", "INCRBY $K $P", "INCRBYFLOAT $K $P", "GEOADD $K $P 1 x",
	"GEOSEARCH $K FROMLONLAT 1 1 BYRADIUS 1 $P", "BITOP $P $K $K", "BITFIELD $K $P u8 0", "SORT $K $P", "SORT_RO $K BY $P", "ZADD $K $P x",
	"ZRANGE $K 0 1 $P", "ZRANGEBYLEX $K $P $P", "LPOS $K x $P 1", "LMOVE $K $K $P LEFT", "LMPOP 1 $K $P", "OBJECT $P $K", "OBJECT ENCODING $K $P",
	"XADD $K $P f v", "XGROUP $P $K g", "XINFO $P $K", "XREAD COUNT $P STREAMS $K 0", "XPENDING $K $P", "XCLAIM $K $P c 1 1", "XAUTOCLAIM $K $P c 1 1", "XSETID $K $P",
	"CLIENT $P", "CLIENT SETNAME $P", "CLIENT SETINFO $P $P", "CLIENT SETINFO lib-name $P", "CLIENT TRACKING $P", "CLIENT NO-EVICT $P", "CLIENT CACHING $P",
	"CLIENT LIST TYPE $P", "CLIENT LIST $P", "CLIENT UNBLOCK $P", "CLIENT PAUSE $P", "CLIENT KILL $P $P", "CLIENT TRACKING ON PREFIX $P", "CLIENT CAPA $P",
	"COMMAND $P", "COMMAND INFO $P", "COMMAND DOCS $P", "COMMAND LIST FILTERBY $P x", "COMMAND GETKEYS $P", "COMMAND GETKEYSANDFLAGS $P", "CONFIG $P", "CONFIG GET $P", "CONFIG SET $P x",
	"ACL $P", "ACL WHOAMI $P", "ACL GETUSER $P", "ACL CAT $P", "ACL DRYRUN $P get", "ACL LOG $P", "ACL GENPASS $P",
	"SCRIPT $P", "SCRIPT EXISTS $P", "SCRIPT FLUSH $P", "SCRIPT DEBUG $P", "EVALSHA $P 0", "EVALSHA_RO $P 0", "EVAL $P $P", "EVAL return 1", "FCALL $P 0", "FCALL_RO $P 0 $P",
	"FUNCTION $P", "FUNCTION LIST $P", "FUNCTION LIST LIBRARYNAME $P", "FUNCTION DELETE $P", "FUNCTION RESTORE $P", "FUNCTION RESTORE x $P", "FUNCTION FLUSH $P", "FUNCTION LOAD $P", "FUNCTION LOAD $P x", "FUNCTION STATS $P",
	"DEBUG $P", "MEMORY $P", "MEMORY USAGE $K $P", "LATENCY $P", "LATENCY HISTOGRAM $P", "LATENCY HISTORY $P", "LATENCY GRAPH $P", "SLOWLOG $P", "SLOWLOG GET $P", "CLUSTER $P", "CLUSTER KEYSLOT $P", "CLUSTER SLOTS $P", "CLUSTER NODES $P", "PUBSUB $P", "PUBSUB NUMSUB $P", "MODULE $P", "SENTINEL $P",
	"HELLO $P", "HELLO 2 SETNAME $P", "HELLO 2 AUTH $P $P", "HELLO 2 $P", "AUTH $P", "AUTH $P $P", "SELECT $P", "SWAPDB $P 1", "ECHO $P", "PING $P", "LOLWUT $P", "LOLWUT VERSION $P", "TIME $P", "INFO $P", "WAIT $P 0", "WAITAOF $P 0 0", "ROLE $P", "LASTSAVE $P",
	"PUBLISH $P $P", "SPUBLISH $P $P", "EXPIRE $K $P", "EXPIRE $K 1 $P", "RESTORE $K 0 $P", "RESTORE $K 0 x $P", "MIGRATE $P $P $K 0 1", "COPY $K $K $P", "DUMP $P", "SCAN $P", "SCAN 0 $P", "SCAN 0 TYPE $P", "HSCAN $K 0 $P", "RANDOMKEY $P", "RENAME $K $P", "TYPE $P",
	"PFADD $K $P", "PFDEBUG $P $K", "PFSELFTEST $P", "SINTERCARD $P $K", "SINTERCARD 1 $K LIMIT $P", "LCS $K $K $P", "HSET $K $P", "HRANDFIELD $K $P", "HEXPIRE $K 1 FIELDS $P $P", "HGETEX $K $P FIELDS 1 f", "SUBSTR $K $P $P", "SETRANGE $K $P x", "GETBIT $K $P", "SPOP $K $P", "FAILOVER $P", "REPLICAOF $P $P", "PSYNC $P $P", "REPLCONF $P $P", "MONITOR $P", "RESET $P", "QUIT $P", "ASKING $P", "READONLY $P", "DISCARD $P", "EXEC $P", "MULTI $P", "WATCH $P", "UNWATCH $P",
	"VADD $K $P", "VSIM $K $P", "VSIM $K ELE $P", "VADD $K FP32 $P x", "VINFO $K $P", "VSETATTR $K x $P", "VEMB $K $P", "VRANGE $K $P $P",
	"GRAPH.QUERY $K $P", "GRAPH.QUERY $K RETURN_$P", "GRAPH.RO_QUERY $K $P", "GRAPH.EXPLAIN $K $P", "GRAPH.CONFIG GET $P", "GRAPH.CONFIG SET $P x", "GRAPH.DELETE $P", "GRAPH.SLOWLOG $P", "GRAPH.CONSTRAINT $P $K", "GRAPH.COPY $P $P", "GRAPH.PROFILE $K $P", "GRAPH.UDF LOAD $P $P", "GRAPH.ACL $P",
	"HOTKEYS $P", "BACKUP $P", "DIGEST $P", "DELEX $K $P", "CLUSTERSCAN $P", "DELIFEQ $K $P", "SET $K v IFEQ $P", "COMMANDLOG $P", "COMMANDLOG GET $P $P", "MSETEX $P $K v", "XCFGSET $K $P", "SYNC $P", "FT.SEARCH $P $P", "JSON.SET $K $P $P", "TS.ADD $K $P $P", "BF.ADD $P $P",
}

// attackForms are all of them in a fixed order.
func attackForms() []attackForm {
	var all []attackForm
	for _, raiser := range slices.Sorted(maps.Keys(raisers)) {
		for _, carrier := range slices.Sorted(maps.Keys(carriers)) {
			if carrier == "FUNCTION LOAD" && strings.Contains(raisers[raiser], "redis.log") {
				continue // ends a Valkey 9.1.2: assertion in script_lua.c, seen without a proxy
			}
			all = append(all, attackForm{name: carrier + ", " + raiser, scripted: true, commands: func(text, key, own string) [][]string {
				body := script(raisers[raiser], text, own)
				if key == "" {
					return carriers[carrier](body, own, nil)
				}
				return carriers[carrier](counted(carrier, raiser, body), own, []string{key})
			}})
		}
	}
	for _, line := range plainForms {
		all = append(all, attackForm{name: line, commands: func(text, key, _ string) [][]string {
			words := strings.Fields(line)
			for i, w := range words {
				words[i] = strings.NewReplacer("$P", text, "$K", key, "_", " ").Replace(w)
				if i == 0 && w != "$P" {
					words[i] = w
				}
			}
			return [][]string{words}
		}})
	}
	return all
}

// counted lets a script that may write, and compiles, count that it runs.
func counted(carrier, raiser, body string) string {
	if strings.HasSuffix(carrier, "_RO") || strings.HasSuffix(carrier, "LOAD") || strings.HasPrefix(raiser, "shebang") {
		return body
	}
	return "redis.call('incr', KEYS[1]) " + body
}
