package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/internal/testkit"
	"ringmaster/parser"
)

// The same bytes go to a Redis and to the proxy in front of another, in random pieces: commands, what is nearly a command, and what
// is none. All that comes back is the same, or the difference is explained.
func TestFuzzBytesEqualADirectRedis(t *testing.T) {
	z := &bytesFuzz{fuzzRun: newFuzz(t), pair: newPair(t), explained: map[string]int{}}
	for z.more() && z.unexplained < 10 {
		z.stream(t)
	}
	t.Logf("%d streams, %d bytes; explained differences: %v", z.tried, z.sent, z.explained)
}

type bytesFuzz struct {
	*fuzzRun
	pair        *pair
	sent        int
	explained   map[string]int
	unexplained int
}

// byteCommands have replies that follow from what was sent alone.
var byteCommands = strings.Split(`GET $K|SET $K $V|SET $K $V NX GET|INCR $K|INCRBY $K $N|APPEND $K $V|STRLEN $K|GETRANGE $K $N $N|SETRANGE $K 3 $V|DEL $K $K|EXISTS $K $K|TYPE $K|MGET $K $K $K|MSET $K $V $K $V|GETDEL $K
RPUSH $K $V $V|LPOP $K|LRANGE $K 0 -1|LLEN $K|LINDEX $K $N|LINSERT $K BEFORE $V $V|RPOPLPUSH $K $K|HSET $K f $V|HGET $K f|HLEN $K|HDEL $K f|SADD $K $V|SCARD $K|SISMEMBER $K $V|ZADD $K $N $V|ZSCORE $K $V|ZRANGE $K 0 -1 WITHSCORES|SETBIT $K 5 1|GETBIT $K $N
ECHO $V|PING|PING $V|PING a b|SELECT $N|SELECT x|MULTI|EXEC|DISCARD|WATCH $K|UNWATCH|RESET|QUIT|AUTH x|AUTH x y|HELLO 9|HELLO x|HELLO 3|HELLO 3|HELLO 2|HELLO|HELLO 3 SETNAME $V|HELLO 2 ODD|CLIENT SETNAME $V|CLIENT GETNAME|CLIENT REPLY OFF|CLIENT REPLY ON|CLIENT REPLY SKIP|CLIENT ODD|CLIENT GETREDIR|CLIENT NO-EVICT on|ASKING|READWRITE
SUBSCRIBE $V|UNSUBSCRIBE|UNSUBSCRIBE $V|PSUBSCRIBE $V|PUNSUBSCRIBE|PUBLISH $V $V|NOSUCH $V|GET|GET a b|SET a|$V|$V $V|EVAL return_1 0|EVAL return_{1,'a',{err='E_x'}} 0|EVAL return_redis.call('get',KEYS[1]) 1 $K|EVAL x 0|EVALSHA $V 0|EVAL return_ARGV[1] 0 $V
OBJECT ENCODING $K|OBJECT HELP|OBJECT ODD $K|EXPIRE $K $N|PERSIST $K|TTL $K|RENAME $K $K|COPY $K $K|DBSIZE|XADD $K 1-1 f v|XLEN $K|XRANGE $K - +|SCRIPT EXISTS $V|FLUSHDB|LCS $K $K|BITCOUNT $K|PFADD $K $V|PFCOUNT $K|GEOADD $K 1 2 $V|SORT $K|ZUNIONSTORE $K 2 $K $K|CONFIG SET`, "|")

func (z *bytesFuzz) words(line string) []string {
	words := strings.Fields(strings.ReplaceAll(line, "\n", " "))
	for i, w := range words {
		switch w {
		case "$K":
			words[i] = pick(z.fuzzRun, "a", "b", "c", "key", "", "k\x00")
		case "$V":
			words[i] = pick(z.fuzzRun, "v", "", "12", "a b", "x\r\ny", "\"q\"", "'", "\\x41", strings.Repeat("long ", 50), z.bytes(12), "*", "-")
		case "$N":
			words[i] = fmt.Sprint(pick(z.fuzzRun, z.number(), int64(z.rand.IntN(8))))
		default:
			words[i] = strings.ReplaceAll(w, "_", " ")
		}
	}
	if len(words) > 0 && z.chance(4) {
		words[0] = strings.ToLower(words[0])
	}
	return words
}

// piece is one command, whole.
func (z *bytesFuzz) piece() string {
	words := z.words(byteCommands[z.rand.IntN(len(byteCommands))])
	if !z.chance(5) {
		return testkit.Request(words...)
	}
	var b strings.Builder // as typed
	for i, w := range words {
		if i > 0 {
			b.WriteString(pick(z.fuzzRun, " ", " ", "  ", "\t"))
		}
		switch {
		case strings.ContainsAny(w, "\r\n\x00\"'\\ ") || w == "" || z.chance(6):
			fmt.Fprintf(&b, "%s", inlineQuoted(w))
		default:
			b.WriteString(w)
		}
	}
	return b.String() + pick(z.fuzzRun, "\r\n", "\r\n", "\n")
}

func inlineQuoted(w string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(w) {
		fmt.Fprintf(&b, "\\x%02x", w[i])
	}
	b.WriteByte('"')
	return b.String()
}

// oddities are what parsers stumble over.
var oddities = []string{"\r\n", "\n", "\r", " ", "\x00", "*", "$", "*0\r\n", "*-1\r\n", "*1\r\n", "*2\r\n$3\r\nGET\r\n", "$-1\r\n", "$0\r\n\r\n", "*1\r\n$-1\r\n", "*1000000000\r\n", "*1048577\r\n", "$600000000\r\n",
	"*1\r\n$600000000\r\n", "*01\r\n", "*+1\r\n", "* 1\r\n", "*1\n$4\nPING\n", "*1\r\n:4\r\n", "*1\r\n$4\r\nPINGxx", "*1\r\n$04\r\nPING\r\n", "*1\r\n$4 \r\nPING\r\n", "*99999999999999999999\r\n", "\"", "'", "\"a\"b\r\n",
	"'a\r\n", "\"\\x4\"\r\n", "POST / HTTP/1.1\r\n", "Host: x\r\n", "host:\r\n", "GET / HTTP/1.1\r\n", "*1\r\n$4\r\nPOST\r\n", "\x16\x03\x01\x02\x00", "+OK\r\n", "-ERR\r\n", ":1\r\n", "%1\r\n+a\r\n+b\r\n", "~1\r\n+a\r\n", ">1\r\n+a\r\n", "_\r\n", "#t\r\n", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n", "PING\x00\r\n"}

// stream sends one random stream both ways and compares.
func (z *bytesFuzz) stream(t *testing.T) {
	t.Helper()
	var pieces []string
	for range 1 + z.rand.IntN(12) {
		pieces = append(pieces, z.piece())
	}
	if !z.chance(3) {
		for range 1 + z.rand.IntN(3) {
			z.damage(pieces)
		}
	}
	wire := strings.Join(pieces, "")
	if z.without != nil && z.without.MatchString(wire) {
		return
	}
	z.tried++
	z.sent += len(wire)
	direct, proxied := z.exchange(t, wire)
	if direct == proxied {
		return
	}
	if why := explain(wire, direct, proxied); why != "" {
		z.explained[why]++
		return
	}
	// A server that closes may take with it what it has not sent yet.
	again := 0
	for range 3 {
		if d, p := z.exchange(t, wire); d != p && explain(wire, d, p) == "" {
			again++
		}
	}
	if again < 2 {
		z.explained["not repeated"]++
		return
	}
	z.unexplained++
	short := z.shorten(t, pieces)
	direct, proxied = z.exchange(t, short)
	t.Errorf("sent    %.1500q\ndirect  %.700q\nproxy   %.700q", short, direct, proxied)
}

// damage changes a few bytes of one piece.
func (z *bytesFuzz) damage(pieces []string) {
	i := z.rand.IntN(len(pieces))
	p := pieces[i]
	at := z.rand.IntN(len(p) + 1)
	to := min(len(p), at+z.rand.IntN(4))
	switch z.rand.IntN(7) {
	case 0:
		p = p[:at] + z.bytes(3) + p[to:]
	case 1:
		p = p[:at] + p[to:]
	case 2:
		p = p[:at] + oddities[z.rand.IntN(len(oddities))] + p[at:]
	case 3:
		p = p[:at] + oddities[z.rand.IntN(len(oddities))] + p[to:]
	case 4:
		p = oddities[z.rand.IntN(len(oddities))] + p
	case 5:
		p = p[:at] + p[:at] + p[at:]
	case 6:
		p = p[:at]
	}
	pieces[i] = p
}

// exchange empties both servers, sends wire both ways and returns all that came until the end.
func (z *bytesFuzz) exchange(t *testing.T, wire string) (direct, proxied string) {
	t.Helper()
	z.pair.clear(t)
	same := func(got string) string { return idOfHello.ReplaceAllString(got, "id") }
	return same(z.send(t, z.pair.direct.Addr, wire)), same(z.send(t, z.pair.proxy, wire))
}

func (z *bytesFuzz) send(t *testing.T, addr, wire string) string {
	t.Helper()
	c, err := testkit.Connect(addr)
	if err != nil {
		t.Fatalf("connect: %v\n%s", err, z.pair.proxyLog())
	}
	defer c.Close()
	for len(wire) > 0 {
		n := len(wire)
		if !z.chance(4) {
			n = 1 + z.rand.IntN(len(wire))
		}
		if c.SendBytes([]byte(wire[:n])) != nil {
			break // it has closed
		}
		wire = wire[n:]
	}
	_ = c.CloseWrite()
	c.Patience = 10 * time.Second
	got, err := c.Rest()
	if isTimeout(err) {
		return got + " (no end)"
	}
	return got
}

// shorten leaves out pieces while the difference stays.
func (z *bytesFuzz) shorten(t *testing.T, pieces []string) string {
	t.Helper()
	end := time.Now().Add(5 * time.Second)
	for i := 0; i < len(pieces) && time.Now().Before(end); {
		without := strings.Join(pieces[:i], "") + strings.Join(pieces[i+1:], "")
		d, p := z.exchange(t, without)
		if d != p && explain(without, d, p) == "" {
			pieces = append(pieces[:i:i], pieces[i+1:]...)
		} else {
			i++
		}
	}
	return strings.Join(pieces, "")
}

// explain says why the replies to wire may differ; "": they must not.
func explain(wire, direct, proxied string) string {
	switch more, longer := strings.CutPrefix(proxied, direct); {
	case crossProtocol.MatchString(wire) && (longer || strings.HasPrefix(direct, proxied)):
		return "POST and Host: end a connection with what was not written yet"
	case longer && strings.HasPrefix(more, "-ERR Protocol error: ") && strings.Contains(wire, "\x00"):
		// Redis looks for the end of a length line as C does, does not find it after a NUL, and waits for more.
		return "a NUL in a length line"
	case strings.Contains(proxied, "-ERR a transaction can't both subscribe to channels and publish\r\n"):
		return "a transaction can't both subscribe and publish"
	case knownHereOnly(direct, proxied):
		return "commands of newer servers"
	case strings.Contains(proxied, "-NOPERM this user has no permissions to run the '"):
		return "commands for administrators are refused"
	case strings.Contains(direct, "# Server\r\n") && strings.Contains(proxied, "# Server\r\n"), strings.Contains(direct, "zdiffstore") && strings.Contains(proxied, "zdiffstore"):
		return "damage that made INFO or COMMAND"
	case strings.Contains(proxied, "-ERR HELLO can't change the protocol inside a transaction\r\n"), hiddenHello.MatchString(wire):
		return "HELLO is refused in MULTI"
	case ownMessages(direct, proxied):
		// Redis 7.0 sends it in the middle of the command, later versions and the proxy after the reply. After QUIT there is nobody.
		return "a subscriber of RESP3 that publishes to itself has its message after the reply"
	}
	return ""
}

var messageHead = regexp.MustCompile(`>[34]\r\n\$[78]\r\n[ps]?message\r\n`)

// cutMessages takes the messages of subscriptions out of replies in RESP3.
func cutMessages(replies string) (rest string, messages []string) {
	for {
		at := messageHead.FindStringIndex(replies)
		if at == nil {
			return rest + replies, messages
		}
		var scan parser.ReplyScanner
		n, state := scan.Scan([]byte(replies[at[0]:]))
		if state != parser.Done {
			return rest + replies, messages
		}
		rest, messages = rest+replies[:at[0]], append(messages, replies[at[0]:at[0]+n])
		replies = replies[at[0]+n:]
	}
}

// ownMessages reports whether the replies are the same but for where messages stand between them, and the proxy made none up.
func ownMessages(direct, proxied string) bool {
	theirRest, theirs := cutMessages(direct)
	ourRest, ours := cutMessages(proxied)
	for _, m := range ours {
		if !slices.Contains(theirs, m) {
			return false
		}
	}
	return len(theirs) > 0 && theirRest == ourRest
}

// hiddenHello is HELLO in a transaction while replies, and so the error, are off.
var hiddenHello = regexp.MustCompile(`(?is)client.*reply.*(off|skip).*multi.*hello.*exec`)

var crossProtocol = regexp.MustCompile("(?i)post|host:")

// knownHereOnly reports whether the proxy counts the words of a command that this server does not know.
func knownHereOnly(direct, proxied string) bool {
	for _, m := range wrongNumber.FindAllStringSubmatch(proxied, -1) {
		if strings.Contains(strings.ToLower(direct), "-err unknown command '"+m[1]+"'") {
			return true
		}
	}
	return false
}

var wrongNumber = regexp.MustCompile("-ERR wrong number of arguments for '([^']*)' command")

// idOfHello is what HELLO says of the connection's own number.
var idOfHello = regexp.MustCompile("\\$2\r\nid\r\n:[0-9]+")
