package session_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringmaster/auth"
	"ringmaster/pool"
	"ringmaster/session/dispatch"
	"ringmaster/shard"
	"ringmaster/stats"
)

// TestScenarios plays the stories in testdata. Each file holds several, which begin with "== title".
// Lines before the first step set the scene: "config NAME VALUE" sets the field of that name in pool.Config, session.Config or one of their
// like, and the other lines are "servers A B", "servers A B C=A" (a second name of A), "config max-in-flight 4", "password x",
// "config cluster 1" (the slot of {A} is at server A), "config list-changes 1" (the list of servers can change), "config resend 1" (servers can take over from each other), "replicas A=D,E" and "reads prefer-replica", "by hand" (the story answers dials and logins itself), "fences by hand" (so for the fences after scripts). Clients have names in small letters, servers'
// connections in capitals. Whatever either end has received must be looked at before the story ends.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		line := 1
		for i, part := range regexp.MustCompile(`(?m)^== `).Split(string(text), -1) {
			title, steps, _ := strings.Cut(part, "\n")
			if i > 0 {
				first := line
				t.Run(name+"/"+title, func(t *testing.T) { play(t, file, first, steps) })
			}
			line += strings.Count(part, "\n")
		}
	}
}

// story is a scenario being played.
type story struct {
	*testing.T
	*world
	scene settings
	where string // file and line of the present step
}

func play(t *testing.T, file string, line int, text string) {
	s := &story{T: t, scene: defaults()}
	for _, step := range strings.Split(text, "\n") {
		line++
		if strings.TrimSpace(step) == "" || strings.HasPrefix(step, "#") {
			continue
		}
		s.where = file + ":" + strconv.Itoa(line)
		s.Step(strings.TrimSpace(step))
		if t.Failed() {
			t.Fatalf("%s: %s", s.where, step)
		}
	}
	for _, c := range s.order {
		s.expect(c.name, &c.in, nil)
	}
	for name, c := range s.servers {
		if c.greeted || !c.closed {
			s.expect(name, &c.in, nil)
		}
	}
	s.end()
}

func (s *story) Step(text string) {
	if s.world == nil {
		if s.setScene(text) {
			return
		}
		s.world = newWorld(s.T, s.scene)
	}
	for _, v := range verbs {
		if m := v.pattern.FindStringSubmatch(text); m != nil {
			v.do(s, m[1:])
			s.settle()
			return
		}
	}
	s.Fatalf("%s: this is no step", s.where)
}

func (s *story) setScene(text string) bool {
	words := strings.Fields(text)
	switch {
	case words[0] == "servers":
		s.scene.servers = words[1:]
	case words[0] == "password":
		s.scene.passwords = words[1:]
	case words[0] == "login" && len(words) == 3:
		s.scene.upstream.Username, s.scene.upstream.Password = strings.Trim(words[1], `"`), words[2]
	case text == "by hand":
		s.scene.byHand = true
	case text == "fences by hand":
		s.scene.fencesByHand = true
	case words[0] == "reads":
		var err error
		s.scene.upstream.Reads, err = shard.ParseReadPolicy(words[1])
		s.must(err)
	case words[0] == "replicas":
		s.scene.replicas = map[string][]string{}
		for _, w := range words[1:] {
			primary, list, _ := strings.Cut(w, "=")
			s.scene.replicas[primary] = strings.Split(list, ",")
		}
	case words[0] == "config":
		s.configure(words[1], words[2])
	default:
		return false
	}
	return true
}

// configure sets the field of either Config that is named so, dashes left out.
func (s *story) configure(name, value string) {
	field := strings.ReplaceAll(name, "-", "")
	upstream := &s.scene.upstream
	if s.world != nil {
		upstream = &s.world.upstream // with what the world has filled in
	}
	for _, cfg := range []any{upstream, &s.scene.loop, &s.scene.known, &s.scene.session, &s.scene.session.Limits, &s.scene.session.Cluster} {
		f := reflect.ValueOf(cfg).Elem().FieldByNameFunc(func(n string) bool { return strings.EqualFold(n, field) })
		if !f.IsValid() {
			continue
		}
		switch f.Kind() {
		case reflect.Bool:
			f.SetBool(value == "1")
			return
		case reflect.Slice:
			f.Set(reflect.ValueOf(strings.Split(value, ",")))
			return
		case reflect.Map:
			m := map[string]string{}
			for _, pair := range strings.Split(value, ",") {
				k, v, _ := strings.Cut(pair, "=")
				m[k] = v
			}
			f.Set(reflect.ValueOf(m))
			return
		}
		if d, err := time.ParseDuration(value); err == nil {
			f.SetInt(int64(d))
			return
		}
		n, err := strconv.ParseInt(value, 10, 64)
		s.must(err)
		f.SetInt(n)
		return
	}
	s.Fatalf("%s: there is no setting %s", s.where, name)
}

func (s *story) must(err error) {
	s.T.Helper()
	if err != nil {
		s.Fatalf("%s: %v", s.where, err)
	}
}

// client is the client of this name, new if there is none.
func (s *story) client(name string) *clientEnd {
	if c := s.clients[name]; c != nil {
		return c
	}
	return s.connect(name)
}

func (s *story) server(name string) *serverEnd {
	c := s.servers[name]
	if c == nil {
		s.Fatalf("%s: there is no connection %s", s.where, name)
	}
	return c
}

// expect compares what an end has received with what it should have, and takes it away.
func (s *story) expect(who string, in *[]byte, want []byte) {
	s.T.Helper()
	got := *in
	*in = nil
	if !bytes.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		at = max(0, at-200)
		s.Errorf("%s: %s has received, from %d on,\n  %.1000q\nand should have\n  %.1000q", s.where, who, at, got[at:], want[at:])
	}
}

// verbs are the steps of stories. The subject comes first.
var verbs = []struct {
	pattern *regexp.Regexp
	do      func(s *story, m []string)
}{
	{verb(`CLIENT connects`), func(s *story, m []string) { s.connect(m[0]) }},
	{verb(`CLIENT sends (.*?), (\d+) bytes at a time`), func(s *story, m []string) {
		b, err := requests(m[1])
		s.must(err)
		n, _ := strconv.Atoi(m[2])
		for len(b) > 0 {
			s.client(m[0]).send(b[:min(n, len(b))])
			b = b[min(n, len(b)):]
			s.settle()
		}
	}},
	{verb(`CLIENT sends (.*)`), func(s *story, m []string) {
		b, err := requests(m[1])
		s.must(err)
		s.client(m[0]).send(b)
	}},
	{verb(`CLIENT receives nothing`), func(s *story, m []string) { s.expect(m[0], &s.client(m[0]).in, nil) }},
	{verb(`CLIENT receives something like (.*)`), func(s *story, m []string) {
		c := s.client(m[0])
		if !regexp.MustCompile("(?s)^" + m[1] + "$").Match(c.in) {
			s.Errorf("%s: %s has received %q", s.where, m[0], c.in)
		}
		c.in = nil
	}},
	{verb(`CLIENT receives (.*)`), func(s *story, m []string) {
		b, err := replies(m[1])
		s.must(err)
		s.expect(m[0], &s.client(m[0]).in, b)
	}},
	{verb(`CLIENT leaves`), func(s *story, m []string) { s.client(m[0]).leave() }},
	{verb(`CLIENT half-closes`), func(s *story, m []string) { s.client(m[0]).session.OnEOF(s.client(m[0])) }},
	{verb(`CLIENT stops reading`), func(s *story, m []string) { s.client(m[0]).full = true }},
	{verb(`CLIENT reads (\d+) bytes`), func(s *story, m []string) {
		n, err := strconv.Atoi(m[1])
		s.must(err)
		s.client(m[0]).readSome(n)
	}},
	{verb(`CLIENT reads again`), func(s *story, m []string) { s.client(m[0]).read() }},
	{verb(`CLIENT can't be written to`), func(s *story, m []string) {
		s.client(m[0]).broken = errors.New("broken pipe")
	}},
	{verb(`CLIENT is asked to finish`), func(s *story, m []string) { s.client(m[0]).session.Drain() }},
	{verb(`CLIENT is closed: (\w+)`), func(s *story, m []string) {
		if c := s.client(m[0]); !c.closed || c.reason.String() != m[1] {
			s.Errorf("%s: closed: %t, reason %s", s.where, c.closed, c.reason)
		}
	}},
	{verb(`CLIENT is open`), func(s *story, m []string) {
		if s.client(m[0]).closed {
			s.Errorf("%s: it is closed: %s", s.where, s.client(m[0]).reason)
		}
	}},
	{verb(`CLIENT is (not )?paused`), func(s *story, m []string) {
		if s.client(m[0]).paused == (m[1] == "not ") {
			s.Errorf("%s: it is otherwise", s.where)
		}
	}},
	{verb(`CLIENT is owed (\d+)`), func(s *story, m []string) {
		if n := strconv.Itoa(s.client(m[0]).session.Owed()); n != m[1] {
			s.Errorf("%s: it is owed %s", s.where, n)
		}
	}},

	{verb(`SERVER receives nothing`), func(s *story, m []string) { s.expect(m[0], &s.server(m[0]).in, nil) }},
	{verb(`SERVER receives (.*)`), func(s *story, m []string) {
		b, err := requests(m[1])
		s.must(err)
		s.expect(m[0], &s.server(m[0]).in, b)
	}},
	{verb(`SERVER answers (.*), (\d+) bytes at a time`), func(s *story, m []string) {
		b, err := replies(m[1])
		s.must(err)
		n, _ := strconv.Atoi(m[2])
		for len(b) > 0 {
			s.server(m[0]).answer(b[:min(n, len(b))])
			b = b[min(n, len(b)):]
			s.settle()
		}
	}},
	{verb(`SERVER answers (.*)`), func(s *story, m []string) {
		b, err := replies(m[1])
		s.must(err)
		s.server(m[0]).answer(b)
	}},
	{verb(`SERVER is lost(?:: (.*))?`), func(s *story, m []string) {
		cause := error(nil)
		if m[1] != "" {
			cause = errors.New(m[1])
		}
		s.server(m[0]).lose(cause)
	}},
	{verb(`SERVER takes no bytes`), func(s *story, m []string) { s.server(m[0]).full = true }},
	{verb(`SERVER acknowledges nothing`), func(s *story, m []string) { s.server(m[0]).unheard = true }},
	{verb(`SERVER takes bytes again`), func(s *story, m []string) { s.server(m[0]).take() }},
	{verb(`SERVER can't be written to( at all)?`), func(s *story, m []string) {
		s.server(m[0]).broken, s.server(m[0]).abrupt = errors.New("broken pipe"), m[1] != ""
	}},
	{verb(`SERVER is (closed|open)`), func(s *story, m []string) {
		if s.server(m[0]).closed != (m[1] == "closed") {
			s.Errorf("%s: it is not", s.where)
		}
	}},
	{verb(`SERVER is (not )?dialled`), func(s *story, m []string) {
		if (s.dialTo(m[0]) == nil) != (m[1] == "not ") {
			s.Errorf("%s: it is otherwise", s.where)
		}
	}},
	{verb(`SERVER accepts`), func(s *story, m []string) { s.open(s.dialTo(m[0])) }},
	{verb(`SERVER may be read from(?: (never|alone))?`), func(s *story, m []string) {
		may := map[string]pool.Reads{"": pool.ReadsAlways, "alone": pool.ReadsAlone, "never": pool.ReadsNever}[m[1]]
		s.judge(m[0], func(h *pool.ServerHealth) { h.Reads = may })
	}},
	{verb(`SERVER is (silent|heard again)`), func(s *story, m []string) {
		s.judge(m[0], func(h *pool.ServerHealth) { h.Silent = m[1] == "silent" })
	}},
	{verb(`SERVER is near`), func(s *story, m []string) { s.judge(m[0], func(h *pool.ServerHealth) { h.Near = true }) }},
	{verb(`SERVER is promoted over ([A-Z])`), func(s *story, m []string) {
		delete(s.replicas, m[1])
		for tag, name := range s.slots {
			if name == m[1] {
				s.slots[tag] = m[0]
			}
		}
		s.follow(s.newMap())
	}},
	{verb(`SERVER changes roles with ([A-Z])`), func(s *story, m []string) {
		s.replicas[m[0]] = []string{m[1]}
		delete(s.replicas, m[1])
		for tag, name := range s.slots {
			if name == m[1] {
				s.slots[tag] = m[0]
			}
		}
		s.follow(s.newMap())
	}},
	{verb(`SERVER becomes a replica of ([A-Z])`), func(s *story, m []string) {
		s.replicas[m[1]] = append(s.replicas[m[1]], m[0])
		s.follow(s.newMap())
	}},
	{verb(`slot (\S+) moves to (\S+)`), func(s *story, m []string) { s.moves(m[0], m[1]); s.settle() }},
	{verb(`SERVER becomes a replica of ([A-Z]), and ([A-Z]) takes over`), func(s *story, m []string) {
		s.replicas[m[1]] = append(s.replicas[m[1]], m[0])
		s.replace(m[1], m[2])
	}},
	{regexp.MustCompile(`^the operator sets (\S+) (.*)$`), func(s *story, m []string) {
		switch {
		case m[0] == "password" && m[1] == "none":
			s.scene.passwords = nil
		case m[0] == "password":
			s.scene.passwords = strings.Fields(m[1])
		default:
			s.configure(m[0], m[1])
		}
		s.pool.Configure(s.world.upstream)
		s.env.Configure(s.scene.known)
		s.door.Configure(s.scene.session, dispatch.NewRules(s.scene.session, s.scene.known.Reads), auth.NewPolicy(s.scene.passwords...))
	}},
	{regexp.MustCompile(`^the list becomes (.*)$`), func(s *story, m []string) { s.list(strings.Fields(m[0])...) }},
	{verb(`SERVER takes over from (\S+)`), func(s *story, m []string) { s.replace(m[1], m[0]) }},
	{verb(`the map is said to be old`), func(s *story, m []string) {
		if s.hints == 0 {
			s.Errorf("%s: nobody says so", s.where)
		}
		s.hints = 0
	}},
	{verb(`SERVER can't be reached: (.*)`), func(s *story, m []string) {
		c := s.dialTo(m[0])
		if c == nil {
			s.Fatalf("%s: nobody dials", s.where)
		}
		s.dials = deleteConn(s.dials, c)
		c.OnDialFailed(errors.New(m[1]))
	}},

	{regexp.MustCompile(`^(\S+) passe?s?$`), func(s *story, m []string) {
		d, err := time.ParseDuration(m[0])
		s.must(err)
		s.pass(d)
	}},
	{regexp.MustCompile(`^by itself again$`), func(s *story, _ []string) { s.byHand = false }},
	{regexp.MustCompile(`^by hand$`), func(s *story, _ []string) { s.byHand = true }},
	{regexp.MustCompile(`^the proxy stops$`), func(s *story, _ []string) { s.pool.Stop() }},
	{regexp.MustCompile(`^counted: (\d+) ([a-z ]+)$`), func(s *story, m []string) {
		if n := strconv.FormatUint(counter(s.world.stats, m[1]), 10); n != m[0] {
			s.Errorf("%s: %s were counted", s.where, n)
		}
	}},
}

// verb makes the pattern of a step.
func verb(text string) *regexp.Regexp {
	text = strings.Replace(text, "CLIENT", `([a-z]\w*)`, 1)
	text = strings.Replace(text, "SERVER", `([A-Z](?:\.\w+)*)`, 1)
	return regexp.MustCompile("^" + text + "$")
}

func deleteConn(conns []*pool.Conn, c *pool.Conn) []*pool.Conn {
	var left []*pool.Conn
	for _, other := range conns {
		if other != c {
			left = append(left, other)
		}
	}
	return left
}

func counter(l *stats.Loop, name string) uint64 {
	switch name {
	case "timeouts":
		return l.Timeouts
	case "late replies":
		return l.LateReplies
	case "orphans":
		return l.Orphans
	case "connections left":
		return l.Left
	case "connections draining":
		return l.Upstreams[0].Draining
	case "retried":
		return l.Redirects[stats.RedirectRetry]
	case "moved":
		return l.Redirects[stats.RedirectMoved]
	case "asked":
		return l.Redirects[stats.RedirectAsk]
	case "unknown":
		return l.Redirects[stats.RedirectUnknown]
	case "first hops":
		return l.Hops[0]
	case "last hops":
		return l.Hops[stats.MaxHops-1]
	case "clients not reading":
		return l.ClientsNotReading
	case "bytes of output":
		return l.ClientOutput
	case "client writes":
		return l.ClientWrites
	case "pauses":
		return l.ClientPauses
	case "connects":
		return overServers(l, func(s *stats.Server) uint64 { return s.Connects })
	case "server writes":
		return overServers(l, func(s *stats.Server) uint64 { return s.Writes })
	case "connections":
		return overServers(l, func(s *stats.Server) uint64 { return s.Connections })
	case "subscriptions lost":
		return overServers(l, func(s *stats.Server) uint64 { return s.SubscriptionsLost })
	case "subscriptions restored":
		return overServers(l, func(s *stats.Server) uint64 { return s.SubscriptionsRestored })
	case "protocol errors":
		return overServers(l, func(s *stats.Server) uint64 { return s.Disconnects[stats.ServerProtocolError] })
	case "out of step":
		return overServers(l, func(s *stats.Server) uint64 { return s.OutOfStep })
	case "unescaped":
		return overServers(l, func(s *stats.Server) uint64 {
			if s.UnescapedScripts {
				return 1
			}
			return 0
		})
	case "no primaries":
		return overServers(l, func(s *stats.Server) uint64 { return s.Disconnects[stats.ServerNotPrimary] })
	case "stalls":
		return overServers(l, func(s *stats.Server) uint64 { return s.Disconnects[stats.ServerStalled] })
	default:
		panic("no counter is called " + name)
	}
}

func overServers(l *stats.Loop, of func(*stats.Server) uint64) (sum uint64) {
	for _, s := range l.Upstreams[0].Servers {
		sum += of(s)
	}
	return sum
}
