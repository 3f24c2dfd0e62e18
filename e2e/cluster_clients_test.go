package e2e

import (
	"fmt"
	"strings"
	"time"

	"ringmaster/internal/testkit"
)

// clusterClient is a client of a cluster that knows what it has written: counters, values over several slots, transactions, scripts,
// blocking pops.
type clusterClient struct {
	run          *clusterRun
	id, round    int
	conn, second *testkit.Conn
	hot          string // beginning of keys in slots that are moved
	cold, colder string // of keys in two others
	counters     [3]counter
	queues       int  // number of the queue in use
	failed       bool // something in this round did
}

// afterError is the pause of a client that was told an error, so that it does not only ask for the next one.
const afterError = 5 * time.Millisecond

// counter is a key that only one client counts up. Its value is at least what can't be lost and at most what may have been done.
type counter struct {
	key     string
	acked   int   // the latest reply
	safe    int   // the latest reply that a replica knows, too
	unsure  int   // increments since without a reply
	crashes int64 // when the latest was sent
}

// coldKey is the beginning of a client's keys in one of a few slots that nobody moves.
func coldKey(id int) string { return fmt.Sprintf("{c%d}:%d:", id%coldSlots, id) }

const coldSlots = 16

func (m *clusterClient) loop() {
	tag := hotTags[m.id%len(hotTags)]
	m.hot = fmt.Sprintf("%s:%d:", tag, m.id)
	m.cold, m.colder = coldKey(m.id), coldKey(m.id+1)
	m.counters[0].key, m.counters[1].key, m.counters[2].key = m.cold+"n", m.hot+"n", m.hot+"tx"
	defer m.close()
	for ; !m.run.stopped(); m.round++ {
		m.failed = false
		if m.connect() {
			m.step()
		}
		if m.failed {
			m.run.pause()
		}
	}
	m.readBack()
}

// connect makes the connections that are missing.
func (m *clusterClient) connect() bool {
	for _, c := range []**testkit.Conn{&m.conn, &m.second} {
		if *c != nil {
			continue
		}
		conn, err := testkit.Connect(m.run.proxy.Addr)
		if err != nil {
			m.run.fault("client %d cannot connect: %v", m.id, err)
			return false
		}
		conn.Patience = replyPatience * second
		*c = conn
	}
	return true
}

func (m *clusterClient) close() {
	for _, c := range []**testkit.Conn{&m.conn, &m.second} {
		if *c != nil {
			(*c).Close()
			*c = nil
		}
	}
}

// step is one round of all commands.
func (m *clusterClient) step() {
	crashes := m.run.crashes.Load()
	value := fmt.Sprintf("%d-%d", m.id, m.round)
	m.count(&m.counters[0])
	m.countInTurn(&m.counters[1], 4)
	keys := []string{m.cold + "a", m.colder + "b", m.hot + "c"}
	m.do("MSET", keys[0], value, keys[1], value+"x", keys[2], value+"y")
	got := m.do("MGET", keys[2], keys[0], keys[1])
	if !m.failed && m.run.crashes.Load() == crashes && got != testkit.Request(value+"y", value, value+"x") {
		m.run.fault("client %d: MGET %q after MSET of %q", m.id, got, value)
	}
	m.readWhatIsWritten(value)
	m.transact(&m.counters[2], value)
	m.script(value)
	if m.round%4 == 0 {
		m.block(value)
	}
	if m.round%8 == 0 {
		m.confirm()
	}
}

// do sends one command and returns its reply, or nothing when it fails.
func (m *clusterClient) do(args ...string) string {
	replies := m.send(args)
	if replies == nil {
		return ""
	}
	return replies[0]
}

// send sends commands at once and returns their replies, "" for each that fails; nil: not even the connection is left.
func (m *clusterClient) send(commands ...[]string) []string {
	if m.conn == nil {
		return nil
	}
	var wire []byte
	for _, args := range commands {
		wire = testkit.AppendRequest(wire, args...)
	}
	sent := time.Now()
	if err := m.conn.SendBytes(wire); err != nil {
		m.lost(commands[0], err)
		return nil
	}
	replies := make([]string, len(commands))
	for i := range commands {
		reply, ok := m.next(sent, commands[i])
		if m.conn == nil {
			return nil
		}
		if ok {
			replies[i] = reply
		}
	}
	return replies
}

// next reads the reply to a command; !ok: it failed.
func (m *clusterClient) next(sent time.Time, args []string) (reply string, ok bool) {
	b, err := m.conn.Next()
	m.run.commands.Add(1)
	if err != nil {
		m.lost(args, err)
		return "", false
	}
	if reply = string(b); reply[0] == '-' || strings.Contains(reply, "\r\n-") {
		m.failed = true
		m.run.failed(sent, "client %d, %.60q: %.200q", m.id, args, reply)
		if reply[0] == '-' && !isClearInCluster(reply) {
			m.run.fault("client %d, %.60q: unclear error %.200q", m.id, args, reply)
		}
		return "", false
	}
	return reply, true
}

// lost deals with the end of the connection, which none of these commands is a reason for, whatever happens to servers.
func (m *clusterClient) lost(args []string, err error) {
	m.failed = true
	m.run.fault("client %d lost its connection at %.60q: %v", m.id, args, err)
	m.close()
}

// count counts up by one.
func (m *clusterClient) count(c *counter) {
	crashes := m.run.crashes.Load()
	m.counted(c, crashes, "INCR", m.do("INCR", c.key))
}

// countInTurn counts up n times without waiting between. What is sent later must not happen earlier.
func (m *clusterClient) countInTurn(c *counter, n int) {
	crashes := m.run.crashes.Load()
	commands := make([][]string, n)
	for i := range commands {
		commands[i] = []string{"INCR", c.key}
	}
	replies := m.send(commands...)
	if replies == nil {
		replies = make([]string, n)
	}
	for _, reply := range replies {
		m.counted(c, crashes, "one of several INCR", reply)
	}
}

// counted judges the reply to an increment that was sent after so many crashes, "" if it failed.
func (m *clusterClient) counted(c *counter, crashes int64, what, reply string) {
	if reply == "" {
		c.unsure++
		return
	}
	var got int
	if _, err := fmt.Sscanf(reply, ":%d\r\n", &got); err != nil {
		m.run.fault("client %d: %s answers %.100q", m.id, what, reply)
		return
	}
	m.judge(c, got-1, what)
	c.acked, c.unsure, c.crashes = got, 0, crashes
	c.safe = min(c.safe, got)
}

// judge looks at what a counter was found to be.
func (m *clusterClient) judge(c *counter, got int, what string) {
	least, most := c.acked, c.acked+c.unsure
	if m.run.crashes.Load() != c.crashes {
		least = c.safe
	}
	if got < least || got > most {
		m.run.fault("client %d: %s finds %s at %d, want %d to %d", m.id, what, c.key, got, least, most)
	}
}

// readWhatIsWritten writes and reads a key in one write of the client's: each read gives what was written just before.
func (m *clusterClient) readWhatIsWritten(value string) {
	const pairs = 10
	var commands [][]string
	for n := range pairs {
		commands = append(commands, []string{"SET", m.hot + "p", fmt.Sprint(value, n)}, []string{"GET", m.hot + "p"})
	}
	crashes := m.run.crashes.Load()
	for i, reply := range m.send(commands...) {
		if want := bulk(commands[i&^1][2]); i%2 == 1 && reply != want && !m.failed && m.run.crashes.Load() == crashes {
			m.run.fault("client %d: GET number %d of a pipeline answers %.100q, want %q", m.id, i/2, reply, want)
		}
	}
}

// transact counts up in a transaction, every other time with a watched key.
func (m *clusterClient) transact(c *counter, value string) {
	crashes := m.run.crashes.Load()
	if m.round%2 == 0 && m.do("WATCH", c.key) == "" {
		return
	}
	if m.round%2 == 0 {
		m.do("GET", c.key)
	}
	replies := m.send([]string{"MULTI"}, []string{"INCR", c.key}, []string{"SET", c.key + "v", value}, []string{"EXEC"})
	switch {
	case replies == nil || replies[3] == "":
		c.unsure++
		return
	case replies[3] == "*-1\r\n" && m.round%2 == 0:
		return // the watched key has moved: as a client of Redis would, it tries again
	}
	var got int
	if _, err := fmt.Sscanf(replies[3], "*2\r\n:%d\r\n+OK\r\n", &got); err != nil {
		m.run.fault("client %d: EXEC answers %.100q", m.id, replies[3])
		return
	}
	if m.round%2 == 0 {
		m.run.watched.Add(1)
	}
	m.counted(c, crashes, "EXEC", fmt.Sprintf(":%d\r\n", got))
}

// script has a reply that no other request has.
func (m *clusterClient) script(value string) {
	if got := m.do("EVAL", "redis.call('SET', KEYS[1], ARGV[1]) return ARGV[1]", "1", m.hot+"s", value); got != "" && got != bulk(value) {
		m.run.fault("client %d: EVAL answers %.100q, want %q", m.id, got, value)
	}
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

// block waits for what the client's other connection pushes afterwards.
func (m *clusterClient) block(value string) {
	if m.conn == nil {
		return
	}
	crashes := m.run.crashes.Load()
	queue := fmt.Sprintf("%sq%d", m.hot, m.queues)
	sent := time.Now()
	if err := m.conn.SendBytes(testkit.AppendRequest(nil, "BLPOP", queue, "5")); err != nil {
		m.lost([]string{"BLPOP"}, err)
		return
	}
	pushed, err := m.second.Call("RPUSH", queue, value)
	m.run.commands.Add(1)
	if err != nil {
		m.lost([]string{"RPUSH"}, err)
		return
	}
	if pushed[0] == '-' {
		m.failed = true
		m.run.failed(sent, "client %d, RPUSH: %.200q", m.id, pushed)
	}
	got, ok := m.next(sent, []string{"BLPOP", queue})
	if m.failed || !ok || m.run.crashes.Load() != crashes {
		m.queues++ // who knows what is in this one
	} else if got != testkit.Request(queue, value) {
		m.run.fault("client %d: BLPOP answers %.100q, want %q", m.id, got, value)
		m.queues++
	}
}

// confirm finds out which writes a replica knows.
func (m *clusterClient) confirm() {
	if m.run.replicas == 0 || m.conn == nil {
		return
	}
	crashes := m.run.crashes.Load()
	got, err := m.conn.Call("WAIT", "1", "200")
	switch {
	case err != nil:
		m.lost([]string{"WAIT"}, err)
		return
	case !strings.HasPrefix(got, ":"): // a node may have become a replica: Redis says so, too
		m.failed = true
		return
	case got == ":0\r\n" || m.run.crashes.Load() != crashes:
		return
	}
	for i := range m.counters {
		if c := &m.counters[i]; c.crashes == crashes {
			c.safe = c.acked
		}
	}
}

// readBack compares all counters at the end.
func (m *clusterClient) readBack() {
	for i := range m.counters {
		c := &m.counters[i]
		if !m.connect() {
			return
		}
		got := m.do("GET", c.key)
		if got == "" {
			continue
		}
		var length, n int
		if _, err := fmt.Sscanf(got, "$%d\r\n%d\r\n", &length, &n); err != nil && got != "$-1\r\n" {
			m.run.fault("client %d: GET %s answers %.100q, want %d", m.id, c.key, got, c.acked)
			continue
		}
		m.judge(c, n, "GET at the end")
	}
}
