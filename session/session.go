package session

import (
	"github.com/valyala/bytebufferpool"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/pool"
	"ringmaster/stats"
)

// Socket is what a Session may ask of its connection: the event loop's, or a test's.
type Socket interface {
	// Write takes all of b or fails. A failure may call Session.OnClose before it returns.
	Write(b []byte) (int, error)
	// Buffered is how many bytes given to Write the kernel has not taken yet.
	Buffered() int
	// Close closes later, not within the call.
	Close(reason stats.CloseReason)
	// Pause and Unpause stop and restart reading.
	Pause()
	Unpause()
	// Linger asks that Poke be called now and then until the session closes.
	Linger()
	// Addr is the client's address and the one it came to, for CLIENT INFO.
	Addr() (remote, local string)
}

// Session is one client. Loop-only.
type Session struct {
	env  *Door
	sock Socket // nil once closed
	id   uint64
	seat uint64 // its number on the loop, by which connections are picked: id's steps may miss some

	// Small fields stand together: ten thousand idle clients are ten thousand of these.
	state     state
	wait      wait // why input is not looked at
	dirty     bool // on the loop's list of sessions with output
	paused    bool // reading from the socket is stopped
	authed    bool
	replyMode replyMode // which replies it wants
	last      uint16    // command.Spec.ID of its latest command; NoID: none
	version   uint16    // of the map by which its requests under way were sent
	proto     uint8
	partial   bool              // part of the head's reply is already in out
	eof       bool              // the client sends no more
	slow      bool              // on the loop's list of sessions with unread output
	resuming  bool              // on the loop's list of sessions to go on
	reason    stats.CloseReason // with which a closing session closes

	rings   *pool.Rings
	passage passage                    // what is waited for
	pin     *pin                       // its connection of its own; nil: it has none
	tx      *kept                      // what a transaction has queued since MULTI; nil: none
	subs    *kept                      // what it subscribes to; nil: nothing
	pushes  *bytebufferpool.ByteBuffer // that wait for a reply under way to end; nil: none
	ident   *identity                  // what CLIENT SETNAME and SETINFO said; nil: nothing

	parser parser.RequestParser
	in     *bytebufferpool.ByteBuffer // input not yet used; nil: none
	off    int                        // of which this much is used

	slots      []slot // unanswered requests, len is 0 or a power of two
	head, tail uint64 // head <= tail; tail - head == requests unanswered
	inBytes    int    // size of the unanswered requests
	held       int    // bytes of replies in slots
	unread     int    // output the client had not taken when last looked at, bytes
	pushed     int    // of what it did not ask for, since it last had read all, bytes
	meanReply  int32  // mean size of its latest replies, bytes
	grown      int32  // small replies since it came, or since the latest large one
	coming     int    // size of the head's reply so far, bytes
	out        *bytebufferpool.ByteBuffer
	emissions  *[]parked // replies that are made in pieces and wait for their turn, or for the client to read; nil: none

	began          int64 // when its latest command came, ns
	opened, active int64 // ns, for CLIENT INFO
	readAt         int64 // when it was last seen to read, while slow, ns
	fullSince      int64 // since when a large request waits for room, ns; 0: none does
	replied        int64 // when the latest reply ended, ns
}

type state uint8

const (
	open    state = iota
	closing       // answers what is owed, then closes; input is ignored
	closed
)

// replyMode is which replies a client wants (CLIENT REPLY).
type replyMode uint8

const (
	replyOn   replyMode = iota
	replySkip           // not that to the next command
	replyOff            // none
)

// kept begins what a feature keeps for a client. There are many sessions, so each points to this, which takes one word; an interface
// takes two.
type kept struct{ of any } // what it is the beginning of

type identity struct{ name, libName, libVersion string }

// New makes the session of a client that just connected.
func New(env *Door, sock Socket) *Session {
	s := &Session{
		env: env, sock: sock, proto: 2, last: command.NoID, authed: env.Policy.Open(),
		opened: env.Pool.Now, active: env.Pool.Now,
	}
	s.id = env.nextID()
	s.seat = env.count
	s.version = env.version
	env.count++
	env.roster.add(s)
	env.clients++
	s.parser.Unauthenticated = !s.authed
	s.rings = env.Pool.Default()
	s.rings.Join()
	env.Stats.ClientsOpened++
	return s
}

// nextID is the ID of the next client.
func (l *Loop) nextID() uint64 { return l.count*uint64(l.Loops) + uint64(l.Number) + 1 }

// db is the database that it is in.
func (s *Session) db() int { return s.rings.Key().DB }

// ID is the number that CLIENT ID answers.
func (s *Session) ID() uint64 { return s.id }

// Owed is how many requests are unanswered.
func (s *Session) Owed() int { return int(s.tail - s.head) }

// Drain lets the session finish what it is owed and close then, since the proxy stops or the session's door is shut.
func (s *Session) Drain() {
	if s.env.shut {
		s.closeAs(stats.ListenerClosed)
		return
	}
	s.closeAs(stats.Shutdown)
}

// OnClose tells that the connection is gone. Replies that come later are dropped.
func (s *Session) OnClose(reason stats.CloseReason) {
	if s.state == closed {
		return
	}
	s.forgetOutput()
	s.state = closed
	s.env.roster.remove(s)
	s.env.clients--
	s.env.Stats.ClientsClosed[reason]++
	s.sock = nil
	s.tidy((*Session).cancelPassage)
	s.tidy(func(s *Session) { s.unpin(false) })
	s.featuresClosed()
	s.tidy(func(s *Session) { s.rings.Leave() })
	s.tidy((*Session).dropInput)
	s.tidy((*Session).dropOutput)
	s.tidy((*Session).dropPushes)
}

// tidy lets go one thing; a panic there does not keep the others.
func (s *Session) tidy(end func(*Session)) {
	defer s.guard()
	end(s)
}

func (s *Session) cancelPassage() {
	p := s.passage
	if p == nil {
		return
	}
	s.tidy(func(s *Session) { p.cancel(s) })
	s.passage = nil
}

func (s *Session) dropOutput() {
	if s.out != nil {
		s.env.Pool.Buffers.Put(s.out)
		s.out = nil
	}
	for i := range s.slots {
		if b := s.slots[i].buf; b != nil {
			s.env.Pool.Buffers.Put(b)
		}
	}
	s.slots = nil
	s.endEmissions()
}

// close ends the session at once. Its socket is told; what is unwritten is lost.
func (s *Session) close(reason stats.CloseReason) {
	if s.state == closed {
		return
	}
	sock := s.sock
	s.OnClose(reason)
	sock.Close(reason)
}

// closeAs stops taking requests; the session closes for reason when every reply is written.
func (s *Session) closeAs(reason stats.CloseReason) {
	if s.state != open {
		return
	}
	if s.passage != nil && s.passage.cancel(s) {
		s.env.scratch = appendUndone(s.env.scratch[:0], reason, stopping, s.env.Env)
		s.answer(s.env.scratch)
	}
	s.state, s.reason, s.wait = closing, reason, nothing
	s.featuresClosing()
	s.dropInput()
	s.markDirty()
}

func (s *Session) markDirty() {
	if !s.dirty && s.state != closed {
		s.dirty = true
		s.env.dirty = append(s.env.dirty, s)
	}
}

// flush writes the turn's replies, and closes a session that is done.
func (s *Session) flush() {
	if s.state == closed {
		return
	}
	if out := s.out; out != nil {
		s.out = nil
		st := s.env.Stats
		st.ClientBytesOut += uint64(len(out.B))
		st.ClientWrites++
		s.active = s.env.Pool.Now
		_, err := s.sock.Write(out.B)
		s.env.Pool.Buffers.Put(out)
		if s.state == closed {
			return
		}
		if err != nil {
			s.close(stats.WriteFailed)
			return
		}
	}
	if n := s.sock.Buffered(); n > 0 || s.unread > 0 {
		s.hasUnread(n)
	}
	if s.pushed > 0 || s.subs != nil {
		if s.boundPushes(); s.state == closed {
			return
		}
	}
	if s.emissions != nil {
		s.goOnEmitting()
	}
	if s.wait == inFlight && s.relieved() {
		s.resumeLater() // it may have waited for what was just written
	}
	switch {
	case s.state == closing && s.Owed() == 0:
		if s.unread == 0 {
			s.close(s.reason)
			return
		}
		s.sock.Linger()
	case s.eof && !s.Owes():
		s.close(stats.ClientClosed)
	}
}

// Poke looks whether a session that waits for its client to read can close.
func (s *Session) Poke() { s.flush() }

// Owes reports whether input of the client is still being worked off.
func (s *Session) Owes() bool {
	return s.state != closed && (s.Owed() > 0 || s.wait != nothing || s.resuming || s.out != nil)
}

// OnEOF tells that the client sends no more, and reads over another socket what it is owed.
func (s *Session) OnEOF(sock Socket) {
	s.sock, s.eof, s.paused = sock, true, false
	s.markDirty()
}

// Abandon ends a session whose client does not read its last replies.
func (s *Session) Abandon() { s.close(s.reason) }

func (s *Session) lastCommand() string {
	switch s.last {
	case command.NoID:
		return "NULL"
	case otherID:
		return "unknown"
	}
	return command.All()[s.last].Name
}

// lastTraits are the traits of the client's latest command.
func (s *Session) lastTraits() command.Traits {
	if s.last >= otherID {
		return 0
	}
	return command.All()[s.last].Traits
}
