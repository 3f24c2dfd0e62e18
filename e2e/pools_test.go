package e2e

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// families are the kinds of keys; a form asks for one and at times gets another, so that
// types collide.
var families = []string{"s", "n", "b", "h", "l", "S", "z", "g", "p", "x"}

// oddKeys are keys that naive code mistreats.
var oddKeys = []string{"", "\x00\xffk", "{tag}a", "{}b", "with space", "new\r\nline", strings.Repeat("long", 100)}

const keysPerFamily = 5

func keyOf(family string) func(*generator) string {
	return func(g *generator) string {
		switch n := g.rand.IntN(100); {
		case n < 86:
			g.same = family + ":" + strconv.Itoa(g.rand.IntN(keysPerFamily))
		case n < 97:
			g.same = families[g.rand.IntN(len(families))] + ":" + strconv.Itoa(g.rand.IntN(keysPerFamily))
		default:
			g.same = oddKeys[g.rand.IntN(len(oddKeys))]
		}
		return g.same
	}
}

func anyKey(g *generator) string { return keyOf(families[g.rand.IntN(len(families))])(g) }

// oneOf draws one of the words of s.
func oneOf(s string) func(*generator) string { return oneOfList(strings.Fields(s)) }

func oneOfList(list []string) func(*generator) string {
	return func(g *generator) string { return list[g.rand.IntN(len(list))] }
}

// pools names what <name> in testdata/differential.txt draws from. Numbers that could be
// lengths are either small or beyond every limit, never in between: no huge strings.
// Times are either over or far away: nothing expires while the test runs.
var pools = map[string]func(*generator) string{
	"any": anyKey, "same": func(g *generator) string { return g.same },
	"str": keyOf("s"), "num": keyOf("n"), "bits": keyOf("b"), "hash": keyOf("h"), "list": keyOf("l"),
	"set": keyOf("S"), "zset": keyOf("z"), "geo": keyOf("g"), "hll": keyOf("p"), "stream": keyOf("x"),
	"lexset": oneOf("y:0 y:1 y:2"),
	"vset":   oneOf("v:0 v:1 v:2"), "coordinate": oneOf("0 1 -1.5 0.1 3.0e3 -2"),
	"zsetorset": func(g *generator) string { return keyOf([]string{"z", "z", "S"}[g.rand.IntN(3)])(g) },

	"val": value, "member": oneOfList(members), "field": oneOf("f1 f2 f3 f4 f5 1 \x00"),
	"int":    oneOf("0 1 -1 5 10 -300 9223372036854775807 -9223372036854775808 9223372036854775808 1.5 x 00 +1"),
	"float":  oneOf("0 1 -1.5 0.1 3.0e3 1000000 1e-7 inf -inf nan x 0x10"),
	"idx":    oneOf("0 1 2 3 -1 -2 -3 5 10 100 -100 x 9223372036854775808"),
	"few":    oneOf("0 1 2 3 4 5 5 -1 -3 x"),
	"offset": oneOf("0 1 2 7 8 100 1000 -1 4294967296 9223372036854775807 x"),
	"numkeys": func(g *generator) string {
		if g.rand.IntN(4) > 0 {
			return "2"
		}
		return []string{"1", "0", "-1", "3", "x", "9223372036854775807"}[g.rand.IntN(6)]
	},
	"ttl": oneOf("1000 5000 100000 0 -1 9223372036854775807 x 1.5"), "pttl": oneOf("1000000 5000000 0 -1 9223372036854775807 x"),
	"at": oneOf("4102444800 5000000000 1 0 -1 x"), "atms": oneOf("4102444800000 5000000000000 1 0 -1 x"),
	"later": oneOf("4102444800 5000000000 0 -1 x"), "laterms": oneOf("4102444800000 5000000000000 0 -1 x"),
	"db": oneOf("0 0 0 0 1 1 2 3 16 -1 x"), "cursor": oneOf("0 0 0 0 0 0 x 18446744073709551616"),
	"glob":  oneOf("* * s:* ?:1 [hl]:* h:[^1] nosuch f? lib* *[a-c"),
	"score": oneOf("0 1 2 3 -1 2.5 1e3 inf -inf nan x 0.1"), "bound": oneOf("-inf +inf (1 3 -2.5 (2.5 0 x ( nan"),
	"lex": oneOf("- + [a (b [c (m2 [ x"), "bftype": oneOf("u8 i8 u4 i64 u63 u64 i1 x"), "bfoffset": oneOf("0 1 #1 #2 100 -1 #x"),
	"lon": oneOf("13.361389 15.087269 0 -122.4 181 x"), "lat": oneOf("38.115556 37.502669 0 45.5 86 x"), "unit": oneOf("m km mi ft KM x"),
	"newid": streamID, "sid": oneOf("0 - + 1-0 2-1 3-3 50-0 5 ( (1-0 x 0-0 18446744073709551616-1"),
	"group": oneOf("g1 g2 nosuch"), "consumer": oneOf("c1 c2 c3"),
	"name": oneOfList([]string{"app", "conn:1", "", "my name", "a\nb", "\xff"}),

	"script": oneOfList(scripts), "sha": oneOfList(shas(scripts)), "library": oneOfList(libraries),
	"function": oneOf("f1 f1 f2 f3 nosuch"), "libname": oneOf("lib1 lib2 nosuch"),
	"payload":    func(g *generator) string { return g.payloads[g.rand.IntN(len(g.payloads))] },
	"libpayload": func(g *generator) string { return g.libPayload },

	"command":   oneOf("get GET mset eval zunionstore xread config config|get client|nosuch nosuch set lpush"),
	"parameter": oneOf("maxmemory appendonly save databases timeout list-max-* MAXMEMORY-policy nosuch hash-max-listpack-*"),
	"unknown":   oneOfList([]string{"foo", "GETT", "", "get\r\n", "\xff\x00x", strings.Repeat("unknown", 40), "SET ", "proxy", "g"}),
}

// members has no two that are equal up to a NUL: SORT ALPHA compares only so far.
var members = []string{"a", "nul\x00in", "c", "m1", "m2", "m3", "10", "-3", "3.5", "", "Palermo", "Catania", strings.Repeat("wide", 20)}

// junk replaces or follows arguments in bent commands; none makes a key expire or a
// string huge, and none is an option word.
var junk = []string{"0", "1", "3", "-1", "-3", "100", "x", "", "abc", "1.5", "\xff\x00", "a b", "\r\n", "9223372036854775808", "s:1", "l:1", "h:2"}

// timelessJunk holds no positive number, which might be taken for a time to live.
var timelessJunk = []string{"x", "", "abc", "\xff\x00", "a b", "-1", "9223372036854775808", "s:1"}

func value(g *generator) string {
	switch n := g.rand.IntN(1000); {
	case n < 995:
		return values[n%len(values)]
	case n < 999:
		return strings.Repeat("twenty thousand bytes", 1000)[:20000-g.rand.IntN(1000)]
	}
	return strings.Repeat("v", 100_000+g.rand.IntN(10))
}

var values = []string{
	"", "a", "b", "c", "hello", "10", "-3", "3.5", "007", "line\r\nbreak", "\x00\xff\x80", "m1", "m2", "with \"quotes\"",
	strings.Repeat("sixty-four bytes", 5), "$5\r\nhello\r\n", "ünï", "9223372036854775807", "*1\r\n",
}

func streamID(g *generator) string {
	switch g.rand.IntN(6) {
	case 0:
		return "1-*"
	case 1:
		return []string{"0-0", "x", "5-3", "2-1", "-", "5"}[g.rand.IntN(6)]
	}
	g.streamSeq++
	return fmt.Sprintf("%d-%d", g.streamSeq%5000, g.rand.IntN(3))
}

// scripts never depend on the order of a hash table and never run long.
var scripts = []string{
	"return redis.call('get', KEYS[1])",
	"return redis.call('set', KEYS[1], ARGV[1])",
	"return redis.pcall('lpush', KEYS[1], ARGV[1])",
	"return {1, 'two', {3, false, 4}, true, 5.9}",
	"return redis.error_reply('MYERR of a script')",
	"return redis.status_reply('FINE')",
	"error('boom')",
	"return {KEYS, ARGV}",
	"redis.setresp(3) return redis.call('zscore', KEYS[1], ARGV[1])",
	"return {double=3.25}",
	"return {map={a=1}}",
	"redis.setresp(3) return {double=3.25}",
	"return cjson.encode({1, 2, 'x'})",
	"return {err='WITHCODE said the script'}",
	"return nosuchglobal",
	"this is not lua",
	"return redis.call('nosuchcommand')",
	"return redis.call('subscribe', 'x')",
	"#!lua flags=no-writes\nreturn redis.call('set', KEYS[1], 'x')",
	"#!lua\nreturn 1",
	"return redis.sha1hex(ARGV[1])",
	"",
}

func shas(of []string) []string {
	out := []string{"nosuchsha", strings.Repeat("0", 40)}
	for _, s := range of {
		sum := sha1.Sum([]byte(s))
		out = append(out, hex.EncodeToString(sum[:]))
	}
	return append(out, strings.ToUpper(out[2]))
}

var libraries = []string{
	"#!lua name=lib1\nredis.register_function('f1', function(keys, args) return redis.call('get', keys[1]) end)",
	"#!lua name=lib1\nredis.register_function('f1', function(keys, args) return redis.call('set', keys[1], args[1]) end)",
	"#!lua name=lib2\nredis.register_function{function_name='f2', callback=function(keys, args) return {#keys, #args} end, flags={'no-writes'}}",
	"#!lua name=lib2\nredis.register_function('f1', function(keys, args) return 1 end)",
	"#!lua name=lib2\nredis.register_function('f3', function(keys, args) return {err='F3 failed'} end)",
	"#!lua name=lib3\nsyntax error here",
	"#!lua name=lib3\n",
	"#!nosuch name=lib1\nx",
	"no header",
	"",
}
