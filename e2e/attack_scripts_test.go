package e2e

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
)

// raisers are bodies of scripts that make the server say $P, a text as a Lua string, in all ways that were found. $B is another
// string of bytes that are no text.
var raisers = map[string]string{
	"error":                  `error($P)`,
	"error level 0":          `error($P, 0)`,
	"error level 2":          `local function f() error($P, 2) end f()`,
	"error table":            `error({err=$P})`,
	"error table position":   `error({err=$P, source=$P, line=1})`,
	"error tostring":         `error(tostring(setmetatable({}, {__tostring=function() return $P end})))`,
	"error repeated":         `error(string.rep($P, 200))`,
	"error long":             `error(string.rep('z', 70000) .. $P)`,
	"error then long":        `error($P .. string.rep('z', 70000))`,
	"error format":           `error(string.format('%s|%q', $P, $P))`,
	"error nested":           `local function f(n) if n == 0 then error($P) end f(n - 1) end f(50)`,
	"assert":                 `assert(false, $P)`,
	"assert nil":             `assert(nil, $P)`,
	"assert table":           `assert(false, {err=$P})`,
	"rethrown":               `local ok, e = pcall(error, $P) error(e)`,
	"rethrown level 0":       `local ok, e = pcall(error, $P, 0) error(e, 0)`,
	"rethrown table":         `local ok, e = pcall(error, {err=$P}) error(e)`,
	"rethrown xpcall":        `local ok, e = xpcall(function() error($P) end, function(m) return m .. $P end) error(e)`,
	"traceback":              `local ok, e = xpcall(function() error($P) end, function(m) return debug.traceback(m) end) error(e)`,
	"coroutine":              `local ok, e = coroutine.resume(coroutine.create(function() error($P) end)) error(e)`,
	"coroutine wrap":         `coroutine.wrap(function() error($P) end)()`,
	"coroutine yield":        `error(coroutine.wrap(function() coroutine.yield($P) end)())`,
	"call field":             `local t = {} t[$P]()`,
	"call global":            `_G[$P]()`,
	"call of string":         `(($P))()`,
	"read global":            `return _G[$P]`,
	"write global":           `_G[$P] = 1`,
	"arithmetic":             `local t = {} return t[$P] + 1`,
	"arithmetic string":      `return $P + 1`,
	"concatenation":          `local t = {} return t[$P] .. 'x'`,
	"concatenation of table": `return $P .. {}`,
	"index field":            `local t = {} return t[$P].x`,
	"index string":           `return ($P).x.y`,
	"assign field":           `local t = {} t[$P].x = 1`,
	"length":                 `local t = {} return #t[$P]`,
	"compare":                `local t = {} return t[$P] < 1`,
	"for":                    `for i = $P, 2 do end`,
	"metatable index":        `local t = setmetatable({}, {__index=function(_, k) error(k) end}) return t[$P]`,
	"metatable call":         `local t = setmetatable({}, {__call=function(_, k) error(k) end}) t($P)`,
	"metatable concat":       `local t = setmetatable({}, {__concat=function(_, k) error(k) end}) return t .. $P`,
	"metatable newindex":     `local t = setmetatable({}, {__newindex=function(_, k) error(k) end}) t[$P] = 1`,
	"metatable protected":    `setmetatable(setmetatable({}, {__metatable=$P}), {})`,
	"loadstring":             `assert(loadstring($P))`,
	"loadstring chunk":       `assert(loadstring('x y', '=' .. $P))`,
	"loadstring chunk file":  `assert(loadstring('x y', '@' .. $P))`,
	"loadstring run":         `loadstring('error("x")', '=' .. $P)()`,
	"loadstring near":        `assert(loadstring('return 1 ' .. string.format('%q', $P)))`,
	"load":                   `assert(load(function() return nil end, '=' .. $P)) error($P)`,
	"load reader":            `local n = 0 assert(load(function() n = n + 1 return n < 3 and 'x y ' or nil end, '=' .. $P))`,
	"string.format":          `return string.format('%' .. $P)`,
	"string.rep":             `return string.rep('x', $P)`,
	"string.find":            `return string.find('x', '[' .. $P)`,
	"string.gsub":            `return string.gsub('x', 'x', '%' .. $P)`,
	"string.gsub function":   `return string.gsub('x', 'x', function() error($P) end)`,
	"tonumber":               `return tonumber('z', $P)`,
	"select":                 `return select($P)`,
	"setmetatable":           `setmetatable($P, {})`,
	"rawset":                 `rawset($P, 1, 2)`,
	"next":                   `next({}, $P)`,
	"unpack":                 `return unpack({}, 1, $P)`,
	"table.concat":           `return table.concat({{}, $P})`,
	"table.sort":             `table.sort({1, 2, 3}, function() error($P) end)`,
	"field of math":          `math[$P]()`,
	"field of redis":         `redis[$P]()`,
	"field of server":        `server[$P]()`,
	"field of string":        `string[$P]()`,
	"os":                     `os[$P]()`,
	"require":                `require($P)`,
	"cjson decode":           `cjson.decode($P)`,
	"cjson decode string":    `cjson.decode('{"a":"' .. $P)`,
	"cjson encode":           `cjson.encode({[{}] = $P})`,
	"cjson encode function":  `cjson.encode({[$P] = function() end})`,
	"cmsgpack unpack":        `cmsgpack.unpack($P)`,
	"cmsgpack bytes":         `cmsgpack.unpack($B .. $P)`,
	"struct pack":            `struct.pack($P, 1)`,
	"struct unpack":          `struct.unpack($P, $P)`,
	"bit":                    `return bit.tobit($P)`,
	"call unknown":           `return redis.call($P)`,
	"call unknown argument":  `return redis.call($P, $P)`,
	"call wrong arity":       `return redis.call('get')`,
	"call subcommand":        `return redis.call('object', $P, KEYS[1] or '$L:k')`,
	"call client":            `return redis.call('client', $P)`,
	"call config":            `return redis.call('config', $P)`,
	"call xgroup":            `return redis.call('xgroup', $P, '$L:k', 'g')`,
	"call set option":        `return redis.call('set', '$L:k', 'v', $P)`,
	"call geo unit":          `return redis.call('geosearch', '$L:k', 'fromlonlat', 1, 1, 'byradius', 1, $P)`,
	"call acl":               `return redis.call('acl', 'getuser', $P)`,
	"call acl category":      `return redis.call('acl', 'cat', $P)`,
	"call acl dry run":       `return redis.call('acl', 'dryrun', 'default', $P)`,
	"call script":            `return redis.call('script', $P)`,
	"call eval":              `return redis.call('eval', $P, 0)`,
	"call command":           `return redis.call('command', $P)`,
	"call wrong type":        `return redis.call('lpush', '$L:list', $P) and redis.call('incr', '$L:list')`,
	"call number":            `return redis.call('incrby', '$L:k', $P)`,
	"call sort":              `return redis.call('sort', '$L:k', $P)`,
	"call table":             `return redis.call({$P})`,
	"call hello":             `return redis.call('hello', $P)`,
	"call migrate":           `return redis.call('migrate', $P, $P, $P, 0, $P)`,
	"pcall":                  `return redis.pcall($P)`,
	"pcall rethrown":         `error(redis.pcall($P))`,
	"pcall rethrown text":    `error(redis.pcall('object', $P, '$L:k').err)`,
	"pcall joined":           `local r = redis.pcall($P) r.err = r.err .. $P return r`,
	"error_reply":            `return redis.error_reply($P)`,
	"error_reply raised":     `error(redis.error_reply($P))`,
	"error_reply dash":       `return redis.error_reply('-' .. $P)`,
	"status_reply":           `return redis.status_reply($P)`,
	"table err":              `return {err=$P}`,
	"table err more":         `return {err=$P, ignore_error_stats_update=true, source=$P, line=$P}`,
	"table ok":               `return {ok=$P}`,
	"nested replies":         `return {1, {err=$P}, {ok=$P}, {{err=$P}}}`,
	"string":                 `return $P`,
	"string bytes":           `return $B`,
	"many strings":           `return {$P, $P, {$P}}`,
	"number":                 `return tonumber($P)`,
	"big_number":             `redis.setresp(3) return {big_number=$P}`,
	"verbatim format":        `redis.setresp(3) return {verbatim_string={format=$P, string=$P}}`,
	"double":                 `redis.setresp(3) return {double=$P}`,
	"double huge":            `redis.setresp(3) return {double=1/0}`,
	"map":                    `redis.setresp(3) return {map={[$P]=$P, x={err=$P}}}`,
	"set":                    `redis.setresp(3) return {set={[$P]=true}}`,
	"map not a table":        `redis.setresp(3) return {map=$P}`,
	"bool":                   `redis.setresp(3) return {true, false, {ok=$P}}`,
	"setresp":                `redis.setresp($P)`,
	"setresp 2 in 3":         `redis.setresp(2) return {map={a=$P}}`,
	"log":                    `redis.log(redis.LOG_DEBUG, $P) error($P)`,
	"log level":              `redis.log($P, $P)`,
	"sha1hex":                `return redis.sha1hex($P, $P)`,
	"debug":                  `return redis.debug($P)`,
	"breakpoint":             `redis.breakpoint() error($P)`,
	"set_repl":               `redis.set_repl($P)`,
	"acl_check_cmd":          `return redis.acl_check_cmd($P)`,
	"register_function":      `redis.register_function($P, function() end)`,
	"stack overflow":         `local function f() return 1 + f($P) end return f()`,
	"print":                  `print($P)`,
	// These do not compile.
	"unfinished string":     `return $U`,
	"two strings":           `return 1 $P`,
	"string as statement":   `$P`,
	"local string":          `local $P = 1`,
	"goto string":           `x = = $P`,
	"long bracket":          `return [==[` + "\r\n+FORGED\r\n",
	"break outside":         `break $P`,
	"malformed number":      `return 3x` + "\r\n+FORGED\r\n",
	"raw line ends":         "return 1\r\n+FORGED\r\n$6\r\nFORGED",
	"raw line ends, quoted": "return 'a\\\r\n+FORGED\\\r\n:1' 'x'",
	"raw name":              "x" + "\r\n" + "y z",
	"shebang flags":         "#!lua flags=$R\nreturn 1",
	"shebang engine":        "#!$R\nreturn 1",
	"shebang word":          "#!lua $R\nreturn 1",
	"shebang name":          "#!lua name=$R\nreturn 1",
	"shebang alone":         "#!lua $R",
}

// script fills a raiser with a text and a name that the attacker has for itself.
func script(raiser, text, own string) string {
	firstLine := strings.NewReplacer("\n", "\r").Replace(text) // a shebang's line ends at the first LF
	return strings.NewReplacer("$P", quoted(text), "$U", strings.TrimSuffix(quoted(text), `"`), "$R", firstLine,
		"$L", own, "$B", `"\xa0\xff\000\001`+`"`).Replace(raiser)
}

// carriers give a script's body to the server: the commands, of which the last runs it. own is the name of a library, keys is nothing
// or the keys of the script.
var carriers = map[string]func(body, own string, keys []string) [][]string{
	"EVAL":       func(body, _ string, keys []string) [][]string { return [][]string{run("EVAL", body, keys)} },
	"EVAL_RO":    func(body, _ string, keys []string) [][]string { return [][]string{run("EVAL_RO", body, keys)} },
	"EVALSHA":    func(body, _ string, keys []string) [][]string { return loaded("EVALSHA", body, keys) },
	"EVALSHA_RO": func(body, _ string, keys []string) [][]string { return loaded("EVALSHA_RO", body, keys) },
	"FCALL":      func(body, own string, keys []string) [][]string { return function("FCALL", body, own, "", keys) },
	"FCALL_RO": func(body, own string, keys []string) [][]string {
		return function("FCALL_RO", body, own, "no-writes", keys)
	},
	"FUNCTION LOAD": func(body, own string, _ []string) [][]string {
		return [][]string{{"FUNCTION", "LOAD", "REPLACE", "#!lua name=" + own + "\n" + body}}
	},
	"SCRIPT LOAD": func(body, _ string, _ []string) [][]string { return [][]string{{"SCRIPT", "LOAD", body}} },
}

func run(command, what string, keys []string) []string {
	return append([]string{command, what, fmt.Sprint(len(keys))}, keys...)
}

func loaded(command, body string, keys []string) [][]string {
	sum := sha1.Sum([]byte(body))
	return [][]string{{"SCRIPT", "LOAD", body}, run(command, hex.EncodeToString(sum[:]), keys)}
}

func function(command, body, own, flags string, keys []string) [][]string {
	if flags != "" {
		flags = "'" + flags + "'"
	}
	code := fmt.Sprintf("#!lua name=%s\nredis.register_function{function_name='%s', callback=function(KEYS, ARGV) %s\nend, flags={%s}}", own, own, body, flags)
	return [][]string{{"FUNCTION", "LOAD", "REPLACE", code}, run(command, own, keys)}
}
