package tracking

import (
	"bytes"
	"slices"
	"strconv"

	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/texts"
	"ringmaster/shard"
)

// newRedirection makes a redirection, and calls done when every server has reported the ID of its connection, or one
// has failed.
func newRedirection(s *session.Session, to uint64, done func(*pool.Failure)) *redirection {
	shards := s.Door.Map.Shards()
	r := &redirection{s: s, target: to, left: len(shards), done: done}
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
			r.endReady(f)
		}
	}
	return r
}

// endReady counts an end's answer. A failure ends the wait at once.
func (r *redirection) endReady(f *pool.Failure) {
	r.left--
	if done := r.done; done != nil && (f != nil || r.left == 0) {
		r.done = nil
		done(f)
	}
}

// id returns the client ID of the redirection's connection at server.
func (r *redirection) id(server int) int64 {
	for _, e := range r.ends {
		if e.server == server {
			return e.clientID
		}
	}
	return 0
}

// servesTarget reports whether the redirection has all its connections and passes on to this target.
func (r *redirection) servesTarget(to uint64) bool {
	for _, e := range r.ends {
		if e.conn == nil {
			return false
		}
	}
	return r.target == to
}

// dropServers closes the connections to servers that were taken off the list.
func (r *redirection) dropServers(old *shard.Map) {
	m := r.s.Door.Map
	r.ends = slices.DeleteFunc(r.ends, func(e *redirectEnd) bool {
		gone := e.server < old.Len() && old.Server(e.server).Addr != "" && m.Server(e.server).Addr == "" && e.clientID != 0
		if gone {
			e.end()
		}
		return gone
	})
}

// end closes the connections. That ends the redirection at the servers.
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
		e.r.forgetIfQuit()
	}
}

// quit ends the redirection after its target has gone. The servers get QUIT, so that invalidations that they have sent
// are not lost.
func (r *redirection) quit() {
	d := redirectionsOf(r.s.Door.Env)
	delete(d.all, r)
	r.quitSent = true
	d.ending[r] = struct{}{}
	for _, e := range r.ends {
		if e.conn != nil && e.conn.Enqueue(&pool.Request{Raw: parser.AppendRequest(nil, "QUIT"), Recv: e, Tag: quitTag, Manner: pool.Here}) != nil {
			e.end()
		}
	}
	r.forgetIfQuit()
}

// forgetIfQuit forgets the redirection after QUIT, when no connection is left.
func (r *redirection) forgetIfQuit() {
	if r.quitSent && !slices.ContainsFunc(r.ends, func(e *redirectEnd) bool { return e.conn != nil }) {
		delete(redirectionsOf(r.s.Door.Env).ending, r)
	}
}

// quitTag is the tag of the answer to QUIT. That of CLIENT ID is 0.
const quitTag = 1

// Reply is pool.Receiver.
func (e *redirectEnd) Reply(tag uint64, b []byte, piece pool.Piece) {
	if tag == quitTag {
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
		f = &pool.Failure{Kind: pool.Lost, Sent: true, Cause: texts.ErrNoServerID}
	}
	e.clientID, e.reply = id, nil
	e.r.endReady(f)
}

// Client is pool.Receiver and pool.Owner.
func (e *redirectEnd) Client() pool.Client { return e.r.s }

// Fail is pool.Receiver.
func (e *redirectEnd) Fail(tag uint64, f *pool.Failure) {
	if tag == quitTag {
		e.end()
		return
	}
	e.r.endReady(f)
}

// OwnLost is pool.Owner. The server, too, finds the redirection broken and reports it.
func (e *redirectEnd) OwnLost(*pool.Conn, *pool.Failure) {
	e.r.s.CountHeld(-len(e.buf))
	e.conn, e.buf = nil, nil
	e.r.forgetIfQuit()
}

// Pushed is pool.Owner.
func (e *redirectEnd) Pushed(b []byte, piece pool.Piece) {
	if b = session.Whole(e.r.s, &e.buf, b, piece); !bytes.HasPrefix(b, invalidation) {
		return
	}
	e.r.invalidate(bytes.Clone(b[len(invalidation):]))
}

func (r *redirection) invalidateAll() { r.invalidate([]byte("_\r\n")) }

// invalidate passes keys on to the target; keys is an array, or a null for all keys. Takes keys.
func (r *redirection) invalidate(keys []byte) {
	if keys[0] == '_' && r.s.Protocol == 2 {
		keys = []byte("$-1\r\n") // the null of the tracked client's protocol, whatever the target's is (Redis 7.0, tracking.c)
	}
	r.s.Door.AskLoops(func(env *session.Env) any { return pushToTarget(env, r.target, keys) }, func(answers []any) {
		for _, reached := range answers {
			if reached.(bool) {
				return
			}
		}
		r.reportBroken()
	})
}

// reportBroken tells the session that the target is gone, as a server would. It is for a target that has gone before
// the servers knew.
func (r *redirection) reportBroken() {
	s := r.s
	t := StateOf(s.Pin)
	if s.State != session.Open || t == nil || t.redirect != r {
		return
	}
	t.BrokenRedirect = true
	if s.Protocol == 3 {
		s.Push(appendBroken(nil, int64(r.target)))
	}
	for _, e := range r.ends {
		if e.conn != nil && !r.quitSent {
			// KILL goes over another connection, because this may be a callback of e.conn.
			_ = s.Rings.Pick(e.server, s.ConnIndex).Tell("CLIENT", "KILL", "ID", strconv.Itoa(int(e.clientID)))
		}
	}
}

// brokenPush is the beginning of the push that tells a client that its redirection is broken. The target's ID follows.
var brokenPush = []byte(">2\r\n$21\r\ntracking-redir-broken\r\n")

func appendBroken(b []byte, id int64) []byte { return parser.AppendInt(append(b, brokenPush...), id) }

// isTarget reports whether others redirect their invalidations to the session.
func isTarget(s *session.Session) bool { return redirectionsOf(s.Door.Env).targets[s.ID()] != nil }

// closeTarget ends the redirections to a client that closes. The servers then tell the clients whose keys are tracked.
func closeTarget(s *session.Session) {
	if !isTarget(s) {
		return
	}
	id := s.ID()
	delete(redirectionsOf(s.Door.Env).targets, id)
	s.Door.AskLoops(func(e *session.Env) any { return quitRedirectsTo(e, id) }, func([]any) {})
}

// quitRedirectsTo ends the redirections to a client that is gone, and reports whether all servers know.
func quitRedirectsTo(e *session.Env, id uint64) (known bool) {
	d := redirectionsOf(e)
	for r := range d.all {
		if r.target == id && r.done == nil { // otherwise it is still being made, and its passage waits for it
			r.quit()
		}
	}
	for r := range d.ending {
		if r.target == id {
			return false
		}
	}
	return true
}

// findTarget returns the session with an ID if it is on this loop, and adds it to the loop's targets; nil: it is not
// here.
func findTarget(e *session.Env, id uint64) *session.Session {
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

// pushToTarget gives keys to a target on this loop: as a push, or in RESP2 as a message if it subscribes to something.
// It reports whether the target is there. Borrows keys until return.
func pushToTarget(e *session.Env, id uint64, keys []byte) bool {
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
