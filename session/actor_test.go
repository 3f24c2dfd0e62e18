package session_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"ringmaster/parser"
	"ringmaster/stats"
)

// actor is a client of the random test, which knows what it must get.
type actor struct {
	*chaos
	*clientEnd
	asked     []question // sent and not yet answered
	unsent    []byte
	count     int
	done      bool // has said its last
	half      bool // and has told so
	watchTag  string
	db, proto int  // as of the last reply seen
	refused   bool // a command of the transaction was
	answered  uint64
}

// question is a command and how it was asked.
type question struct {
	args []string
	name string // as the table has it; "": it is no command
}

func ask(args []string, words ...string) question {
	if len(words) == 0 {
		words = args
	}
	name := strings.ToLower(words[0])
	switch name {
	case "broken":
		name = ""
	case "client":
		name += "|" + strings.ToLower(words[1])
	}
	return question{args, name}
}

// value is what a key holds: itself, where it was found, and as much more as its name asks for.
func value(key, server string, db, proto int) string {
	_, size, _ := strings.Cut(key, "#")
	n, _ := strconv.Atoi(size)
	return fmt.Sprintf("%s at %s db %d resp %d %s", key, server, db, proto, strings.Repeat("v", n))
}

// ask thinks of a few commands to send.
func (a *actor) ask() {
	for range 1 + a.rnd.IntN(6) {
		if a.done || len(a.asked) > 200 {
			return
		}
		args := a.think()
		if args[0] == "TX" {
			tag := a.names[a.rnd.IntN(len(a.names))]
			if a.watchTag != "" && a.rnd.IntN(4) > 0 {
				tag = a.watchTag
			}
			a.push([]string{"MULTI"})
			want := []string{"EXEC"}
			for range a.rnd.IntN(5) {
				switch a.rnd.IntN(8) {
				case 0:
					a.push([]string{"CLIENT", "ID"})
					want = append(want, "id")
				case 1:
					if a.fake != nil {
						continue
					}
					db := strconv.Itoa(a.rnd.IntN(3))
					a.push([]string{"SELECT", db})
					want = append(want, "db"+db)
				default:
					k := a.key()
					k = "{" + tag + "}" + k[3:]
					a.push([]string{"GET", k})
					if a.watchTag != "" { // or another, if that was the second
						a.asked[len(a.asked)-1].args = []string{"QUEUED", "WATCHES"}
					}
					want = append(want, k)
				}
			}
			switch a.rnd.IntN(12) {
			case 0:
				a.push([]string{"DISCARD"})
				a.watchTag = ""
			case 1:
				a.push([]string{"MULTIEND", "RESET"})
				a.watchTag = ""
			default:
				a.push(want)
				a.watchTag = ""
			}
			continue
		}
		if args[0] == "WATCH" {
			a.watchTag = args[1][1:2]
		}
		if args[0] == "UNWATCH" {
			a.watchTag = ""
		}
		a.asked = append(a.asked, ask(args))
		switch {
		case args[0] == "BROKEN":
			a.unsent = append(a.unsent, "*1\r\n+5\r\n"...)
			a.done = true
		case a.rnd.IntN(10) == 0 && len(args[len(args)-1]) < 1000:
			a.unsent = append(a.unsent, strings.Join(args, " ")+"\r\n"...)
		default:
			a.unsent = parser.AppendArray(a.unsent, len(args))
			for _, w := range args {
				a.unsent = parser.AppendBulkString(a.unsent, w)
			}
		}
		a.done = a.done || args[0] == "QUIT"
	}
}

func (a *actor) push(args []string) {
	q := ask(args)
	switch {
	case args[0] == "MULTI":
		a.asked = append(a.asked, q)
	case args[0] == "MULTIEND":
		args = []string{"RESET"}
		q = ask(args)
		a.asked = append(a.asked, q)
	case args[0] == "EXEC":
		a.asked = append(a.asked, q)
		args = args[:1]
	case args[0] == "DISCARD":
		a.asked = append(a.asked, ask([]string{"UNWATCH"}, args...))
	default:
		a.asked = append(a.asked, ask([]string{"QUEUED"}, args...))
	}
	a.unsent = parser.AppendArray(a.unsent, len(args))
	for _, w := range args {
		a.unsent = parser.AppendBulkString(a.unsent, w)
	}
}

// key is one that no other client and no other command has.
func (a *actor) key() string {
	a.count++
	size := []int{0, 0, 0, 10, 500, 5000}[a.rnd.IntN(6)]
	return fmt.Sprintf("{%s}%s-%d#%d", a.names[a.rnd.IntN(len(a.names))], a.clientEnd.name, a.count, size)
}

func (a *actor) keys() (keys []string) {
	for range 1 + a.rnd.IntN(6) {
		keys = append(keys, a.key())
	}
	return keys
}

func (a *actor) think() []string {
	switch n := a.rnd.IntN(1000); {
	case n < 330:
		return []string{"GET", a.key()}
	case n < 350:
		return []string{"BLPOP", a.key(), "0"}
	case n < 352 && (len(a.names) == 1 && a.lists == nil || a.fake != nil):
		return []string{"CLIENT", "NO-EVICT", "on"}
	case n < 370:
		return []string{"WATCH", a.key()}
	case n < 380:
		return []string{"UNWATCH"}
	case n < 400:
		return []string{"TX"}
	case n < 550:
		return []string{"SET", a.key(), strings.Repeat("x", 1+a.rnd.IntN(100))}
	case n < 560:
		return []string{"SET", a.key(), strings.Repeat("x", 60000+a.rnd.IntN(20000))}
	case n < 700:
		return append([]string{"MGET"}, a.keys()...)
	case n < 760:
		args := []string{"MSET"}
		for _, k := range a.keys() {
			args = append(args, k, "x")
		}
		return args
	case n < 820:
		return append([]string{"DEL"}, a.keys()...)
	case n < 850:
		return []string{"DBSIZE"}
	case n < 850+40 && !a.placid: // a script that forges a reply ends the connection
		return []string{"EVAL", "x", "1", a.key()}
	case n < 930:
		return []string{"ECHO", a.key()}
	case n < 970 && a.fake == nil:
		return []string{"SELECT", strconv.Itoa([]int{0, 0, 1, 2, 99}[a.rnd.IntN(5)])}
	case n < 990:
		return []string{"HELLO", strconv.Itoa(2 + a.rnd.IntN(2))}
	case n < 997:
		return []string{"QUIT"}
	}
	return []string{"BROKEN"}
}

// sendSome sends a random part of what is to be sent.
func (a *actor) sendSome() {
	if a.paused || len(a.unsent) == 0 {
		return
	}
	n := 1 + a.rnd.IntN(len(a.unsent))
	if a.rnd.IntN(3) == 0 {
		n = min(n, 20)
	}
	b := a.unsent[:n]
	a.unsent = a.unsent[n:]
	a.send(b)
}

// halfClose says that no more will be sent; what is owed must still come.
func (a *actor) halfClose() {
	if len(a.unsent) == 0 && !a.done && !a.closed {
		a.done, a.half = true, true
		a.session.OnEOF(a.clientEnd)
	}
}

// look takes the whole replies that have come and judges each.
func (a *actor) look() {
	for len(a.in) > 0 {
		var s parser.ReplyScanner
		n, st := s.Scan(a.in)
		if st == parser.Broken {
			a.tb.Fatalf("client %s got what is no reply: %q", a.clientEnd.name, a.in)
		}
		if st == parser.More {
			return
		}
		if len(a.asked) == 0 {
			a.tb.Fatalf("client %s got a reply too many: %.200q", a.clientEnd.name, a.in)
		}
		q := a.asked[0]
		a.asked = a.asked[1:]
		a.counted(q, a.in[:n])
		if !a.judge(q.args, a.in[:n]) {
			a.tb.Fatalf("client %s asked %.200q and got %.300q, being in db %d with protocol %d",
				a.clientEnd.name, q.args, a.in[:n], a.db, a.proto)
		}
		a.in = a.in[n:]
	}
}

// ownError is what the proxy may say when servers fail.
var ownError = regexp.MustCompile(`^-ERR (timed out after 1000 ms waiting for server [A-I](r\d+)?; the command (may have run|was not sent|did not run)` +
	`|lost the connection to server [A-I](r\d+)?; the command (may have run|was not sent)( \((reset|refused|broken pipe|connection is no longer needed|closed the connection|is no longer part[^)]*|sent (too many or too few replies|a reply that answers no request)[^)]*|sent bytes that are not RESP|refused ECHO[^)]*|did not finish[^)]*|does not acknowledge the bytes sent to it)\))?` +
	`|server [A-I](r\d+)? is down; the command (was not sent|may have run|did not run)( \([^)]*\))?` +
	`|server [A-I](r\d+)? no longer has the keys, and the command can't be sent to another server; it did not run` +
	`|server [A-I](r\d+)? refused the command at first, and a later command has run since; the first one did not run` +
	`|server [A-I](r\d+)? has too many requests waiting; the command (was not sent|may have run|did not run)` +
	`|no replica of server [A-E](r\d+)? is available for reads; the command (was not sent|may have run)|the server refuses MULTI from the proxy; no command of the transaction was sent|no dedicated connection is available for this command \(see --pinned-connections\); it was not sent|the proxy is shutting down; the command was not sent|no server can be reached: (reset|refused|broken pipe|connection is no longer needed|did not finish.*|does not acknowledge.*|could not be reached.*))\r\n$`)

func (a *actor) ownError(b []byte) bool {
	return ownError.Match(b) || string(b) == readOnly || (a.fake != nil || a.successors != nil) && passingError.Match(b)
}

// judge reports whether b answers the command.
func (a *actor) judge(args []string, b []byte) bool {
	if !a.answers(args, b) {
		return false
	}
	if args[0] != "MGET" && b[0] != '-' {
		a.judgeOrder(append(keysOf(args), args[1:]...)...)
	}
	return true
}

// judgeOrder looks whether a command that was answered ran after a later one of the client for the same keys.
func (a *actor) judgeOrder(keys ...string) {
	for _, k := range keys {
		if a.fake != nil && a.fake.late[k] || a.successors != nil && a.successors.late[k] || a.lists != nil && a.lists.late[k] {
			a.tb.Fatalf("client %s: the command for %s was overtaken", a.clientEnd.name, k)
		}
	}
}

// refusalOfScript is what a script gets that could not be sent as a transaction, and for which no witness could be asked.
var refusalOfScript = regexp.MustCompile(`^-(MOVED|ASK|CLUSTERDOWN|LOADING|TRYAGAIN|READONLY) .*\r\n$`)

// answers reports whether b answers the command.
func (a *actor) answers(args []string, b []byte) bool {
	if a.ownError(b) && args[0] != "ECHO" && args[0] != "QUIT" && args[0] != "BROKEN" {
		a.errors++
		if a.placid {
			a.tb.Errorf("client %s asked %.200q and got %.200q", a.clientEnd.name, args, b)
		}
		return true
	}
	if args[0] == "MGET" {
		return a.judgeList(args[1:], b)
	}
	if (args[0] == "EXEC" || args[0] == "WATCH" || args[0] == "BLPOP") && bytes.HasPrefix(b, []byte("-CROSSSLOT")) {
		return true
	}
	if args[0] == "EXEC" {
		return a.judgeExec(args[1:], b)
	}
	if !a.right(args, b) {
		return false
	}
	a.chaos.right++
	return true
}

func (a *actor) right(args []string, b []byte) bool {
	switch args[0] {
	case "GET":
		return string(b) == string(parser.AppendBulkString(nil, a.value(args[1])))
	case "EVAL":
		return string(b) == string(parser.AppendBulkString(nil, a.value(args[3]))) || string(b) == "-ERR boom\r\n" ||
			(a.fake != nil || a.successors != nil) && (refusalOfScript.Match(b) || string(b) == noMemory)
	case "SET":
		return string(b) == "+"+a.value(args[1])+"\r\n"
	case "BLPOP":
		return string(b) == string(parser.AppendBulkString(nil, a.value(args[1])))
	case "QUEUED":
		a.refused = a.refused || b[0] == '-'
		return string(b) == "+QUEUED\r\n" || string(b) == noMemory || len(args) > 1 && bytes.HasPrefix(b, []byte("-CROSSSLOT"))
	case "RESET":
		a.db, a.proto = 0, 2
		return string(b) == "+RESET\r\n"
	case "MSET", "QUIT", "CLIENT", "MULTI", "WATCH", "UNWATCH":
		a.refused = a.refused && args[0] != "MULTI"
		return string(b) == "+OK\r\n"
	case "DEL":
		return string(b) == string(parser.AppendInt(nil, int64(len(args)-1)))
	case "DBSIZE":
		if a.fake != nil {
			return regexp.MustCompile("^:[1-5]00\r\n$").Match(b)
		}
		if a.lists != nil {
			n, ok := parser.Integer(b)
			return ok && n%int64(100+a.db) == 0 && n >= 100 && n <= 5*int64(100+a.db)
		}
		return string(b) == string(parser.AppendInt(nil, int64(len(a.names)*(100+a.db))))
	case "ECHO":
		return string(b) == string(parser.AppendBulkString(nil, args[1]))
	case "BROKEN":
		return bytes.HasPrefix(b, []byte("-ERR Protocol error: expected '$'"))
	case "SELECT":
		if args[1] == "99" {
			return string(b) == "-ERR DB index is out of range\r\n"
		}
		a.db, _ = strconv.Atoi(args[1])
		return string(b) == "+OK\r\n"
	case "HELLO":
		a.proto, _ = strconv.Atoi(args[1])
		return bytes.HasPrefix(b, []byte(map[int]string{2: "*14\r\n", 3: "%7\r\n"}[a.proto])) &&
			bytes.Contains(b, parser.AppendInt([]byte("$2\r\nid\r\n"), int64(a.session.ID())))
	}
	return false
}

func (a *actor) value(key string) string { return value(key, key[1:2], a.db, a.proto) }

// judgeList judges MGET's reply: each element is the key's value or an error.
func (a *actor) judgeList(keys []string, b []byte) bool {
	header := parser.AppendArray(nil, len(keys))
	if !bytes.HasPrefix(b, header) {
		return false
	}
	b = b[len(header):]
	failed := false
	for _, k := range keys {
		n := parser.ElementEnd(b)
		one := b[:n]
		b = b[n:]
		failed = failed || a.ownError(one)
		if !a.ownError(one) && string(one) != string(parser.AppendBulkString(nil, a.value(k))) {
			return false
		}
		if !a.ownError(one) {
			a.judgeOrder(k)
		}
	}
	if failed {
		if a.errors++; a.placid {
			a.tb.Errorf("client %s asked %.200q and got an error", a.clientEnd.name, keys)
		}
	} else {
		a.chaos.right++
	}
	return len(b) == 0
}

// judgeEnd looks at a client that the proxy has closed.
func (a *actor) judgeEnd() {
	if !closeReasons[a.reason] || a.reason == stats.ClientClosed && !a.half {
		a.tb.Fatalf("client %s was closed: %s", a.clientEnd.name, a.reason)
	}
	a.read()
	a.look()
	ended := a.reason == stats.Quit || a.reason == stats.ProtocolError || a.reason == stats.ClientClosed
	if a.reason == stats.ClientClosed && len(a.asked) > 0 && len(a.in) == 0 && a.asked[0].args[0] == "BLPOP" {
		return // who has shut the write half is not blocked
	}
	if ended && (len(a.asked) > 0 || len(a.in) > 0) {
		a.tb.Fatalf("client %s was closed for %s before %d replies, with %.100q", a.clientEnd.name, a.reason, len(a.asked), a.in)
	}
	if len(a.in) > 0 && !a.begins() {
		a.tb.Fatalf("client %s was cut off in %.200q, which does not begin an answer to %.100q", a.clientEnd.name, a.in, a.asked[0].args)
	}
}

// begins reports whether what is left of the replies begins the one that is next.
func (a *actor) begins() bool {
	if len(a.asked) == 0 {
		return false
	}
	args := a.asked[0].args
	var whole []byte
	switch args[0] {
	case "EXEC":
		whole = parser.AppendArray(nil, len(args)-1)
		for _, k := range args[1:] {
			if k == "id" || strings.HasPrefix(k, "db") {
				return true
			}
			whole = parser.AppendBulkString(whole, a.value(k))
		}
	case "EVAL":
		whole = parser.AppendBulkString(nil, a.value(args[3]))
	case "GET", "BLPOP":
		whole = parser.AppendBulkString(nil, a.value(args[1]))
	case "MGET":
		whole = parser.AppendArray(nil, len(args)-1)
		for _, k := range args[1:] {
			whole = parser.AppendBulkString(whole, a.value(k))
		}
	default:
		return false
	}
	return bytes.HasPrefix(whole, a.in)
}

func (a *actor) judgeExec(want []string, b []byte) bool {
	a.execs++
	if a.refused {
		return string(b) == aborted
	}
	if string(b) == "-EXECABORT Transaction discarded because of: OOM none\r\n" {
		a.chaos.right++
		return true
	}
	if string(b) == "*-1\r\n" || string(b) == "_\r\n" {
		a.nils++
		return true
	}
	header := parser.AppendArray(nil, len(want))
	if !bytes.HasPrefix(b, header) {
		return false
	}
	b = b[len(header):]
	for _, k := range want {
		n := parser.ElementEnd(b)
		one := string(b[:n])
		b = b[n:]
		switch {
		case k == "id":
			if one != fmt.Sprintf(":%d\r\n", a.session.ID()) {
				return false
			}
		case strings.HasPrefix(k, "db"):
			if one != "+OK\r\n" {
				return false
			}
			a.db, _ = strconv.Atoi(k[2:])
		default:
			if one != string(parser.AppendBulkString(nil, a.value(k))) {
				return false
			}
		}
	}
	a.chaos.right++
	return len(b) == 0
}
