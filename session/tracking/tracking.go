package tracking

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
	"ringmaster/shard"
)

// State is what CLIENT TRACKING has set. The servers do the work, each for its keys, on the session's own connections.
type State struct {
	On, optIn, optOut bool
	Redirect          *redirection // nil: the session itself gets the invalidations
	Caching           string       // of CLIENT CACHING, for the next command: "YES", "NO"; "": nothing
	told              []int        // the servers that know of caching
	spent             bool         // the command that caching is for has come, and waits to be sent
	Broadcast         bool         // BCAST
	BrokenRedirect    bool         // the session was told that whom it redirects to is gone
}

// forsake lets go of servers that were taken off the list.
func (t *State) forsake(old *shard.Map) {
	if t.Redirect != nil {
		t.Redirect.forsake(old)
	}
}

// end lets go of what the session has for tracking.
func (t *State) end() {
	if t.Redirect != nil {
		t.Redirect.end()
	}
	*t = State{}
}

// Tracks reports whether servers track keys for the session.
func Tracks(s *session.Session) bool {
	t := TrackingOf(s.Pin)
	return t != nil && t.On
}

// TrackingOf is what CLIENT TRACKING has set on a client's own connections; nil: it was not used.
func TrackingOf(p *session.Pin) *State {
	if p == nil || p.Tracking == nil {
		return nil
	}
	return p.Tracking.Of.(*State)
}

// keepTracking is trackingOf, made if there is none.
func keepTracking(p *session.Pin) *State {
	if p.Tracking == nil {
		t := &State{}
		p.Tracking = &session.Keeper{Of: t, Push: t.translate, Next: t.tellCaching, Left: t.forsake, End: t.end}
	}
	return TrackingOf(p)
}

// Feature is what the core calls.
var Feature = session.Feature{
	Opened: func(e *session.Env) {
		e.Tracking = &redirections{targets: map[uint64]*session.Session{}, all: map[*redirection]struct{}{}, leaving: map[*redirection]struct{}{}}
	},
	FollowPinned: func(s *session.Session, moved bool) {
		if moved && Tracks(s) {
			forgetTracked(s)
		}
	},
	Closing: targetGone,
	Closed:  targetGone,
}

// forgetTracked tells whoever gets the session's invalidations that any key may have changed: slots have moved. A server says
// nothing of keys that were read there, were missing, and have come to be at another.
func forgetTracked(s *session.Session) {
	invalidateAll(s)
	if s.Owed() > 0 && !s.HeldUp() {
		s.Begin(session.Standstill(invalidateAll)) // what is under way was read where the keys were
	}
}

func invalidateAll(s *session.Session) {
	switch t := TrackingOf(s.Pin); {
	case s.State != session.Open || t == nil || !t.On:
	case t.Redirect != nil:
		t.Redirect.invalidateAll()
	case s.Protocol == 3:
		s.Push(append(bytes.Clone(invalidation), "_\r\n"...))
	}
}

// caching keeps the word for the servers that the next command goes to: at the others it would count for a later one.
func caching(s *session.Session, req *parser.Request) {
	t := TrackingOf(s.Pin)
	word := strings.ToUpper(string(req.Args[2]))
	switch {
	case t == nil || !t.On:
		s.Refuse(texts.NotTracking)
	case word == "YES" && !t.optIn:
		s.Refuse(texts.CachingYes)
	case word == "NO" && !t.optOut:
		s.Refuse(texts.CachingNo)
	case word != "YES" && word != "NO":
		s.Refuse(texts.Syntax)
	default:
		t.Caching, t.told, t.spent = word, t.told[:0], false
		s.AnswerString("+OK\r\n")
	}
}

// tellCaching tells a server that is about to get the next command.
func (t *State) tellCaching(server int, c *pool.Conn) {
	if t.Caching != "" && !slices.Contains(t.told, server) {
		t.told = append(t.told, server)
		_ = c.Tell("CLIENT", "CACHING", t.Caching)
	}
}

// Used forgets what CLIENT CACHING said, after the next command that is no CLIENT; in a transaction, after EXEC. One that
// has yet to be sent, when what came before it is answered, still counts.
func (t *State) Used(s *session.Session) {
	switch {
	case s.Transaction != nil:
	case s.HeldUp():
		t.spent = true
	default:
		t.Caching = ""
	}
}

// Renew forgets it if it was spent on a command that has been sent since.
func (t *State) Renew() {
	if t.spent {
		t.spent, t.Caching = false, ""
	}
}

// track carries out CLIENT TRACKING.
func track(s *session.Session, req *parser.Request) {
	c := &trackingChange{s: s}
	for _, a := range req.Args {
		c.words = append(c.words, string(a))
	}
	if c.at = RedirectAt(req.Args); c.at > 0 {
		id, ok := parser.Int(req.Args[c.at])
		if !ok {
			c.at = 0 // the server says what is wrong with it
		}
		c.to = uint64(id)
	}
	s.Begin(c)
}

// RedirectAt finds the ID behind REDIRECT among the words of CLIENT TRACKING; 0: there is none.
func RedirectAt(args [][]byte) int {
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
	session.Passage
	pool.Unplaced
	s     *session.Session
	words []string
	at    int    // of the ID behind REDIRECT in words; 0: there is none
	to    uint64 // that ID

	sent     bool
	found    bool // there is the client that is to get the invalidations
	redirect *redirection
	tag      uint64
	left     int    // servers that have not answered
	reply    []byte // the first error, or OK
	part     []byte // the answer under way
	failure  *pool.Failure
	maybe    bool // a server may carry it out without saying so
}

func (c *trackingChange) Step(s *session.Session, came session.Wait) {
	switch {
	case c.sent:
		c.End()
		if Tracks(s) {
			keepPin(s)
		} else {
			s.SettlePin()
		}
	case came == session.Replies && c.at == 0:
		c.send(s)
	case came == session.Replies:
		c.AskLoops(func(e *session.Env) any { return target(e, c.to) != nil }, func(answers []any) {
			c.found = slices.Contains(answers, any(true))
		})
	case came == session.Loops:
		c.connect(s)
	case c.failure != nil:
		c.End()
		c.redirect.end()
		s.Failed(0, c.failure)
	default:
		c.send(s)
	}
}

// connect makes the connections over which the servers reach the client that is to get the invalidations.
func (c *trackingChange) connect(s *session.Session) {
	if !c.found {
		c.End()
		s.Refuse(texts.RedirectTo)
		return
	}
	if t := TrackingOf(s.Pin); t != nil && t.Redirect != nil && t.Redirect.serves(c.to) {
		c.redirect = t.Redirect
		c.send(s)
		return
	}
	c.Await(session.Servers)
	c.redirect = redirect(s, c.to, func(f *pool.Failure) {
		c.failure = f
		c.Resume(session.Servers)
	})
}

// send tells every server and waits for the answers.
func (c *trackingChange) send(s *session.Session) {
	c.sent = true
	c.tell(s)
	c.Await(session.Replies)
}

// tell tells every server, over connections of the session's own.
func (c *trackingChange) tell(s *session.Session) {
	p, f := s.PinToAll()
	if f != nil {
		c.dropRedirect(nil)
		s.Failed(0, f)
		return
	}
	c.tag = s.Expect(0)
	// From the first of the servers' answers on, c may be over.
	owns := p.Owns
	c.left = len(owns)
	for i, o := range owns {
		if o.Conn == nil {
			c.Fail(uint64(i), &pool.Failure{Kind: pool.Lost, Server: s.Door.Map.Server(o.Server).Name})
			continue
		}
		if !o.Conn.TakesMulti() && !o.Conn.LoginProves() && !p.Watches {
			_ = o.Conn.ProveMulti(p.Proved) // later it would come between CLIENT CACHING and a transaction
		}
		words := slices.Clone(c.words)
		if c.at > 0 {
			words[c.at] = strconv.Itoa(int(c.redirect.id(o.Server)))
		}
		if f := o.Conn.Enqueue(&pool.Request{Raw: parser.AppendRequest(nil, words...), Recv: c, Tag: uint64(i), Manner: pool.Here}); f != nil {
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
	c.reply, c.part = session.AppendFailure(nil, f, c.s.Door.Env), nil
	c.maybe = c.maybe || f.Sent
	c.end()
}

// end counts a server's answer; after the last the client gets its own.
func (c *trackingChange) end() {
	if c.left--; c.left > 0 {
		return
	}
	s := c.s
	if s.State == session.Closed || s.Pin == nil {
		c.dropRedirect(nil)
		s.Reply(c.tag, c.reply, pool.Whole)
		return
	}
	t := keepTracking(s.Pin)
	if !s.Pin.Complete() && c.reply[0] != '-' {
		c.reply = parser.AppendError(nil, texts.TrackingLost)
	}
	if c.reply[0] == '-' {
		c.dropRedirect(t.Redirect)
		if c.maybe || !t.On && len(s.Pin.Owns) > 1 {
			stopTracking(s.Pin) // some may have begun
		}
	} else {
		if t.Redirect != c.redirect && t.Redirect != nil {
			t.Redirect.end()
		}
		has := func(word string) bool {
			return slices.ContainsFunc(c.words[3:], func(w string) bool { return strings.EqualFold(w, word) })
		}
		*t = State{On: strings.EqualFold(c.words[2], "on"), optIn: has("optin"), optOut: has("optout"), Redirect: c.redirect, Broadcast: has("bcast")}
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
func stopTracking(p *session.Pin) {
	p.Soiled = true
	for _, o := range p.Owns {
		if p.Dirty && o.Conn != nil {
			_ = o.Conn.Tell("CLIENT", "TRACKING", "OFF")
		}
	}
}

func (c *trackingChange) Cancel(*session.Session) (unanswered bool) {
	if c.sent {
		return false
	}
	c.dropRedirect(nil)
	return true
}
