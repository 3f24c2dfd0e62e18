package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringmaster/internal/testkit"
)

// attacker sends forms among commands of its own, whose replies it knows.
type attacker struct {
	run   *attackRun
	id    int
	rand  *rand.Rand
	forge *forger
	conn  *testkit.Conn
	resp3 bool
	seq   int
	ran   int // how often the counted scripts were sent
	// tainted: what was sent over this connection may give a direct client more than it asked for, too. It may get out of step here
	// as well, by its own texts.
	tainted bool
	leaves  bool // it does not wait for the replies to what it sends now
}

// step is a command of an attacker.
type step struct {
	args []string
	want string // the reply; "": whatever it is
	form bool   // it is the form's own
}

func newAttacker(run *attackRun, id int) *attacker {
	r := rand.New(rand.NewPCG(run.seed, uint64(100+id)))
	return &attacker{run: run, id: id, rand: r, forge: &forger{id: id, rand: r, addrs: run.front.addrs()}}
}

func (a *attacker) key(name string) string { return fmt.Sprintf("{atk%d}:%s", a.id, name) }

func (a *attacker) loop(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			a.check()
			return
		default:
		}
		a.run.peace.RLock()
		if a.conn == nil {
			a.connect()
		}
		if a.conn != nil {
			a.attack()
		}
		a.run.peace.RUnlock()
	}
}

func (a *attacker) connect() {
	c, err := testkit.Connect(a.run.front.proxy.Addr)
	a.resp3 = a.rand.IntN(2) == 0
	if err == nil && a.resp3 {
		err = speaks3(c)
	}
	if err != nil {
		a.run.note("attacker cannot connect: %v", err)
		return
	}
	a.conn, a.tainted = c, false
}

// speaks3 changes a new connection to RESP3; when it cannot, it closes it.
func speaks3(c *testkit.Conn) error {
	raw, err := c.Call("HELLO", "3")
	if err == nil && raw[0] != '%' {
		err = fmt.Errorf("HELLO 3: %.100s", raw)
	}
	if err != nil {
		c.Close()
	}
	return err
}

// attack tries the next form.
func (a *attacker) attack() {
	list := a.run.forms
	if len(a.run.sharp) > 0 && a.rand.IntN(2) == 0 {
		list = a.run.sharp
	}
	f := list[int(a.run.next.Add(1)-1)%len(list)]
	text := a.forge.text()
	if a.rand.IntN(8) == 0 {
		text = a.forge.traceback()
	}
	if a.run.phase.Load() == harmless {
		text = strings.NewReplacer("\r", " ", "\n", " ").Replace(text)
	} else {
		a.run.tried.Add(1)
	}
	own := fmt.Sprintf("attack%d", a.id)
	a.leaves = a.rand.IntN(5) == 0
	if a.leaves { // what it sends may run later
		own = fmt.Sprintf("left%d", a.id)
	}
	name, steps := a.plan(f, text, own)
	a.run.last.Store(fmt.Sprintf("%s, %s, text %.200q", f.name, name, text))
	for _, s := range steps {
		if s.form && len(s.args) > 3 && s.args[3] == a.key("ran") {
			a.ran++
		}
	}
	if a.leaves {
		a.leave(f, steps)
		return
	}
	var wire []byte
	for _, s := range steps {
		wire = testkit.AppendRequest(wire, s.args...)
	}
	err := a.conn.SendBytes(wire)
	var got, pushes []string
	for range steps {
		var raw []byte
		if err == nil {
			raw, err = a.conn.Next()
		}
		if err != nil {
			break
		}
		for err == nil && raw[0] == '>' && !strings.HasPrefix(f.name, "CLIENT") {
			pushes = append(pushes, string(raw))
			raw, err = a.conn.Next()
		}
		if err != nil {
			break
		}
		got = append(got, string(raw))
	}
	if err != nil {
		if isTimeout(err) {
			a.run.fault("an attacker got no reply to %q after %q", steps[len(got)].args, got)
		}
		a.run.note("attacker's connection: %v", err)
		a.conn.Close()
		a.conn = nil
	}
	// In a long run the bystanders' times count, and few forms are sent to the other server, too.
	if a.run.long && a.rand.IntN(8) > 0 || a.compare(f, steps, got) {
		a.tainted = true
	}
	a.judge(f, steps, got, pushes)
}

// plan puts the form's commands among commands of the attacker's own.
func (a *attacker) plan(f attackForm, text, own string) (name string, steps []step) {
	key := a.key("ran")
	if f.scripted && a.rand.IntN(2) == 0 {
		key = ""
	}
	if !f.scripted {
		key = a.key("plain")
	}
	for _, args := range f.commands(text, key, own) {
		steps = append(steps, step{args: args, form: true})
	}
	switch a.rand.IntN(6) {
	case 0:
		name, steps = "in MULTI", a.transaction(steps)
	case 1:
		name = "in MULTI after WATCH"
		steps = append([]step{{args: []string{"WATCH", a.key("watched")}, want: "+OK\r\n"}}, a.transaction(steps)...)
	case 2:
		name = "between commands"
		steps = slices.Concat(a.own(), steps, a.own())
	case 3:
		name = "three times"
		steps = slices.Concat(steps, a.own(), steps, steps, a.own())
	case 4:
		name = "after SELECT"
		if a.run.front.kind != "cluster" {
			steps = slices.Concat([]step{{args: []string{"SELECT", "1"}, want: "+OK\r\n"}}, steps, []step{{args: []string{"SELECT", "0"}, want: "+OK\r\n"}})
		}
	default:
		name = "alone"
	}
	if a.resp3 {
		name += " with RESP3"
	}
	a.seq++
	nonce := fmt.Sprintf("nonce:%d:%d", a.id, a.seq)
	return name, append(steps, step{args: []string{"ECHO", nonce}, want: bulk(nonce)})
}

func (a *attacker) transaction(steps []step) []step {
	return slices.Concat([]step{{args: []string{"MULTI"}, want: "+OK\r\n"}}, steps, []step{{args: []string{"GET", a.key("never")}, want: "+QUEUED\r\n"}, {args: []string{"EXEC"}}})
}

// own is a write and a read whose replies are known.
func (a *attacker) own() []step {
	a.seq++
	key, value := a.key("own"), fmt.Sprintf("own:%d:%d", a.id, a.seq)
	if a.leaves { // it may run after what its next connection writes
		key = a.key("left")
	}
	return []step{{args: []string{"SET", key, value}, want: "+OK\r\n"}, {args: []string{"GET", key}, want: bulk(value)}}
}

// judge sees that the attacker, too, gets nothing but answers to its own requests: it can put nobody out of step but itself.
func (a *attacker) judge(f attackForm, steps []step, got, pushes []string) {
	for _, raw := range slices.Concat(got, pushes) {
		if bystandersWords.MatchString(raw) || a.othersMark(raw) {
			a.run.foreign("an attacker got %.200q", raw)
		}
	}
	wrong := ""
	if len(pushes) > 0 {
		wrong = fmt.Sprintf("pushes %.200q", pushes)
	}
	for i, raw := range got {
		if want := steps[i].want; want != "" && raw != want && wrong == "" && !changesMode(f.name) {
			if proxysWord(raw) || !f.scripted && a.run.front.kind != "one" && strings.HasPrefix(raw, "-CROSSSLOT ") {
				a.run.note("attacker's own command: %.100s", raw)
				continue
			}
			wrong = fmt.Sprintf("%.200q for %q, want %.100q", raw, steps[i].args, want)
		}
	}
	switch {
	case wrong != "" && a.tainted:
		a.run.note("an attacker put itself out of step")
	case wrong != "":
		a.run.foreign("an attacker got %s", wrong)
	}
	if a.conn != nil && (wrong != "" || changesMode(f.name)) {
		a.conn.Close()
		a.conn = nil
	}
}

// bystandersWords are in what bystanders write and are told.
var bystandersWords = regexp.MustCompile(`by[0-9]:(value|echo|list)|said [0-9]`)

// othersMark reports whether text was forged by another attacker.
func (a *attacker) othersMark(text string) bool {
	for _, m := range forgedMark.FindAllStringSubmatch(text, -1) {
		if m[1] != strconv.Itoa(a.id) {
			return true
		}
	}
	return false
}

var forgedMark = regexp.MustCompile(attackMark + "([0-9]+)x")

// changesMode reports whether a form may rightly change what its own connection is answered next.
func changesMode(name string) bool {
	for _, word := range []string{"HELLO", "MULTI", "EXEC", "DISCARD", "SELECT", "RESET", "CLIENT", "WATCH", "AUTH"} {
		if strings.HasPrefix(name, word) {
			return true
		}
	}
	return false
}

// compare asks a server directly, compares the replies to scripts in front of one server, and reports whether a direct client gets
// more than it asked for.
func (a *attacker) compare(f attackForm, steps []step, got []string) (holed bool) {
	c, err := testkit.Connect(a.run.direct.Addr)
	if err != nil {
		a.run.note("direct: %v", err)
		return true
	}
	defer c.Close()
	nonce := strings.TrimSuffix(steps[len(steps)-1].want, "\r\n")
	var wire []byte
	if a.resp3 {
		wire = testkit.AppendRequest(wire, "HELLO", "3")
	}
	for _, s := range steps {
		wire = testkit.AppendRequest(wire, s.args...)
	}
	if err := c.SendBytes(wire); err != nil {
		a.run.note("direct: %v", err)
		return true
	}
	raw, err := until(c, nonce+"\r\n")
	if err != nil {
		return true // the form ends its connection, or waits
	}
	want, whole := split(raw, a.resp3)
	holed = !whole || len(want) != len(steps)
	first := slices.IndexFunc(steps, func(s step) bool { return s.form })
	if holed {
		a.run.holed(f.name, raw)
	}
	if a.run.front.kind != "one" || !f.scripted {
		return holed
	}
	for i := range min(len(got), len(want)) {
		if holed && (i > first || steps[0].args[0] == "MULTI" || steps[0].args[0] == "WATCH") {
			return holed // what comes after a surplus line cannot be compared
		}
		if proxysWord(got[i]) || i > 0 && got[i-1][0] == '-' && strings.HasPrefix(steps[i].args[0], "FCALL") {
			return holed // what follows depends on what was not run, or on a library that an earlier form loaded
		}
		if steps[i].args[0] == "EXEC" && (got[i] == "*-1\r\n" || got[i] == "_\r\n" || strings.HasPrefix(f.name, "FCALL") && strings.Contains(want[i], "-ERR Error ")) {
			return holed // the connection that watched was ended, or an earlier library ran
		}
		if got[i] == "+QUEUED\r\n" && strings.HasPrefix(want[i], "-ERR unknown command") {
			return holed // the proxy knows the commands of newer servers, too
		}
		if got[i] != want[i] && !(holed && got[i][0] == '-') {
			a.run.fault("%q was answered %.300q, directly %.300q", shorten(steps[i].args), got[i], want[i])
			return holed
		}
	}
	return holed
}

// proxysWord reports whether a reply is an error of the proxy about a server or a connection.
func proxysWord(raw string) bool {
	return strings.HasPrefix(raw, "-ERR ") && !strings.Contains(raw, attackMark) &&
		(strings.Contains(raw, "server") || strings.Contains(raw, "connection") || strings.Contains(raw, "the proxy"))
}

func shorten(args []string) (short []string) {
	for _, a := range args {
		short = append(short, a[:min(len(a), 300)])
	}
	return short
}

// until reads until what was read has end.
func until(c *testkit.Conn, end string) ([]byte, error) {
	var all []byte
	part := make([]byte, 64<<10)
	for !bytes.Contains(all, []byte(end)) {
		if err := c.SetReadDeadline(time.Now().Add(c.Patience)); err != nil {
			return all, err
		}
		n, err := c.Read(part)
		all = append(all, part[:n]...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// split is the replies in raw; false: it does not end with a whole one.
func split(raw []byte, hello bool) (replies []string, whole bool) {
	r := bufio.NewReader(bytes.NewReader(raw))
	if hello {
		if _, err := testkit.ReadReplyInto(nil, r); err != nil {
			return nil, false
		}
	}
	for {
		if _, err := r.Peek(1); err != nil {
			return replies, true
		}
		one, err := testkit.ReadReplyInto(nil, r)
		if err != nil {
			return replies, false
		}
		replies = append(replies, string(one))
	}
}

// check compares how often scripts ran with how often they were sent.
func (a *attacker) check() {
	if a.conn != nil {
		a.conn.Close()
	}
	c, err := testkit.Connect(a.run.front.proxy.Addr)
	if err != nil {
		a.run.fault("connect: %v", err)
		return
	}
	defer c.Close()
	raw, err := c.Call("GET", a.key("ran"))
	v, err2 := testkit.ParseValue([]byte(raw))
	if err != nil || err2 != nil {
		a.run.fault("GET: %v, %v", err, err2)
		return
	}
	if n, _ := strconv.Atoi(v.Text); n > a.ran {
		a.run.twice("scripts ran %d times and were sent %d times", n, a.ran)
	}
}
