package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
)

// crowd is a few clients of one server or proxy: a asks, b and c are idle, d subscribes.
type crowd struct {
	t     *testing.T
	addr  string
	conns map[string]*testkit.Conn
	words *strings.Replacer // @b.id, @b.addr and @b.laddr become client b's
	names *strings.Replacer // and back, for what is known to be one
}

var crowdNames = []string{"a", "b", "c", "d"}

func gather(t *testing.T, addr string) *crowd {
	t.Helper()
	w := &crowd{t: t, addr: addr, conns: map[string]*testkit.Conn{}}
	var there, back []string
	for _, name := range crowdNames {
		c := testkit.Dial(t, addr)
		w.conns[name] = c
		info := c.Do("CLIENT", "INFO")
		for _, field := range []string{"laddr", "addr", "id"} {
			m := regexp.MustCompile(`\b` + field + `=(\S*)`).FindStringSubmatch(info)
			if m == nil {
				t.Fatalf("no %s in %q", field, info)
			}
			there = append(there, "@"+name+"."+field, m[1])
			back = append(back, m[1], "@"+name+"."+field)
		}
	}
	w.words, w.names = strings.NewReplacer(there...), strings.NewReplacer(back...)
	w.conns["d"].Do("SUBSCRIBE", "news")
	return w
}

// do lets client a say the words; \0 in them is a NUL.
func (w *crowd) do(words []string) string {
	args := make([]string, len(words))
	for i, word := range words {
		args[i] = strings.ReplaceAll(w.words.Replace(word), `\0`, "\x00")
	}
	got, err := w.conns["a"].Call(args...)
	if err != nil {
		return err.Error()
	}
	return got
}

// left are the clients that are still there.
func (w *crowd) left() (names string) {
	for _, name := range crowdNames {
		if reply, err := w.conns[name].Call("PING"); err == nil && reply != "" {
			names += name
		}
	}
	return names
}

func (w *crowd) end() {
	for _, c := range w.conns {
		c.Close()
	}
}

// CLIENT KILL closes whom Redis closes, for every filter, with words that are right, empty, odd, or there twice.
func TestCLIENTKILLEqualsADirectRedis(t *testing.T) {
	p := newPair(t)
	newer := since(t, p.direct, 7, 4)
	sweeper := testkit.Dial(t, p.direct.Addr)
	sweeper.Do("CLIENT", "KILL", "TYPE", "normal") // those that newPair has left behind
	sweeper.Close()
	words := map[string][]string{
		"ID":     {"@b.id", "@a.id", "", "0", "-1", "+1", " 1", "x", "@b.id ", "9223372036854775807", "9223372036854775808", `@b.id\0`},
		"ADDR":   {"@b.addr", "@a.addr", "", "x", "@b.addr ", `@b.addr\0x`, `\0`, "@b.laddr"},
		"LADDR":  {"@b.laddr", "", "x", `\0`, `@b.laddr\0x`, "@b.addr"},
		"USER":   {"default", "", "Default", "nobody", `default\0`, `\0`},
		"TYPE":   {"normal", "NORMAL", "pubsub", "master", "replica", "slave", "", "x", `normal\0`, `\0`},
		"SKIPME": {"yes", "no", "YES", "", "x", `no\0x`},
		"WHAT":   {"x", ""},
	}
	if newer {
		words["MAXAGE"] = []string{"1000", "0", "-1", "", "x", "99999999999999999999", "9223372036854775807"}
	} else {
		words["MAXAGE"] = []string{"1", ""}
	}
	cases := [][]string{
		{""}, {"x"}, {"@b.addr"}, {"@a.addr"}, {"@b.laddr"}, {`@b.addr\0x`}, {`\0`}, {"ID"}, {"ADDR"}, {"TYPE"},
		{"ID", "@b.id", "X"}, {"ID", "0", "X"}, {"ID", "@b.id", "ID", "@c.id"}, {"ID", "@b.id", "ID", ""}, {"ID", "@b.id", "ID"}, {"ID", "@b.id", "@c.id"},
		{"ADDR", "@b.addr", "ADDR", ""}, {"ADDR", "", "ADDR", "@b.addr"}, {"ADDR", "@b.addr", "ADDR", "@c.addr"}, {"LADDR", "", "LADDR", "@b.laddr"},
		{"TYPE", "pubsub", "TYPE", "normal"}, {"TYPE", "normal", "ADDR", ""}, {"TYPE", "normal", "LADDR", ""}, {"ID", "@b.id", "ADDR", ""},
		{"ID", "@b.id", "ADDR", "@c.addr"}, {"ID", "@b.id", "ADDR", "@b.addr"}, {"ID", "@a.id", "SKIPME", "no"}, {"SKIPME", "no", "SKIPME", "yes", "ID", "@a.id"},
		{"USER", "default", "TYPE", "pubsub"}, {"USER", "", "ID", "0"}, {"TYPE", "", "ID", "0"}, {"", ""}, {"", "x"}, {`ID\0`, "@b.id"},
		{"MAXAGE", "1000", "ID", "@b.id"}, {"SKIPME", "no", "MAXAGE", "1000"},
	}
	for name, values := range words {
		for _, v := range values {
			cases = append(cases, []string{name, v}, []string{strings.ToLower(name), v, "SKIPME", "no"}, []string{"ID", "@c.id", name, v})
		}
	}
	for _, args := range cases {
		command := append([]string{"CLIENT", "KILL"}, args...)
		play := func(addr string) string {
			w := gather(t, addr)
			defer w.end()
			reply := w.do(command)
			return fmt.Sprintf("%q, left %s", reply, w.left())
		}
		if want, got := play(p.direct.Addr), play(p.proxy); got != want {
			t.Errorf("%q\ndirect: %s\nproxy:  %s", command, want, got)
		}
	}
}

// since reports whether a server is of this version or a later one.
func since(t *testing.T, s *testkit.Server, major, minor int) bool {
	t.Helper()
	var hasMajor, hasMinor int
	version := infoField(testkit.Dial(t, s.Addr), "server", "redis_version")
	if _, err := fmt.Sscanf(version, "%d.%d", &hasMajor, &hasMinor); err != nil {
		t.Fatalf("version %q: %v", version, err)
	}
	return hasMajor > major || hasMajor == major && hasMinor >= minor
}

// What the proxy says itself of a client takes empty and odd words as Redis does: "" is a word, too.
func TestOddWordsOfCLIENTEqualADirectRedis(t *testing.T) {
	p := newPair(t, "--admin-commands", "allow")
	newer := since(t, p.direct, 7, 2)
	for _, line := range []string{
		`CLIENT LIST TYPE`, `CLIENT LIST TYPE ""`, `CLIENT LIST TYPE x`, `CLIENT LIST TYPE master`, `CLIENT LIST TYPE replica`, `CLIENT LIST TYPE slave x`, `CLIENT LIST ID`,
		`CLIENT LIST ID ""`, `CLIENT LIST ID 0`, `CLIENT LIST ID -1`, `CLIENT LIST ID 0 x`, `CLIENT LIST ID 999999999`, `CLIENT LIST ""`, `CLIENT LIST "" ""`, `CLIENT LIST X`,
		`CLIENT UNBLOCK ""`, `CLIENT UNBLOCK 0`, `CLIENT UNBLOCK -1`, `CLIENT UNBLOCK 1 ""`, `CLIENT UNBLOCK x ERROR`, `CLIENT UNBLOCK x y`, `CLIENT UNBLOCK 0 ERROR x`,
		`CLIENT NO-EVICT ""`, `CLIENT NO-EVICT x`, `CLIENT NO-EVICT on`, `CLIENT NO-EVICT off`, `CLIENT REPLY ""`, `CLIENT REPLY x`, `CLIENT REPLY on x`,
		`CLIENT SETNAME ""`, `CLIENT GETNAME`, `CLIENT SETNAME x`, `CLIENT GETNAME`, `CLIENT SETNAME "a b"`, `CLIENT GETNAME`, `CLIENT SETNAME ""`, `CLIENT GETNAME`,
		`CLIENT SETNAME long`, `HELLO 2 SETNAME ""`, `HELLO 2 SETNAME long`, `HELLO 2 SETNAME`, `HELLO ""`, `HELLO 2 ""`, `HELLO 2 AUTH ""`, `HELLO 2 AUTH "" ""`, `HELLO 2 SETNAME "a b"`,
		`CLIENT TRACKING ""`, `CLIENT TRACKING on ""`, `CLIENT TRACKING on REDIRECT ""`, `CLIENT TRACKING on PREFIX ""`, `CLIENT TRACKING on BCAST PREFIX ""`, `CLIENT TRACKING off`,
		`CLIENT CACHING ""`, `CLIENT GETREDIR`, `CLIENT PAUSE ""`, `CLIENT PAUSE 0 ""`, `CLIENT ID x`, `CLIENT`, `CLIENT ""`,
		`AUTH ""`, `AUTH "" ""`, `AUTH default ""`, `AUTH "" x`, `SELECT ""`, `ECHO ""`, `PING ""`, `ACL WHOAMI`, `QUIT`,
		`+CLIENT SETINFO "" ""`, `+CLIENT SETINFO lib-name ""`, `+CLIENT SETINFO lib-name "a b"`, `+CLIENT SETINFO lib-ver ""`, `+CLIENT SETINFO lib-name x`, `+CLIENT NO-TOUCH ""`,
		`+CLIENT NO-TOUCH x`, `+CLIENT NO-TOUCH on`,
	} {
		line, onlyNewer := strings.CutPrefix(line, "+")
		if onlyNewer && !newer {
			continue
		}
		line = strings.ReplaceAll(line, "long", strings.Repeat("n", 4096))
		said := func(addr string) string {
			c := testkit.Dial(t, addr)
			defer c.Close()
			c.Do("CLIENT", "SETNAME", "before")
			c.Send(line + "\r\n")
			first := c.Read1()
			if strings.HasPrefix(line, "QUIT") {
				return first
			}
			id := regexp.MustCompile(`\$2\r\nid\r\n:\d+\r\n`) // of HELLO
			return id.ReplaceAllString(first, "") + c.Do("CLIENT", "GETNAME")
		}
		if want, got := said(p.direct.Addr), said(p.proxy); want != got {
			t.Errorf("%.80s\ndirect: %.300q\nproxy:  %.300q", line, want, got)
		}
	}
}

// An empty password is a password, and a wrong one.
func TestOddWordsOfLoginsEqualADirectRedis(t *testing.T) {
	p := newPair(t, "--password", "secret")
	testkit.Dial(t, p.direct.Addr).Do("CONFIG", "SET", "requirepass", "secret")
	for _, lines := range []string{
		`AUTH ""`, `AUTH default ""`, `AUTH "" secret`, `AUTH "" ""`, `AUTH secret ""`, `AUTH secret`, `AUTH default secret`, `AUTH DEFAULT secret`, `AUTH "secret\x00"`, `AUTH "default\x00" secret`,
		`AUTH default secret x`, `AUTH secret | AUTH ""`, `AUTH secret | AUTH default "" | PING`, `HELLO 2 AUTH "" ""`, `HELLO 2 AUTH default ""`, `HELLO 2 AUTH "" secret`, `HELLO 3 SETNAME x`, `HELLO`,
		`HELLO 2 AUTH default secret SETNAME "" | CLIENT GETNAME`, `HELLO 3 AUTH default wrong SETNAME y | AUTH secret | CLIENT GETNAME`, `PING`, `CLIENT SETNAME x`, `RESET | PING`, `AUTH secret | RESET | PING`,
		`NOSUCH`, `CLIENT NOSUCH`, `GET`, `QUIT`,
	} {
		said := func(addr string) (all string) {
			c := testkit.Dial(t, addr)
			defer c.Close()
			for line := range strings.SplitSeq(lines, " | ") {
				c.Send(line + "\r\n")
				all += c.Read1()
			}
			return regexp.MustCompile(`\$2\r\nid\r\n:\d+\r\n`).ReplaceAllString(all, "")
		}
		if want, got := said(p.direct.Addr), said(p.proxy); want != got {
			t.Errorf("%s\ndirect: %.300q\nproxy:  %.300q", lines, want, got)
		}
	}
}

// What CLIENT LIST says of a client is what Redis says, in each state that a client can be in.
func TestCLIENTLISTTellsStatesAsADirectRedis(t *testing.T) {
	p := newPair(t, "--admin-commands", "allow")
	shown := regexp.MustCompile(` (name|flags|db|sub|psub|ssub|multi|cmd|user|redir|resp)=(\S*)`)
	version := func(v72 bool) bool { return !v72 || since(t, p.direct, 7, 2) }
	for _, c := range []struct {
		name, story, flags string // a story of client b, its commands separated by " | "
		newer              bool   // Redis 7.2 and later
	}{
		{"just connected", "", "N", false},
		{"after commands", "SET x 1 | GET x | CLIENT SETNAME me | SELECT 3", "N", false},
		{"an unknown command", "GET x | NOSUCH", "N", false},
		{"an unknown subcommand", "GET x | CLIENT NOSUCH", "N", false},
		{"too few words", "GET", "N", false},
		{"in RESP3", "HELLO 3 SETNAME me", "N", false},
		{"in a transaction", "MULTI | GET x | SET x 1", "x", false},
		{"in a transaction with what the proxy answers", "MULTI | CLIENT ID | ECHO x", "x", false},
		{"after a transaction", "MULTI | GET x | EXEC", "N", false},
		{"watching", "WATCH x", "N", false},
		{"subscribed", "SUBSCRIBE a b", "P", false},
		{"subscribed to patterns", "PSUBSCRIBE a* b*", "P", false},
		{"subscribed to shard channels", "SSUBSCRIBE a", "P", false},
		{"subscribed and not any more", "SUBSCRIBE a | UNSUBSCRIBE", "N", false},
		{"blocked", "BLPOP none 0", "b", false},
		{"blocked in WAIT", "WAIT 1 0", "b", false},
		{"blocked in XREAD", "XREAD BLOCK 0 STREAMS none $", "b", false},
		{"tracking", "CLIENT TRACKING on", "t", false},
		{"tracking in RESP3", "HELLO 3 | CLIENT TRACKING on", "t", false},
		{"tracking by broadcast", "HELLO 3 | CLIENT TRACKING on BCAST", "tB", false},
		{"tracking no more", "HELLO 3 | CLIENT TRACKING on BCAST | CLIENT TRACKING off", "N", false},
		{"tracking for another", "CLIENT TRACKING on REDIRECT @a.id", "t", false},
		{"tracking for another by broadcast", "CLIENT TRACKING on BCAST REDIRECT @a.id", "tB", false},
		{"tracking in a transaction", "HELLO 3 | CLIENT TRACKING on BCAST | MULTI", "xtB", false},
		{"never evicted", "CLIENT NO-EVICT on", "e", false},
		{"evicted again", "CLIENT NO-EVICT on | CLIENT NO-EVICT off", "N", false},
		{"nonsense of eviction", "CLIENT NO-EVICT maybe", "N", false},
		{"never evicted, tracking", "HELLO 3 | CLIENT TRACKING on | CLIENT NO-EVICT on", "te", false},
		{"never evicted, subscribed", "CLIENT NO-EVICT on | SUBSCRIBE a", "Pe", false},
		{"no touch", "CLIENT NO-TOUCH on", "T", true},
		{"no touch, never evicted", "CLIENT NO-TOUCH on | CLIENT NO-EVICT ON", "eT", true},
		{"touches again", "CLIENT NO-TOUCH ON | CLIENT NO-TOUCH off", "N", true},
		{"monitoring", "MONITOR", "O", false},
		{"monitoring, never evicted", "CLIENT NO-EVICT on | MONITOR", "Oe", false},
		{"a replica", "SYNC", "S", false},
		{"reset", "HELLO 3 | CLIENT TRACKING on BCAST | MULTI | RESET", "N", false},
		{"monitoring, reset", "MONITOR | RESET", "N", false},
	} {
		if !version(c.newer) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			look := func(addr string, enough func(state string) bool) (state string) {
				w := gather(t, addr)
				defer w.end()
				wire := ""
				for _, line := range strings.Split(c.story, " | ") {
					if line != "" {
						wire += testkit.Request(strings.Fields(w.words.Replace(line))...)
					}
				}
				w.conns["b"].Send(wire)
				for deadline := time.Now().Add(testkit.Patience); ; {
					list := w.do([]string{"CLIENT", "LIST", "ID", "@b.id"})
					state = ""
					for _, m := range shown.FindAllStringSubmatch(list, -1) {
						if m[1] == "redir" {
							m[2] = w.names.Replace(m[2])
						}
						state += m[1] + "=" + m[2] + " "
					}
					if enough(state) || time.Now().After(deadline) {
						return state
					}
				}
			}
			asked := func(state string) bool { return c.story == "" || !strings.Contains(state, "cmd=client|info ") }
			want := look(p.direct.Addr, asked)
			if got := look(p.proxy, func(state string) bool { return state == want }); got != want {
				t.Errorf("direct: %s\nproxy:  %s", want, got)
			}
			if !strings.Contains(want, "flags="+c.flags+" ") {
				t.Errorf("Redis says %s, and the story %s", want, c.flags)
			}
		})
	}
}
