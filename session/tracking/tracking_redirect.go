package tracking

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/gather"
	"ringmaster/session/texts"
	"ringmaster/shard"
)

// redirection hands a session's invalidations to another client of the proxy. The servers know neither, so each
// sends them to a connection of the redirection's own, which speaks RESP3.
type redirection struct {
	s    *session.Session // whose keys are tracked
	To   uint64           // the client that gets the invalidations
	ends []*redirectEnd
	left int                 // ends that do not know yet what the server calls them
	done func(*pool.Failure) // called once all do; nil: it was
	gone bool                // the client is, and the servers are told
}

// redirections are those of an upstream on a loop.
type redirections struct {
	targets map[uint64]*session.Session // by ID: who gets the invalidations of others
	all     map[*redirection]struct{}   // of sessions of this loop
	leaving map[*redirection]struct{}   // of those, what goes to a client that is gone, until all servers know
}

func redirectionsOf(e *session.Env) *redirections { return e.Tracking.(*redirections) }

// redirectEnd is one server's connection of a redirection.
type redirectEnd struct {
	pool.Unplaced
	r      *redirection
	server int
	conn   *pool.Conn // nil: lost
	id     int64      // what the server calls it
	reply  []byte
	buf    []byte // an unfinished push
}

// redirect makes a redirection and calls done when the servers' words for its connections are known.
func redirect(s *session.Session, to uint64, done func(*pool.Failure)) *redirection {
	shards := s.Door.Map.Shards()
	r := &redirection{s: s, To: to, left: len(shards), done: done}
	redirectionsOf(s.Door.Env).all[r] = struct{}{}
	ask := parser.AppendRequest(nil, "CLIENT", "ID")
	for _, i := range shards {
		e := &redirectEnd{r: r, server: i}
		r.ends = append(r.ends, e)
		conn, f := s.Door.Pool.Lend(i, pool.Key{Proto: 3}, e)
		if f == nil {
			e.conn = conn
			f = conn.Enqueue(&pool.Request{Raw: ask, Recv: e, Manner: pool.Here})
		}
		if f != nil {
			r.arrived(f)
		}
	}
	return r
}

// arrived counts an end's answer; a failure ends the wait at once.
func (r *redirection) arrived(f *pool.Failure) {
	r.left--
	if done := r.done; done != nil && (f != nil || r.left == 0) {
		r.done = nil
		done(f)
	}
}

// id is what server calls the connection of the redirection to it.
func (r *redirection) id(server int) int64 {
	for _, e := range r.ends {
		if e.server == server {
			return e.id
		}
	}
	return 0
}

// serves reports whether r can go on to hand invalidations to a client.
func (r *redirection) serves(to uint64) bool {
	for _, e := range r.ends {
		if e.conn == nil {
			return false
		}
	}
	return r.To == to
}

// end closes the connections, by which the servers know.
func (r *redirection) end() {
	r.done = nil
	delete(redirectionsOf(r.s.Door.Env).all, r)
	for _, e := range r.ends {
		e.end()
	}
}

func (e *redirectEnd) end() {
	e.r.s.CountHeld(-len(e.buf))
	e.buf = nil
	if c := e.conn; c != nil {
		e.conn = nil
		c.Return(false)
		e.r.settle()
	}
}

// forsake ends the connections to servers that were taken off the list.
func (r *redirection) forsake(old *shard.Map) {
	m := r.s.Door.Map
	r.ends = slices.DeleteFunc(r.ends, func(e *redirectEnd) bool {
		gone := e.server < old.Len() && old.Server(e.server).Addr != "" && m.Server(e.server).Addr == "" && e.id != 0
		if gone {
			e.end()
		}
		return gone
	})
}

// leave is end for a client that is gone: what the servers have sent it by then must not be lost.
func (r *redirection) leave() {
	d := redirectionsOf(r.s.Door.Env)
	delete(d.all, r)
	r.gone = true
	d.leaving[r] = struct{}{}
	for _, e := range r.ends {
		if e.conn != nil && e.conn.Enqueue(&pool.Request{Raw: parser.AppendRequest(nil, "QUIT"), Recv: e, Tag: lastWord, Manner: pool.Here}) != nil {
			e.end()
		}
	}
	r.settle()
}

// settle forgets a redirection whose client is gone once every server knows.
func (r *redirection) settle() {
	if r.gone && !slices.ContainsFunc(r.ends, func(e *redirectEnd) bool { return e.conn != nil }) {
		delete(redirectionsOf(r.s.Door.Env).leaving, r)
	}
}

// lastWord is the tag of the answer to QUIT; that of CLIENT ID is 0.
const lastWord = 1

// Reply is pool.Receiver.
func (e *redirectEnd) Reply(tag uint64, b []byte, piece pool.Piece) {
	if tag == lastWord {
		if piece&pool.Last != 0 {
			e.end()
		}
		return
	}
	if len(e.reply) < maxTrackingReply {
		e.reply = append(e.reply, b...)
	}
	if piece&pool.Last == 0 {
		return
	}
	var f *pool.Failure
	id, ok := parser.Integer(e.reply)
	if !ok {
		f = &pool.Failure{Kind: pool.Lost, Sent: true, Cause: texts.NoServerID}
	}
	e.id, e.reply = id, nil
	e.r.arrived(f)
}

// Client is pool.Receiver and pool.Owner.
func (e *redirectEnd) Client() pool.Client { return e.r.s }

// Fail is pool.Receiver.
func (e *redirectEnd) Fail(tag uint64, f *pool.Failure) {
	if tag == lastWord {
		e.end()
		return
	}
	e.r.arrived(f)
}

// OwnLost is pool.Owner. The server finds the redirection broken, too, and says so.
func (e *redirectEnd) OwnLost(*pool.Conn, *pool.Failure) {
	e.r.s.CountHeld(-len(e.buf))
	e.conn, e.buf = nil, nil
	e.r.settle()
}

// invalidation begins every push about keys that have changed.
var invalidation = []byte(">2\r\n$10\r\ninvalidate\r\n")

// Pushed is pool.Owner.
func (e *redirectEnd) Pushed(b []byte, piece pool.Piece) {
	if b = session.Whole(e.r.s, &e.buf, b, piece); !bytes.HasPrefix(b, invalidation) {
		return
	}
	e.r.invalidate(bytes.Clone(b[len(invalidation):]))
}

func (r *redirection) invalidateAll() { r.invalidate([]byte("_\r\n")) }

// invalidate hands keys, an array or a null for all, to the other client.
func (r *redirection) invalidate(keys []byte) {
	if keys[0] == '_' && r.s.Protocol == 2 {
		keys = []byte("$-1\r\n") // the null of whose keys are tracked, whoever gets it (Redis 7.0, tracking.c)
	}
	r.s.Door.AskLoops(func(env *session.Env) any { return invalidate(env, r.To, keys) }, func(answers []any) {
		for _, reached := range answers {
			if reached.(bool) {
				return
			}
		}
		r.broken()
	})
}

// isTarget reports whether others redirect their invalidations to the session.
func isTarget(s *session.Session) bool { return redirectionsOf(s.Door.Env).targets[s.ID()] != nil }

// targetGone ends what the servers send for a client that closes, so that they tell those whose keys are tracked.
func targetGone(s *session.Session) {
	if !isTarget(s) {
		return
	}
	id := s.ID()
	delete(redirectionsOf(s.Door.Env).targets, id)
	s.Door.AskLoops(func(e *session.Env) any { return leave(e, id) }, func([]any) {})
}

// broken tells the session that the other client is gone, as the server would: it went before the server knew.
func (r *redirection) broken() {
	s := r.s
	t := TrackingOf(s.Pin)
	if s.State != session.Open || t == nil || t.Redirect != r {
		return
	}
	t.BrokenRedirect = true
	if s.Protocol == 3 {
		s.Push(appendBroken(nil, int64(r.To)))
	}
	for _, e := range r.ends {
		if e.conn != nil && !r.gone {
			// Not from within its own callback.
			_ = s.Rings.Pick(e.server, s.ConnIndex).Tell("CLIENT", "KILL", "ID", strconv.Itoa(int(e.id)))
		}
	}
}

// brokenPush begins the push that tells a client that its redirection is broken; the ID follows.
var brokenPush = []byte(">2\r\n$21\r\ntracking-redir-broken\r\n")

func appendBroken(b []byte, id int64) []byte { return parser.AppendInt(append(b, brokenPush...), id) }

// translate puts the proxy's ID in place of the server's in a push.
func (t *State) translate(push []byte) []byte {
	if t.Redirect != nil && bytes.HasPrefix(push, brokenPush) {
		t.BrokenRedirect = true
		return appendBroken(nil, int64(t.Redirect.To))
	}
	return push
}

// target is the session with an ID, if it is on this loop; it can be found fast from then on.
func target(e *session.Env, id uint64) *session.Session {
	d := redirectionsOf(e)
	if s := d.targets[id]; s != nil {
		return s
	}
	s := e.Roster.Find(id)
	if s == nil || s.State != session.Open || s.EOF {
		return nil
	}
	d.targets[id] = s
	return s
}

// invalidate hands keys, an array or a null for all, to a client of this loop: as a push, or in RESP2 as a message if it
// subscribes to something. It reports whether the client is there.
func invalidate(e *session.Env, id uint64, keys []byte) bool {
	s := redirectionsOf(e).targets[id]
	if s == nil || s.State != session.Open {
		return false
	}
	if s.Protocol == 3 {
		s.Push(append(bytes.Clone(invalidation), keys...))
	} else if s.Subscriptions != nil {
		s.Push(append([]byte("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"), keys...))
	}
	return true
}

// joinTrackingInfo and joinGetRedir put the proxy's ID in place of the first server's in its answer.

// joinTrackingInfo gives one server's answer: they differ only in that each finds a redirection broken when it has something to
// send over it.
func joinTrackingInfo(g *gather.Gather, dst []byte) []byte {
	from := &g.Parts[0]
	for i := range g.Parts {
		if bytes.Contains(g.Parts[i].Buf.B, []byte("$15\r\nbroken_redirect\r\n")) {
			from = &g.Parts[i]
			break
		}
	}
	reply := from.Buf.B
	if r := redirectFor(g); r != nil {
		reply = bytes.Replace(reply, fmt.Appendf(nil, "redirect\r\n:%d\r\n", r.id(from.Server)), fmt.Appendf(nil, "redirect\r\n:%d\r\n", r.To), 1)
	}
	return append(dst, reply...)
}

func joinGetRedir(g *gather.Gather, dst []byte) []byte {
	reply := g.Parts[0].Buf.B
	if n, ok := parser.Integer(reply); ok && n > 0 && redirectFor(g) != nil {
		return parser.AppendInt(dst, int64(redirectFor(g).To))
	}
	return append(dst, reply...)
}

func redirectFor(g *gather.Gather) *redirection {
	if g.Session == nil {
		return nil
	}
	if t := TrackingOf(g.Session.Pin); t != nil {
		return t.Redirect
	}
	return nil
}
