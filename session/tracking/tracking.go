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

// Feature is what the core calls.
var Feature = session.Feature{
	Opened: func(e *session.Env) {
		e.Tracking = &redirections{targets: map[uint64]*session.Session{}, all: map[*redirection]struct{}{}, ending: map[*redirection]struct{}{}}
	},
	FollowPinned: func(s *session.Session, moved bool) {
		if moved && IsOn(s) {
			invalidateMoved(s)
		}
	},
	Closing: closeTarget,
	Closed:  closeTarget,
}

// track carries out CLIENT TRACKING.
func track(s *session.Session, req *parser.Request) {
	c := &trackingChange{s: s}
	for _, a := range req.Args {
		c.words = append(c.words, string(a))
	}
	if c.at = RedirectArg(req.Args); c.at > 0 {
		id, ok := parser.Int(req.Args[c.at])
		if !ok {
			c.at = 0 // the server answers the error
		}
		c.target = uint64(id)
	}
	s.Begin(c)
}

// RedirectArg returns the index of the ID after REDIRECT in the words of CLIENT TRACKING; 0: there is none.
func RedirectArg(args [][]byte) int {
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

// trackingChange is the passage of CLIENT TRACKING. It moves the session to its own connections.
type trackingChange struct {
	session.Passage
	pool.Unplaced
	s      *session.Session
	words  []string
	at     int    // index of the target's ID in words; 0: there is no REDIRECT
	target uint64 // the target's ID

	sent     bool
	found    bool // the target exists
	redirect *redirection
	tag      uint64
	left     int    // servers that have not answered
	reply    []byte // the first error, or OK
	partial  []byte // a server's answer, until it is whole
	failure  *pool.Failure
	mayBeOn  bool // a server may have carried it out without an answer
}

func (c *trackingChange) Step(s *session.Session, came session.Wait) {
	switch {
	case c.sent:
		c.End()
		if IsOn(s) {
			keepConnections(s)
		} else {
			s.SettlePin()
		}
	case came == session.Replies && c.at == 0:
		c.send(s)
	case came == session.Replies:
		c.AskLoops(func(e *session.Env) any { return findTarget(e, c.target) != nil }, func(answers []any) {
			c.found = slices.Contains(answers, any(true))
		})
	case came == session.Loops:
		c.makeRedirect(s)
	case c.failure != nil:
		c.End()
		c.redirect.end()
		s.Failed(0, c.failure)
	default:
		c.send(s)
	}
}

// makeRedirect makes the connections over which the servers send invalidations for the target.
func (c *trackingChange) makeRedirect(s *session.Session) {
	if !c.found {
		c.End()
		s.Refuse(texts.RedirectTo)
		return
	}
	if t := StateOf(s.Pin); t != nil && t.redirect != nil && t.redirect.servesTarget(c.target) {
		c.redirect = t.redirect
		c.send(s)
		return
	}
	c.Await(session.Servers)
	c.redirect = newRedirection(s, c.target, func(f *pool.Failure) {
		c.failure = f
		c.Resume(session.Servers)
	})
}

// send sends the command to every server and waits for the answers.
func (c *trackingChange) send(s *session.Session) {
	c.sent = true
	c.sendChange(s)
	c.Await(session.Replies)
}

// sendChange sends the command to every server, over the session's own connections.
func (c *trackingChange) sendChange(s *session.Session) {
	p, f := s.PinToAll()
	if f != nil {
		c.dropRedirect(nil)
		s.Failed(0, f)
		return
	}
	c.tag = s.Expect(0)
	// Enqueue may answer at once, and the last answer ends c.
	owns := p.Owns
	c.left = len(owns)
	for i, o := range owns {
		if o.Conn == nil {
			c.Fail(uint64(i), &pool.Failure{Kind: pool.Lost, Server: s.Door.Map.Server(o.Server).Name})
			continue
		}
		if !o.Conn.TakesMulti() && !o.Conn.LoginProves() && !p.Watches {
			_ = o.Conn.ProveMulti(p.Proved) // if done later, it would come between CLIENT CACHING and a transaction
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
	if len(c.partial) < maxTrackingReply {
		c.partial = append(c.partial, b...)
	}
	if piece&pool.Last == 0 {
		return
	}
	if c.reply == nil || c.reply[0] != '-' && c.partial[0] == '-' {
		c.reply = c.partial
	}
	c.partial = nil
	c.end()
}

// Client is pool.Receiver.
func (c *trackingChange) Client() pool.Client { return c.s }

// Fail is pool.Receiver.
func (c *trackingChange) Fail(_ uint64, f *pool.Failure) {
	c.reply, c.partial = session.AppendFailure(nil, f, c.s.Door.Env), nil
	c.mayBeOn = c.mayBeOn || f.Sent
	c.end()
}

// end counts a server's answer. After the last one the client gets its answer.
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
	t := makeState(s.Pin)
	if !s.Pin.Complete() && c.reply[0] != '-' {
		c.reply = parser.AppendError(nil, texts.TrackingLost)
	}
	if c.reply[0] == '-' {
		c.dropRedirect(t.redirect)
		if c.mayBeOn || !t.On && len(s.Pin.Owns) > 1 {
			stopTracking(s.Pin) // some servers may have begun to track
		}
	} else {
		if t.redirect != c.redirect && t.redirect != nil {
			t.redirect.end()
		}
		has := func(word string) bool {
			return slices.ContainsFunc(c.words[3:], func(w string) bool { return strings.EqualFold(w, word) })
		}
		*t = State{On: strings.EqualFold(c.words[2], "on"), optIn: has("optin"), optOut: has("optout"), redirect: c.redirect, Broadcast: has("bcast")}
	}
	s.Reply(c.tag, c.reply, pool.Whole)
}

// dropRedirect ends the redirection made for this change, unless it is the one in use.
func (c *trackingChange) dropRedirect(used *redirection) {
	if c.redirect != nil && c.redirect != used {
		c.redirect.end()
	}
}

// stopTracking stops tracking at the servers that have begun.
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

// makeState is StateOf, and makes the state if there is none.
func makeState(p *session.Pin) *State {
	if p.Tracking == nil {
		t := &State{}
		p.Tracking = &session.Keeper{Of: t, Push: t.translate, Next: t.tellCaching, Left: t.dropServers, End: t.end}
	}
	return StateOf(p)
}

// dropServers ends what goes to servers that were taken off the list.
func (t *State) dropServers(old *shard.Map) {
	if t.redirect != nil {
		t.redirect.dropServers(old)
	}
}

// end ends all tracking of the session.
func (t *State) end() {
	if t.redirect != nil {
		t.redirect.end()
	}
	*t = State{}
}

// translate replaces the server's client ID in a push by the proxy's.
func (t *State) translate(push []byte) []byte {
	if t.redirect != nil && bytes.HasPrefix(push, brokenPush) {
		t.BrokenRedirect = true
		return appendBroken(nil, int64(t.redirect.target))
	}
	return push
}

// invalidateMoved invalidates all keys after hash slots have moved. A server sends no invalidation for a key that was
// read there, was missing, and has then been made at another server.
func invalidateMoved(s *session.Session) {
	invalidateAll(s)
	if s.Owed() > 0 && !s.HeldUp() {
		s.Begin(session.Standstill(invalidateAll)) // replies under way were read at the old servers
	}
}

func invalidateAll(s *session.Session) {
	switch t := StateOf(s.Pin); {
	case s.State != session.Open || t == nil || !t.On:
	case t.redirect != nil:
		t.redirect.invalidateAll()
	case s.Protocol == 3:
		s.Push(append(bytes.Clone(invalidation), "_\r\n"...))
	}
}
