package session

import (
	"bytes"
	"slices"
	"strings"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/shard"
)

// tracking is what CLIENT TRACKING has set. The servers do the work, each for its keys, on the session's own connections.
type tracking struct {
	on, optIn, optOut bool
	redirect          *redirection // nil: the session itself gets the invalidations
	caching           string       // of CLIENT CACHING, for the next command: "YES", "NO"; "": nothing
	told              []int        // the servers that know of caching
	spent             bool         // the command that caching is for has come, and waits to be sent
	broadcast         bool         // BCAST
	brokenRedirect    bool         // the session was told that whom it redirects to is gone
}

// forsake lets go of servers that were taken off the list.
func (t *tracking) forsake(old *shard.Map) {
	if t.redirect != nil {
		t.redirect.forsake(old)
	}
}

// end lets go of what the session has for tracking.
func (t *tracking) end() {
	if t.redirect != nil {
		t.redirect.end()
	}
	*t = tracking{}
}

// tracks reports whether servers track keys for the session.
func (s *Session) tracks() bool {
	t := trackingOf(s.pin)
	return t != nil && t.on
}

// trackingOf is what CLIENT TRACKING has set on a client's own connections; nil: it was not used.
func trackingOf(p *pin) *tracking {
	if p == nil || p.tracking == nil {
		return nil
	}
	return p.tracking.of.(*tracking)
}

// keepTracking is trackingOf, made if there is none.
func keepTracking(p *pin) *tracking {
	if p.tracking == nil {
		t := &tracking{}
		p.tracking = &keeper{of: t, push: t.translate, next: t.tellCaching, left: t.forsake, end: t.end}
	}
	return trackingOf(p)
}

// trackingFeature is what the core calls.
var trackingFeature = Feature{
	Opened: func(e *Env) {
		e.tracking = &redirections{targets: map[uint64]*Session{}, all: map[*redirection]struct{}{}, leaving: map[*redirection]struct{}{}}
	},
	FollowPinned: func(s *Session, moved bool) {
		if moved && s.tracks() {
			s.forgetTracked()
		}
	},
	Closing: (*Session).targetGone,
	Closed:  (*Session).targetGone,
}

// forgetTracked tells whoever gets the session's invalidations that any key may have changed: slots have moved. A server says
// nothing of keys that were read there, were missing, and have come to be at another.
func (s *Session) forgetTracked() {
	s.invalidateAll()
	if s.Owed() > 0 && s.passage == nil {
		s.begin(standstill((*Session).invalidateAll)) // what is under way was read where the keys were
	}
}

func (s *Session) invalidateAll() {
	switch t := trackingOf(s.pin); {
	case s.state != open || t == nil || !t.on:
	case t.redirect != nil:
		t.redirect.invalidateAll()
	case s.proto == 3:
		s.push(append(bytes.Clone(invalidation), "_\r\n"...))
	}
}

// caching keeps the word for the servers that the next command goes to: at the others it would count for a later one.
func (s *Session) caching(req *parser.Request) {
	t := trackingOf(s.pin)
	word := strings.ToUpper(string(req.Args[2]))
	switch {
	case t == nil || !t.on:
		s.refuse(errNotTracking)
	case word == "YES" && !t.optIn:
		s.refuse(errCachingYes)
	case word == "NO" && !t.optOut:
		s.refuse(errCachingNo)
	case word != "YES" && word != "NO":
		s.refuse(errSyntax)
	default:
		t.caching, t.told, t.spent = word, t.told[:0], false
		s.answerString("+OK\r\n")
	}
}

// tellCaching tells a server that is about to get the next command.
func (t *tracking) tellCaching(server int, c *pool.Conn) {
	if t.caching != "" && !slices.Contains(t.told, server) {
		t.told = append(t.told, server)
		_ = c.Tell("CLIENT", "CACHING", t.caching)
	}
}

// used forgets what CLIENT CACHING said, after the next command that is no CLIENT; in a transaction, after EXEC. One that
// has yet to be sent, when what came before it is answered, still counts.
func (t *tracking) used(s *Session) {
	switch {
	case s.tx != nil:
	case s.passage != nil:
		t.spent = true
	default:
		t.caching = ""
	}
}

// renew forgets it if it was spent on a command that has been sent since.
func (t *tracking) renew() {
	if t.spent {
		t.spent, t.caching = false, ""
	}
}

// track carries out CLIENT TRACKING.
func (s *Session) track(req *parser.Request) {
	c := &trackingChange{s: s}
	for _, a := range req.Args {
		c.words = append(c.words, string(a))
	}
	if c.at = redirectAt(req.Args); c.at > 0 {
		id, ok := parser.Int(req.Args[c.at])
		if !ok {
			c.at = 0 // the server says what is wrong with it
		}
		c.to = uint64(id)
	}
	s.begin(c)
}

// redirectAt finds the ID behind REDIRECT among the words of CLIENT TRACKING; 0: there is none.
func redirectAt(args [][]byte) int {
	at := 0
	for i := 3; i < len(args); i++ {
		switch {
		case bytes.EqualFold(args[i], []byte("prefix")):
			i++
		case bytes.EqualFold(args[i], []byte("redirect")):
			if i++; i < len(args) {
				at = i
			}
		}
	}
	return at
}

// trackingChange is a CLIENT TRACKING under way, a passage: it moves the session to connections of its own.
type trackingChange struct {
	pool.Unplaced
	s     *Session // nil: cancelled
	words []string
	at    int    // of the ID behind REDIRECT in words; 0: there is none
	to    uint64 // that ID

	stage    changeStage
	found    bool
	redirect *redirection
	tag      uint64
	left     int    // servers that have not answered
	reply    []byte // the first error, or OK
	part     []byte // the answer under way
	failure  *pool.Failure
	maybe    bool // a server may carry it out without saying so
}

type changeStage uint8

const (
	waiting changeStage = iota // for the answers to what came before
	seeking                    // the client that is to get the invalidations
	sought
	connecting // the redirection's connections
	connected
	sent
)

func (c *trackingChange) step(s *Session) {
	switch c.stage {
	case waiting:
		if s.Owed() > 0 {
			return
		}
		if c.at == 0 {
			c.send(s)
			return
		}
		c.stage = seeking
		s.env.askLoopsFor(s, func(e *Env) any { return e.target(c.to) != nil }, func(answers []any) {
			c.stage, c.found = sought, slices.Contains(answers, any(true))
			c.goOn()
		})
	case sought:
		if !c.found {
			s.endPassage()
			s.refuse(errRedirectTo)
			return
		}
		if t := trackingOf(s.pin); t != nil && t.redirect != nil && t.redirect.serves(c.to) {
			c.redirect = t.redirect
			c.send(s)
			return
		}
		c.stage = connecting
		c.redirect = redirect(s, c.to, func(f *pool.Failure) {
			c.stage, c.failure = connected, f
			c.goOn()
		})
	case connected:
		if c.failure != nil {
			s.endPassage()
			c.redirect.end()
			s.failed(0, c.failure)
			return
		}
		c.send(s)
	case sent:
		if s.Owed() == 0 {
			s.endPassage()
			if s.tracks() {
				s.keepPin()
			} else {
				s.settlePin()
			}
		}
	}
}

// goOn takes the next step, unless the session has closed meanwhile.
func (c *trackingChange) goOn() {
	if c.s != nil {
		c.s.resumeLater()
	}
}

// send tells every server, over connections of the session's own.
func (c *trackingChange) send(s *Session) {
	c.stage = sent
	p, f := s.pinToAll()
	if f != nil {
		c.dropRedirect(nil)
		s.failed(0, f)
		return
	}
	c.tag = s.expect(0)
	// From the first of the servers' answers on, c may be over.
	owns := p.owns
	c.left = len(owns)
	for i, o := range owns {
		if o.conn == nil {
			c.Fail(uint64(i), &pool.Failure{Kind: pool.Lost, Server: s.env.Map.Server(o.server).Name})
			continue
		}
		if !o.conn.TakesMulti() && !o.conn.LoginProves() && !p.watches {
			_ = o.conn.ProveMulti(p.proved) // later it would come between CLIENT CACHING and a transaction
		}
		words := slices.Clone(c.words)
		if c.at > 0 {
			words[c.at] = itoa(int(c.redirect.id(o.server)))
		}
		if f := o.conn.Enqueue(&pool.Request{Raw: appendRequest(nil, words...), Recv: c, Tag: uint64(i), Manner: pool.Here}); f != nil {
			c.Fail(uint64(i), f)
		}
	}
}

// Reply is pool.Receiver.
func (c *trackingChange) Reply(_ uint64, b []byte, piece pool.Piece) {
	if len(c.part) < maxTrackingReply {
		c.part = append(c.part, b...)
	}
	if piece&pool.Last == 0 {
		return
	}
	if c.reply == nil || c.reply[0] != '-' && c.part[0] == '-' {
		c.reply = c.part
	}
	c.part = nil
	c.end()
}

// maxTrackingReply bounds the answer to CLIENT TRACKING, which is OK or an error.
const maxTrackingReply = 4096

// Client is pool.Receiver.
func (c *trackingChange) Client() pool.Client { return c.s }

// Fail is pool.Receiver.
func (c *trackingChange) Fail(_ uint64, f *pool.Failure) {
	if c.s != nil {
		c.reply, c.part = appendFailure(nil, f, c.s.env.Env), nil
		c.maybe = c.maybe || f.Sent
	}
	c.end()
}

// end counts a server's answer; after the last the client gets its own.
func (c *trackingChange) end() {
	if c.left--; c.left > 0 {
		return
	}
	s := c.s
	if s == nil || s.state == closed || s.pin == nil {
		c.dropRedirect(nil)
		if s != nil {
			s.Reply(c.tag, c.reply, pool.Whole)
		}
		return
	}
	t := keepTracking(s.pin)
	if !s.pin.complete() && c.reply[0] != '-' {
		c.reply = parser.AppendError(nil, errTrackingLost)
	}
	if c.reply[0] == '-' {
		c.dropRedirect(t.redirect)
		if c.maybe || !t.on && len(s.pin.owns) > 1 {
			s.pin.stopTracking() // some may have begun
		}
	} else {
		if t.redirect != c.redirect && t.redirect != nil {
			t.redirect.end()
		}
		has := func(word string) bool {
			return slices.ContainsFunc(c.words[3:], func(w string) bool { return strings.EqualFold(w, word) })
		}
		*t = tracking{on: strings.EqualFold(c.words[2], "on"), optIn: has("optin"), optOut: has("optout"), redirect: c.redirect, broadcast: has("bcast")}
	}
	s.Reply(c.tag, c.reply, pool.Whole)
}

// dropRedirect ends the redirection that was made for this change, unless it is the one in use.
func (c *trackingChange) dropRedirect(used *redirection) {
	if c.redirect != nil && c.redirect != used {
		c.redirect.end()
	}
}

// stopTracking takes back what some servers have begun.
func (p *pin) stopTracking() {
	p.soiled = true
	for _, o := range p.owns {
		if p.dirty && o.conn != nil {
			_ = o.conn.Tell("CLIENT", "TRACKING", "OFF")
		}
	}
}

func (c *trackingChange) cancel(s *Session) (unanswered bool) {
	s.endPassage()
	unanswered = c.stage < sent
	if unanswered {
		c.s = nil
		c.dropRedirect(nil)
	}
	return unanswered
}
