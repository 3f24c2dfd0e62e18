package session_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session/pace"
	"ringmaster/shard"
	"ringmaster/stats"
)

// TestRandomTraffic lets many clients send tagged commands in random pieces, while servers answer late
// and in pieces, and connections are lost, refused and full. Every reply must be the client's own, in its
// order, from the right server and database, or an error that the proxy gives for what was done to it.
func TestRandomTraffic(t *testing.T) {
	seeds := worlds(120, 30)
	var all happened
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runRandom(t, seed, &all) })
	}
	few := all.right < 100*all.runs || all.errors < all.runs || all.replaced == 0 || all.again == 0 || all.reads == 0 || all.renewed < all.runs
	if all.runs == int(seeds) && few {
		t.Errorf("the runs test little: %+v", all)
	}
}

// worlds returns how many random worlds a test plays: full, or few in a short run and under the race detector.
// RANDOM_TIMES=10 plays ten times as many.
func worlds(full, few uint64) uint64 {
	if testing.Short() || raceEnabled {
		full = few
	}
	times, _ := strconv.ParseUint(os.Getenv("RANDOM_TIMES"), 10, 32)
	return full * max(1, times)
}

// happened is what many runs have seen.
type happened struct {
	runs     int
	right    int // replies that were what was asked for
	errors   int // errors of the proxy's own
	replaced int // servers that another took over from
	again    int // requests that were sent again then
	reads    int // of them, reads that were lost at a replica
	renewed  int // connections that were made again for another user
}

// chaos is one random run.
type chaos struct {
	*world
	rnd         *rand.Rand
	actors      []*actor
	born        int
	right       int // replies that were what was asked for
	execs, nils int
	errors      int // errors of the proxy's own
	tally       callTally
}

func runRandom(t *testing.T, seed uint64, all *happened) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	s := defaults()
	s.upstream.ProveMulti = seed%2 == 0
	s.upstream.ScriptPolicy = pool.ScriptPolicy(rnd.IntN(3))
	s.fencesByHand = true
	s.byHand = true
	s.loop.MaxOwn = []int{1, 4, 100}[rnd.IntN(3)]
	s.upstream.DialTimeout = []time.Duration{100 * time.Millisecond, time.Second, 3 * time.Second, 3 * time.Second}[rnd.IntN(4)]
	if rnd.IntN(2) == 0 {
		s.servers = []string{"A"}
	}
	if rnd.IntN(3) == 0 {
		s.upstream.MaxPendingBytes = 3000
	}
	s.upstream.Connections = 1 + rnd.IntN(2)
	s.session.MaxInFlight = []int{1, 4, 1000}[rnd.IntN(3)]
	s.session.FirstWindow = []int{1, pace.First, 1000}[rnd.IntN(3)]
	s.session.MaxInFlightBytes = []int{2000, 1 << 20}[rnd.IntN(2)]
	s.upstream.MaxPending = []int{20, 10000}[rnd.IntN(2)]
	s.session.QueryBufferLimit = 64 << 20
	if rnd.IntN(4) == 0 {
		s.session.OutputLimit, s.loop.ClientMemory, s.session.ReadTimeout = 20000, 50000, 500*time.Millisecond
	}
	kind := rnd.IntN(7)
	primaries := s.servers
	switch kind {
	case 0, 5:
		s.upstream.Cluster = true
		primaries = nodeNames
	case 1, 3:
		s.upstream.Resend = true
	case 6:
		s.known.ListChanges, s.known.Sharded = true, true
	}
	if kind == 2 || kind == 3 || kind == 5 {
		s.upstream.Reads = shard.ReadPolicy(rnd.IntN(len(shard.ReadPolicies())))
		s.replicas = map[string][]string{}
		for _, primary := range primaries {
			s.replicas[primary] = []string{primary + "r1", primary + "r2"}
		}
	}
	c := &chaos{world: newWorld(t, s), rnd: rnd}
	pool.Seed(c.pool.Loop, seed)
	if s.upstream.Cluster {
		c.fake = newFakeCluster(c.world, rnd)
		c.databases = 1
	} else if s.upstream.Resend {
		c.successors = newSuccessors(c.world, rnd)
	} else if s.known.ListChanges {
		c.lists = newLists(c.world, rnd)
	}
	for range 8 {
		c.enter()
	}
	for range 1500 {
		c.act()
		c.settle()
		c.look()
		if t.Failed() {
			t.FailNow()
		}
	}
	c.calm()
	c.judgeCounts()
	all.runs++
	all.right += c.right
	all.errors += c.errors
	all.reads += int(c.stats.Redirects[stats.RedirectRead])
	all.renewed += int(overServers(c.stats, func(s *stats.Server) uint64 { return s.Disconnects[stats.ServerOtherLogin] }))
	if c.successors != nil {
		all.replaced += c.successors.count
		all.again += int(c.stats.Redirects[stats.RedirectRetry])
	}
	c.end()
}

// enter brings a new client.
func (c *chaos) enter() {
	c.born++
	a := &actor{chaos: c, clientEnd: c.connect(fmt.Sprintf("c%d", c.born)), proto: 2}
	c.actors = append(c.actors, a)
}

// act lets one random thing happen.
func (c *chaos) act() {
	a := c.actors[c.rnd.IntN(len(c.actors))]
	if c.fake != nil && (c.rnd.IntN(40) == 0 || len(c.fake.former) > 0 && c.rnd.IntN(5) == 0) {
		c.fake.act()
	}
	if c.successors != nil && c.rnd.IntN(100) == 0 {
		c.successors.act()
	}
	if c.lists != nil && c.rnd.IntN(60) == 0 {
		c.lists.act()
	}
	if c.rnd.IntN(200) == 0 {
		c.configure()
	}
	n := c.rnd.IntN(1000)
	if c.placid && n >= 975 && n < 994 {
		return
	}
	switch {
	case n < 250:
		a.ask()
	case n < 550:
		a.sendSome()
	case n < 850:
		c.serve(1 + c.rnd.IntN(3000))
	case n < 925:
		c.dial(c.placid || c.rnd.IntN(5) > 0)
	case n < 975:
		c.pass(time.Duration(c.rnd.IntN(40)) * time.Millisecond)
	case n < 978:
		c.pass(1100 * time.Millisecond)
	case n < 984:
		if s := c.someEnd(); s != nil {
			s.lose(errors.New("reset"))
		}
	case n < 986:
		if s := c.someEnd(); s != nil && s.greeted {
			s.broken, s.abrupt = errors.New("broken pipe"), c.rnd.IntN(2) == 0
		}
	case n < 992:
		if s := c.someEnd(); s != nil && s.greeted {
			s.full, s.unheard = true, c.rnd.IntN(2) == 0
		}
	case n < 994:
		c.judgeSome()
	case n < 996:
		c.replace(a)
	case n < 997:
		a.halfClose()
	case n < 998:
		c.pool.SetLowMemory(c.rnd.IntN(len(c.names)), true)
	case a.full:
		a.read()
	default:
		a.full = true
	}
}

// configure changes the settings of the upstream.
func (c *chaos) configure() {
	u := &c.upstream
	u.Username, u.Password = string(rune('a'+c.rnd.IntN(2))), []string{"", "x", "y"}[c.rnd.IntN(3)]
	u.StallTimeout = time.Duration(5+c.rnd.IntN(10)) * time.Second
	c.pool.Configure(*u)
}

// judgeSome has something become known of a server.
func (c *chaos) judgeSome() {
	for _, primary := range c.names {
		list := c.replicas[primary]
		if len(list) == 0 {
			return
		}
		c.judge(list[c.rnd.IntN(len(list))], func(h *pool.ServerHealth) {
			h.Reads, h.Near = pool.Reads(c.rnd.IntN(3)), c.rnd.IntN(2) == 0
		})
	}
	c.judge("A", func(h *pool.ServerHealth) { h.Silent = c.rnd.IntN(4) == 0 })
}

// primary is the server whose data this one has.
func (s *serverEnd) primary() string {
	name := s.conn.Server().Name
	for primary, list := range s.w.replicas {
		if slices.Contains(list, name) {
			return primary
		}
	}
	if f := s.w.successors; f != nil && f.former[name] != "" {
		return f.former[name]
	}
	return name
}

// replace lets a client leave, and another come.
func (c *chaos) replace(a *actor) {
	for i := range c.actors {
		if c.actors[i] == a {
			a.look()
			a.leave()
			a.countedUnseen()
			c.actors = append(c.actors[:i], c.actors[i+1:]...)
			c.enter()
			return
		}
	}
}

// someEnd is a random open connection's server end; nil: none was hit.
func (c *chaos) someEnd() *serverEnd {
	if len(c.ends) == 0 {
		return nil
	}
	if s := c.ends[c.rnd.IntN(len(c.ends))]; !s.closed {
		return s
	}
	return nil
}

// dial answers a random dial.
func (c *chaos) dial(accept bool) {
	if len(c.dials) == 0 {
		return
	}
	conn := c.dials[c.rnd.IntN(len(c.dials))]
	if accept {
		c.open(conn)
		return
	}
	c.dials = deleteConn(c.dials, conn)
	conn.OnDialFailed(errors.New("refused"))
}

// serve lets servers work, and each send up to n bytes of what it has to say.
func (c *chaos) serve(n int) {
	for _, s := range c.ends {
		if s.closed || c.rnd.IntN(3) == 0 {
			continue
		}
		if c.rnd.IntN(4) == 0 {
			s.take()
		}
		if !s.greeted || s.conn.State() == pool.Handshaking {
			s.shakeHands()
			continue
		}
		for _, args := range s.requests() {
			if c.rnd.IntN(50) == 0 && !s.conn.Own() {
				s.toAnswer = append(s.toAnswer, ">2\r\n+message\r\n$1\r\nx\r\n"...)
			}
			s.toAnswer = s.appendReply(s.toAnswer, args)
		}
		k := min(n, len(s.toAnswer))
		s.answer(s.toAnswer[:k])
		s.toAnswer = s.toAnswer[k:]
	}
}

// look lets every client read its replies; those that were closed are followed by new ones.
func (c *chaos) look() {
	for _, a := range append([]*actor(nil), c.actors...) {
		a.look()
		if a.closed {
			a.judgeEnd()
			c.replace(a)
		}
	}
}

// calm ends all trouble and waits until nothing is owed.
func (c *chaos) calm() {
	c.tb.Helper()
	if c.fake != nil {
		c.fake.calm()
	}
	for range 5000 {
		for len(c.dials) > 0 {
			c.dial(true)
		}
		for _, list := range c.replicas {
			for _, name := range list { // again and again: what was asked before a connection was made says nothing of it
				c.judge(name, func(h *pool.ServerHealth) { h.Reads = pool.ReadsAlways })
			}
		}
		for _, s := range c.ends {
			s.broken = nil
			s.take()
		}
		for _, a := range c.actors {
			a.read()
			a.sendSome()
		}
		c.serve(1 << 20)
		c.pass(10 * time.Millisecond)
		c.look()
		if c.tb.Failed() {
			return
		}
		if c.quiet() {
			return
		}
	}
	for _, a := range c.actors {
		if len(a.asked) > 0 {
			c.tb.Errorf("client %s waits for ever for %v", a.name, a.asked[0].args)
		}
	}
}

func (c *chaos) quiet() bool {
	for _, a := range c.actors {
		if len(a.asked) > 0 || len(a.unsent) > 0 || a.session.Owed() > 0 {
			return false
		}
	}
	return c.pool.InFlight == 0
}

// appendReply is what a server says to a request.
func (s *serverEnd) appendReply(b []byte, args []string) []byte {
	if s.w.fake != nil {
		if refusal := s.cluster(args); refusal != "" {
			return append(b, refusal...)
		}
	}
	if s.w.successors != nil && s.w.successors.refuse(s, args) {
		return append(b, readOnly...)
	}
	if s.w.lists != nil {
		s.w.lists.serves(s, args)
	}
	if s.w.fake == nil && s.w.successors == nil && !s.w.placid && args[0] == "SET" && s.w.pool.Random(50) == 0 {
		return append(b, readOnly...) // its connections are made anew
	}
	return s.appendAnswer(b, args)
}

// appendAnswer is who and where it is, and what was asked.
func (s *serverEnd) appendAnswer(b []byte, args []string) []byte {
	keys := args[1:]
	if s.w.fake == nil && s.primary() != s.conn.Server().Name && (s.conn.Own() || args[0] != "GET" && args[0] != "MGET") {
		s.w.tb.Fatalf("replica %s is asked %.200q", connName(s.conn), args)
	}
	owner := func(k string) string { o, _, _ := strings.Cut(k[3:], "-"); return o }
	if s.multi != nil && args[0] != "EXEC" && args[0] != "DISCARD" {
		if s.w.pool.Random(30) == 0 {
			s.refused = true
			return append(b, noMemory...)
		}
		s.multi = append(s.multi, args)
		return append(b, "+QUEUED\r\n"...)
	}
	switch args[0] {
	case "MULTI":
		s.multi = [][]string{}
		return append(b, "+OK\r\n"...)
	case "DISCARD":
		if s.conn.Own() {
			s.w.tb.Fatalf("DISCARD on a connection that may watch")
		}
		s.multi, s.refused = nil, false
		return append(b, "+OK\r\n"...)
	case "EXEC":
		cmds := s.multi
		s.multi = nil
		if s.refused {
			s.refused, s.watcher = false, ""
			return append(b, aborted...)
		}
		who := ""
		for _, cmd := range cmds {
			if cmd[0] == "GET" {
				if who != "" && who != owner(cmd[1]) {
					s.w.tb.Fatalf("transaction of two: %v", cmds)
				}
				who = owner(cmd[1])
			}
		}
		if s.watcher != "" && who != "" && who != s.watcher {
			s.w.tb.Fatalf("%s: EXEC of %s while %s watches: %v", connName(s.conn), who, s.watcher, cmds)
		}
		w := s.watcher
		s.watcher = ""
		if w != "" && s.w.pool.Random(4) == 0 {
			if s.proto == 3 {
				return append(b, "_\r\n"...)
			}
			return append(b, "*-1\r\n"...)
		}
		b = parser.AppendArray(b, len(cmds))
		for _, cmd := range cmds {
			b = s.appendAnswer(b, cmd)
		}
		return b
	case "WATCH":
		if !s.conn.Own() {
			s.w.tb.Fatalf("WATCH on a shared connection")
		}
		if s.watcher != "" && s.watcher != owner(keys[0]) {
			s.w.tb.Fatalf("%s watches and %s comes", s.watcher, owner(keys[0]))
		}
		s.watcher = owner(keys[0])
		return append(b, "+OK\r\n"...)
	case "UNWATCH":
		s.watcher = ""
		return append(b, "+OK\r\n"...)
	case "BLPOP":
		if !s.conn.Own() {
			s.w.tb.Fatalf("BLPOP on a shared connection")
		}
		if s.watcher != "" && s.watcher != owner(keys[0]) {
			s.w.tb.Fatalf("%s watches and %s comes to pop", s.watcher, owner(keys[0]))
		}
		return s.appendValue(b, keys[0])
	case "SELECT":
		s.db, _ = strconv.Atoi(keys[0])
		return append(b, "+OK\r\n"...)
	case "HELLO":
		s.proto, _ = strconv.Atoi(keys[0])
		return append(b, "+OK\r\n"...)
	case "ECHO":
		return parser.AppendBulkString(b, keys[0])
	case "ROLE":
		return append(b, "*1\r\n$6\r\nmaster\r\n"...)
	case "EXISTS":
		return append(b, ":1\r\n"...)
	case "EVAL":
		if s.w.pool.Random(4) == 0 {
			return append(append(b, "-ERR boom\r\n"...), forgeries[s.w.pool.Random(len(forgeries))]...)
		}
		return s.appendValue(b, keys[2])
	case "GET":
		return s.appendValue(b, keys[0])
	case "MGET":
		b = parser.AppendArray(b, len(keys))
		for _, k := range keys {
			b = s.appendValue(b, k)
		}
		return b
	case "SET":
		return parser.AppendSimple(b, value(keys[0], s.place(keys[0]), s.db, s.proto))
	case "DEL":
		return parser.AppendInt(b, int64(len(keys)))
	case "DBSIZE":
		return parser.AppendInt(b, int64(100+s.db))
	}
	if strings.HasPrefix(args[0], "fence-") {
		return parser.AppendError(b, "ERR unknown command '"+args[0]+"', with args beginning with: ")
	}
	return append(b, "+OK\r\n"...)
}

// forgeries are what a script can have a server write after its error, when that does not escape line breaks.
// None has the nonce of a fence, which begin with number 1: nobody can guess one.
var forgeries = []string{
	"", "", "", "+OK\r\n", "$6\r\nFORGED\r\n", ":1\r\n:2\r\n", "*2\r\n$1\r\na\r\n+b\r\n", "$1000\r\n", "*3\r\n", "*1000000\r\n+x\r\n", ">2\r\n+x\r\n",
	">100\r\n", "-MOVED 6373 B:6379\r\n", "-BUSY x\r\n", "-NOPERM x\r\n", "no RESP\r\n", "$16\r\nfence-0000000000\r\n", "|1\r\n+a\r\n", "$16\r\n", "$1", "_\r\n", "%2\r\n+x\r\n",
}

// What a server without memory says.
const (
	noMemory = "-OOM none\r\n"
	aborted  = "-EXECABORT Transaction discarded because of previous errors.\r\n"
)

func (s *serverEnd) appendValue(b []byte, key string) []byte {
	return parser.AppendBulkString(b, value(key, s.place(key), s.db, s.proto))
}

// place is where a key is found: at the server, or where servers come and go in its slot.
func (s *serverEnd) place(key string) string {
	if s.w.fake != nil || s.w.lists != nil {
		return key[1:2]
	}
	return s.primary()
}

// closeReasons are why clients may be closed in this test.
var closeReasons = map[stats.CloseReason]bool{
	stats.Quit: true, stats.UpstreamLost: true, stats.ProtocolError: true, stats.OutputLimit: true, stats.NotReading: true, stats.ClientMemory: true,
	stats.ClientClosed: true, stats.StateLost: true,
}
