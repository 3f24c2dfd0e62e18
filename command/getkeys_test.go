package command

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// handPicked are requests whose keys are hard to find. Words are separated by blanks; ” is an empty word.
var handPicked = `
GET k
SET k v EX 10 GET
MSET a 1 b 2
MSETNX a 1 b 2 c 3
MGET a
MGET a b c a
DEL a b
BITOP AND d a b c
BITOP NOT d a
BITFIELD k GET u8 0
LCS a b LEN
LCS a b IDX MINMATCHLEN 3 WITHMATCHLEN
SUBSTR k 0 1
PFCOUNT a b c
PFMERGE d
PFMERGE d a b
PFDEBUG GETREG k
RENAME a b
COPY a b DB 1 REPLACE
SMOVE a b m
SINTERSTORE d a b
SDIFFSTORE d a
SINTERCARD 2 a b LIMIT 1
SINTERCARD 0 a
SINTERCARD 3 a b
SINTERCARD x a b
SINTERCARD -1 a b
SINTERCARD 01 a b
SINTERCARD +1 a b
SINTERCARD 99999999999999999999 a b
SINTERCARD 9223372036854775807 a b
ZUNION 2 a b WEIGHTS 1 2 AGGREGATE MAX WITHSCORES
ZINTER 1 a
ZDIFF 2 a b WITHSCORES
ZUNIONSTORE d 2 a b
ZUNIONSTORE d 2 a b WEIGHTS 2 3
ZINTERSTORE d 1 a AGGREGATE SUM
ZDIFFSTORE d 3 a b c
ZINTERCARD 2 a b
ZRANGESTORE d s 0 -1
GEOSEARCHSTORE d s FROMMEMBER m BYRADIUS 1 m
LMPOP 2 a b LEFT COUNT 2
ZMPOP 1 a MIN
BLMPOP 0 2 a b LEFT
BZMPOP 0.5 1 a MAX COUNT 10
BLPOP a b 0
BRPOPLPUSH a b 0
BLMOVE a b LEFT RIGHT 0
BZPOPMIN a b c 0
EVAL return 0
EVAL return 2 a b c d
EVAL return 3 a b c
EVAL_RO return 1 a
EVALSHA 0123 1 k arg
EVALSHA_RO 0123 0 arg
FCALL f 2 a b
FCALL_RO f 0 a b
SORT k
SORT k STORE d
SORT k BY w* LIMIT 0 10 GET # GET o* DESC ALPHA STORE d
SORT k STORE d STORE e
SORT k BY store STORE d
SORT k GET store
SORT k LIMIT store store STORE d
SORT k STORE
SORT k store d
SORT_RO k BY w*
GEORADIUS k 1 2 3 m
GEORADIUS k 1 2 3 m STORE d
GEORADIUS k 1 2 3 m COUNT 3 ASC STOREDIST d
GEORADIUS k 1 2 3 m STORE d STORE e
GEORADIUSBYMEMBER k m 3 m
GEORADIUSBYMEMBER k m 3 m STORE d
GEORADIUSBYMEMBER k store 3 m STOREDIST d
GEORADIUS_RO k 1 2 3 m
MIGRATE h 6379 k 0 100
MIGRATE h 6379 k 0 100 COPY REPLACE AUTH keys
MIGRATE h 6379 ” 0 100 KEYS a b c
MIGRATE h 6379 ” 0 100 COPY AUTH2 u keys KEYS a
MIGRATE h 6379 ” 0 100 COPY REPLACE KEYS a KEYS b
XADD s * f v
XREAD STREAMS a b 0 0
XREAD COUNT 2 STREAMS a 0
XREAD BLOCK 0 COUNT 2 STREAMS a b c 0 0 0
XREAD STREAMS streams 0
XREAD COUNT 2 a 0
XREADGROUP GROUP g c STREAMS a >
XREADGROUP GROUP g c COUNT 1 BLOCK 5 NOACK STREAMS a b > 0
XREADGROUP GROUP streams c STREAMS a >
XREADGROUP GROUP g c NOACK NOACK STREAMS a b c > > >
XGROUP CREATE k g $
XGROUP CREATECONSUMER k g c
XGROUP DELCONSUMER k g c
XGROUP DESTROY k g
XGROUP SETID k g 0
XINFO STREAM k FULL
XINFO GROUPS k
XINFO CONSUMERS k g
XACK k g 1-1 2-2
XAUTOCLAIM k g c 0 0
OBJECT ENCODING k
OBJECT FREQ k
OBJECT REFCOUNT k
OBJECT IDLETIME k
MEMORY USAGE k SAMPLES 5
RESTORE k 0 payload
RESTORE-ASKING k 0 payload
DUMP k
WATCH a b
PING
TIME
CONFIG GET x
CLUSTER KEYSLOT k
OBJECT HELP
SUBSCRIBE a b
` + newer

// newer are requests that Redis 7.0 does not know. testdata/getkeys.txt has the answers of newer servers to COMMAND
// GETKEYS, for machines without such servers.
const newer = `
HGETEX k FIELDS 1 f
HGETEX k EX 10 FIELDS 2 f g
HGETDEL k FIELDS 1 f
HSETEX k FIELDS 1 f v
HSETEX k FXX EX 5 FIELDS 1 f v
HEXPIRE k 10 FIELDS 1 f
HTTL k FIELDS 1 f
HPERSIST k FIELDS 1 f
MSETEX 2 a 1 b 2 EX 10
MSETEX 1 a 1 NX
MSETEX 3 a 1 b 2
MSETEX 0 a 1
MSETEX x a 1
DELEX k IFEQ v
DELEX k
DIGEST k
DELIFEQ k v
SET k v IFEQ w
SET k v IFDEQ 0123
XDELEX k KEEPREF IDS 1 1-1
XACKDEL k g ACKED IDS 1 1-1
XCFGSET k IDMP-DURATION 5
XADD k IDMP p i * f v
XREADGROUP GROUP g c CLAIM 5 STREAMS a >
BITOP DIFF d a b c
BITOP ONE d a
VADD k VALUES 2 1 2 e
VSIM k ELE e COUNT 3
VRANGE k - + 10
VCARD k
VLINKS k e
VSETATTR k e {}
VREM k e
CLUSTERSCAN 0
CLUSTERSCAN 0-{x}-1 MATCH a*
SPUBLISH c m
`

func split(line string) [][]byte {
	var args [][]byte
	for _, w := range strings.Fields(line) {
		args = append(args, []byte(strings.ReplaceAll(w, "”", "")))
	}
	return args
}

func TestAppendKeysEqualsGetKeysHandPicked(t *testing.T) {
	eachServer(t, func(t *testing.T, client *redis.Client) {
		arity := arities(t, client)
		for line := range strings.Lines(handPicked) {
			if args := split(line); len(args) > 0 {
				compareKeys(t, client, arity, args)
			}
		}
	})
}

var record = flag.Bool("record", false, "write testdata/getkeys.txt anew from TEST_SERVERS")

const recorded = "testdata/getkeys.txt"

// TestAppendKeysEqualsGetKeysRecorded compares with recorded answers of newer servers. To record them again:
//
//	TEST_SERVERS=redis-8/redis-server,valkey-9/valkey-server go test ./command -run Recorded -record
func TestAppendKeysEqualsGetKeysRecorded(t *testing.T) {
	if *record {
		recordKeys(t)
	}
	text, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		parts := strings.Split(strings.TrimSpace(line), " | ")
		if len(parts) != 3 {
			t.Fatalf("%q: want server | request | keys", line)
		}
		args := split(parts[1])
		seen[parts[1]] = true
		s := Lookup(args[0])
		positions, err := s.AppendKeys(nil, args)
		var got []string
		for _, p := range positions {
			got = append(got, string(args[p]))
		}
		checkFirst(t, s, args, positions)
		if want := strings.TrimPrefix(parts[2], "error"); strings.Join(got, " ") != strings.TrimSpace(want) && !deviates(s, args, err) {
			t.Errorf("%s: %q, %v; %s says %q", parts[1], got, err, parts[0], parts[2])
		}
	}
	for line := range strings.Lines(newer) {
		if line = strings.TrimSpace(line); line != "" && !seen[line] {
			t.Errorf("%s: no server was asked for its keys", line)
		}
	}
}

// recordKeys asks the servers for the keys of the newer requests.
func recordKeys(t *testing.T) {
	var all []string
	eachServer(t, func(t *testing.T, client *redis.Client) {
		info, err := client.Info(context.Background(), "server").Result()
		if err != nil {
			t.Fatal(err)
		}
		name := "redis " + regexp.MustCompile(`redis_version:(\S+)`).FindStringSubmatch(info)[1]
		if m := regexp.MustCompile(`valkey_version:(\S+)`).FindStringSubmatch(info); m != nil {
			name = "valkey " + m[1]
		}
		arity := arities(t, client)
		for line := range strings.Lines(newer) {
			args := split(line)
			if len(args) == 0 || arity[strings.ToLower(string(args[0]))] == 0 {
				continue
			}
			request := []any{"COMMAND", "GETKEYS"}
			for _, a := range args {
				request = append(request, a)
			}
			keys, err := client.Do(context.Background(), request...).StringSlice()
			if err != nil {
				keys = []string{"error"}
			}
			all = append(all, name+" | "+strings.TrimSpace(line)+" | "+strings.Join(keys, " "))
		}
	})
	if err := os.WriteFile(recorded, []byte(strings.Join(all, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestAppendKeysEqualsGetKeysGenerated tries every command that has keys with words that are
// mostly all different, sometimes a keyword or a number.
func TestAppendKeysEqualsGetKeysGenerated(t *testing.T) {
	eachServer(t, func(t *testing.T, client *redis.Client) {
		arity := arities(t, client)
		rnd := rand.New(rand.NewPCG(1, 2))
		for _, s := range All() {
			if arity[s.Name] == 0 || s.HasSubs() {
				continue
			}
			rounds := 20
			if s.Find > FindRange {
				rounds = 600
			}
			for range rounds {
				compareKeys(t, client, arity, generate(rnd, s, arity[s.Name]))
				if s.Find == FindStreams {
					compareKeys(t, client, arity, generateStreams(rnd, s.Name))
				}
			}
		}
	})
}

// arities holds the arity of each command the server knows.
func arities(t *testing.T, client *redis.Client) map[string]int {
	names := map[string]int{}
	for _, in := range askCommand(t, client) {
		names[in.Name] = in.Arity
	}
	return names
}

// seasoning are the words of all commands that decide where keys are.
var seasoning = strings.Fields(`0 1 1 2 2 3 4 -1 7 01 x STORE store STOREDIST STREAMS streams
	KEYS keys BY GET LIMIT COUNT BLOCK GROUP NOACK AUTH AUTH2 COPY REPLACE ”`)

func generate(rnd *rand.Rand, s *Spec, arity int) [][]byte {
	var args [][]byte
	for _, name := range strings.Split(s.Name, "|") {
		args = append(args, []byte(name))
	}
	n := arity
	if arity < 0 {
		n = -arity + rnd.IntN(8)
	}
	for len(args) < n {
		word := fmt.Sprintf("w%d", len(args))
		if rnd.IntN(3) == 0 {
			word = strings.ReplaceAll(seasoning[rnd.IntN(len(seasoning))], "”", "")
		}
		args = append(args, []byte(word))
	}
	return args
}

// generateStreams makes a valid XREAD or XREADGROUP, but sometimes with an odd number of words after STREAMS.
func generateStreams(rnd *rand.Rand, name string) [][]byte {
	line, options := name, []string{" COUNT 7", " block 0", ""}
	if name == "xreadgroup" {
		options = append(options, " NOACK")
		line += options[rnd.IntN(len(options))] + " GROUP g c"
	}
	for range rnd.IntN(4) {
		line += options[rnd.IntN(len(options))]
	}
	line += " STREAMS"
	for i := range 1 + rnd.IntN(9) {
		line += fmt.Sprintf(" w%d", i)
	}
	return split(line)
}

// compareKeys asks the server for the keys of args and compares. Where the server answers with an
// error there must be no keys.
func compareKeys(t *testing.T, client *redis.Client, arity map[string]int, args [][]byte) {
	t.Helper()
	s := Lookup(args[0])
	if sub := s.Sub(args[1%len(args)]); sub != nil {
		s = sub
	}
	if arity[s.Name] == 0 || len(args) < 2 {
		return
	}
	request := []any{"COMMAND", "GETKEYS"}
	for _, a := range args {
		request = append(request, a)
	}
	want, refused := client.Do(context.Background(), request...).StringSlice()
	if refused != nil && !strings.HasPrefix(refused.Error(), "ERR ") {
		t.Fatal(refused)
	}
	positions, err := s.AppendKeys(nil, args)
	var got []string
	for _, p := range positions {
		got = append(got, string(args[p]))
	}
	checkFirst(t, s, args, positions)
	if deviates(s, args, err) || refused != nil && oddStreams(s, args) {
		return
	}
	if !slices.Equal(got, want) || len(want) > 0 && err != nil {
		t.Errorf("%q\n got %q, %v\nwant %q, %v", args, got, err, want, refused)
	}
}

func checkFirst(t *testing.T, s *Spec, args [][]byte, positions []int) {
	t.Helper()
	if first := s.FirstKeyPos(args); len(positions) > 0 && first != positions[0] {
		t.Errorf("%q: first key at %d, all keys at %v", args, first, positions)
	}
}

// oddStreams reports whether a stream lacks its ID. Some servers refuse that when they look for keys (Debian's
// 8.0.2).
func oddStreams(s *Spec, args [][]byte) bool {
	streams, _ := streamOptions(args)
	return s.Find == FindStreams && (len(args)-streams-1)%2 != 0
}

// deviates lists where we differ from COMMAND GETKEYS on purpose.
func deviates(s *Spec, args [][]byte, err error) bool {
	switch {
	case err == ErrUnpaired: // GETKEYS does not mind, MSET does
		return true
	case slices.ContainsFunc(s.Keys, func(k KeySpec) bool { return k.NotKey }):
		return true // channels are no keys for GETKEYS, but have a hash slot
	case s.Name == "pfmerge" && len(args) == 2: // no source: PFMERGE makes d, but GETKEYS fails
		return true
	case s.Find == FindMigrate: // GETKEYS is misled by a second "keys" (a password, a host)
		return countWords(args, "keys") > 1
	case s.Find == FindStreams: // GETKEYS looks for STREAMS only, also among names
		return !streamOptionsValid(args)
	case s.Find == FindGeoRadius: // of two STOREs GETKEYS takes the first, GEORADIUS the last
		fromUnit := args[s.Keys[1].Start-1:] // a unit that reads "store" is refused by GEORADIUS
		return countWords(fromUnit, "store")+countWords(fromUnit, "storedist") > 1 ||
			countWords(fromUnit[:1], "store")+countWords(fromUnit[:1], "storedist") > 0
	case err == ErrNumKeys: // GETKEYS falls back to atoi; the commands themselves refuse these
		return slices.ContainsFunc(args, func(w []byte) bool { return string(w) == "01" || string(w) == "+1" })
	}
	return false
}

func countWords(args [][]byte, word string) (n int) {
	for _, a := range args {
		if strings.EqualFold(string(a), word) {
			n++
		}
	}
	return n
}

// streamOptionsValid accepts the options of XREAD and XREADGROUP up to STREAMS, unless a name
// among them reads "streams".
func streamOptionsValid(args [][]byte) bool {
	line := strings.ToLower(string(bytes.Join(args, []byte{' '})))
	options := `((block|count) -?\d+ |noack )*`
	return regexp.MustCompile(`^(xread ` + options + `|xreadgroup ` + options + `group (w\d+|g) (w\d+|c) ` + options + `)streams `).MatchString(line)
}

// TestKeysAreTheOnesThatCommandsUse asks the commands themselves where GETKEYS cannot be trusted:
// each request must change or read exactly the keys that AppendKeys finds.
func TestKeysAreTheOnesThatCommandsUse(t *testing.T) {
	eachServer(t, func(t *testing.T, client *redis.Client) {
		ctx := context.Background()
		do := func(line string) any {
			t.Helper()
			var request []any
			for _, w := range split(line) {
				request = append(request, w)
			}
			reply, err := client.Do(ctx, request...).Result()
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			return reply
		}
		for _, c := range []struct{ line, written string }{
			{"GEORADIUS geo 1 2 3 m STORE d STORE e", "e"},
			{"GEORADIUS geo 1 2 3 m STOREDIST d STORE e", "e"},
			{"GEORADIUSBYMEMBER geo store 3 m STORE STORE STORE e", "e"},
			{"SORT list STORE d STORE e", "e"},
			{"SORT list BY store STORE d", "d"},
			{"PFMERGE e", "e"},
		} {
			do("FLUSHALL")
			do("GEOADD geo 1 2 store")
			do("RPUSH list a")
			do(strings.Replace(c.line, "SORT list", "SORT list ALPHA", 1))
			args := split(c.line)
			keys, err := Lookup(args[0]).AppendKeys(nil, args)
			if err != nil || string(args[keys[len(keys)-1]]) != c.written || do("EXISTS "+c.written) != int64(1) {
				t.Errorf("%s: keys at %v, %v; want %s written", c.line, keys, err, c.written)
			}
		}
		do("FLUSHALL")
		do("XGROUP CREATE s g 0 MKSTREAM")
		do("XADD s 1-1 f v")
		line := "XREADGROUP NOACK GROUP g streams STREAMS s >"
		if keys, err := Lookup([]byte("XREADGROUP")).AppendKeys(nil, split(line)); err != nil || !slices.Equal(keys, []int{6}) {
			t.Errorf("%s: keys at %v, %v", line, keys, err)
		}
		do(line)
	})
}
