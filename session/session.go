package session

import (
	"ringmaster/command"
	"ringmaster/pool"
	"ringmaster/session/intake"
	"ringmaster/session/pace"
	"ringmaster/session/slots"
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
	// Linger asks that Flush be called now and then until the session closes.
	Linger()
	// Addr is the client's address and the one it came to, for CLIENT INFO.
	Addr() (remote, local string)
}

// Session is one client. Loop-only.
type Session struct {
	Door      *Door
	Socket    Socket // nil once closed
	id        uint64
	ConnIndex uint64 // its number on the loop, by which connections are picked: id's steps may miss some

	// Small fields stand together: ten thousand idle clients are ten thousand of these.
	State     state
	wait      wait // why input is not looked at
	dirty     bool // on the loop's list of sessions with output
	Paused    bool // reading from the socket is stopped
	LoggedIn  bool
	ReplyMode replyMode // which replies it wants
	LastID    uint16    // command.Spec.ID of its latest command; NoID: none
	version   uint16    // of the map by which its requests under way were sent
	Protocol  uint8
	EOF       bool              // the client sends no more
	resuming  bool              // on the loop's list of sessions to go on
	Reason    stats.CloseReason // with which a closing session closes

	Rings         *pool.Rings
	Passage       passage   // what is waited for
	Pin           *Pin      // its connection of its own; nil: it has none
	Transaction   *Kept     // what a transaction has queued since MULTI; nil: none
	Subscriptions *Kept     // what it subscribes to; nil: nothing
	Identity      *Identity // what CLIENT SETNAME and SETINFO said; nil: nothing

	Input              intake.Buffer // what is not used yet
	Slots              slots.Ring    // unanswered requests
	Out                outbox        // what it has not got yet
	pace               pace.Pace     // how many requests it may have under way
	began              int64         // when its latest command came, ns
	OpenedAt, ActiveAt int64         // ns, for CLIENT INFO
	fullSince          int64         // since when a large request waits for room, ns; 0: none does
}

type state uint8

const (
	Open    state = iota
	Closing       // answers what is owed, then closes; input is ignored
	Closed
)

// replyMode is which replies a client wants (CLIENT REPLY).
type replyMode uint8

const (
	ReplyOn   replyMode = iota
	ReplySkip           // not that to the next command
	ReplyOff            // none
)

// Kept begins what a feature keeps for a client. There are many sessions, so each points to this, which takes one word; an interface
// takes two.
type Kept struct{ Of any } // what it is the beginning of

type Identity struct{ Name, LibName, LibVersion string }

// New makes the session of a client that just connected.
func New(env *Door, sock Socket) *Session {
	s := &Session{
		Door: env, Socket: sock, Protocol: 2, LastID: command.NoID, LoggedIn: env.Policy.Open(),
		OpenedAt: env.Pool.Now, ActiveAt: env.Pool.Now,
	}
	s.id = env.NextID()
	s.ConnIndex = env.count
	s.version = env.Version
	env.count++
	env.Roster.add(s)
	env.clients++
	s.Input.Parser.Unauthenticated = !s.LoggedIn
	s.Rings = env.Pool.Default()
	s.Rings.Join()
	env.Stats.ClientsOpened++
	return s
}

// NextID is the ID of the next client.
func (l *Loop) NextID() uint64 { return l.count*uint64(l.Loops) + uint64(l.Number) + 1 }

// Database is the database that it is in.
func (s *Session) Database() int { return s.Rings.Key().DB }

// ID is the number that CLIENT ID answers.
func (s *Session) ID() uint64 { return s.id }

// Owed is how many requests are unanswered.
func (s *Session) Owed() int { return s.Slots.Owed() }

// Drain lets the session finish what it is owed and close then, since the proxy stops or the session's door is shut.
func (s *Session) Drain() {
	if s.Door.shut {
		s.CloseAs(stats.ListenerClosed)
		return
	}
	s.CloseAs(stats.Shutdown)
}

// OnClose tells that the connection is gone. Replies that come later are dropped.
func (s *Session) OnClose(reason stats.CloseReason) {
	if s.State == Closed {
		return
	}
	s.Door.readers.bytes -= s.Out.unread + s.Out.Held
	s.Out.unread, s.Out.Held = 0, 0
	s.State = Closed
	s.Door.Roster.remove(s)
	s.Door.clients--
	s.Door.Stats.ClientsClosed[reason]++
	s.Socket = nil
	s.tidy((*Session).cancelPassage)
	s.tidy(func(s *Session) { s.Unpin(false) })
	s.Door.Features.closed(s)
	s.tidy(func(s *Session) { s.Rings.Leave() })
	s.tidy(func(s *Session) { s.Input.Drop(&s.Door.Pool.Buffers) })
	s.tidy((*Session).dropOutput)
}

// tidy lets go one thing; a panic there does not keep the others.
func (s *Session) tidy(end func(*Session)) {
	defer s.guard()
	end(s)
}

func (s *Session) cancelPassage() {
	p := s.Passage
	if p == nil {
		return
	}
	s.tidy(func(s *Session) { p.Cancel(s) })
	s.Passage = nil
}

func (s *Session) dropOutput() {
	s.Out.drop(&s.Door.Pool.Buffers)
	s.Slots.Drop(&s.Door.Pool.Buffers)
	s.endEmissions()
}

// Close ends the session at once. Its socket is told; what is unwritten is lost.
func (s *Session) Close(reason stats.CloseReason) {
	if s.State == Closed {
		return
	}
	sock := s.Socket
	s.OnClose(reason)
	sock.Close(reason)
}

// CloseAs stops taking requests; the session closes for reason when every reply is written.
func (s *Session) CloseAs(reason stats.CloseReason) {
	if s.State != Open {
		return
	}
	if s.Passage != nil && s.Passage.Cancel(s) {
		s.Door.Scratch = appendUndone(s.Door.Scratch[:0], reason, stopping, s.Door.Env)
		s.Answer(s.Door.Scratch)
	}
	s.State, s.Reason, s.wait = Closing, reason, nothing
	s.Door.Features.closing(s)
	s.Input.Drop(&s.Door.Pool.Buffers)
	s.markDirty()
}

// Flush writes the turn's replies, and closes a session that is done. A turn's end calls it, and the event loop now and then for a session
// that waits for its client to read (Socket.Linger).
func (s *Session) Flush() {
	if s.State == Closed {
		return
	}
	if out := s.Out.buf; out != nil {
		s.Out.buf = nil
		st := s.Door.Stats
		st.ClientBytesOut += uint64(len(out.B))
		st.ClientWrites++
		s.ActiveAt = s.Door.Pool.Now
		_, err := s.Socket.Write(out.B)
		s.Door.Pool.Buffers.Put(out)
		if s.State == Closed {
			return
		}
		if err != nil {
			s.Close(stats.WriteFailed)
			return
		}
	}
	if n := s.Socket.Buffered(); n > 0 || s.Out.unread > 0 {
		s.hasUnread(n)
	}
	if s.Out.pushed > 0 || s.Subscriptions != nil {
		if s.boundPushes(); s.State == Closed {
			return
		}
	}
	s.goOnEmitting()
	if s.wait == inFlight && s.relieved() {
		s.ResumeLater() // it may have waited for what was just written
	}
	switch {
	case s.State == Closing && s.Owed() == 0:
		if s.Out.unread == 0 {
			s.Close(s.Reason)
			return
		}
		s.Socket.Linger()
	case s.EOF && !s.Owes():
		s.Close(stats.ClientClosed)
	}
}

// Owes reports whether input of the client is still being worked off.
func (s *Session) Owes() bool {
	return s.State != Closed && (s.Owed() > 0 || s.wait != nothing || s.resuming || s.Out.buf != nil)
}

// OnEOF tells that the client sends no more, and reads over another socket what it is owed.
func (s *Session) OnEOF(sock Socket) {
	s.Socket, s.EOF, s.Paused = sock, true, false
	s.markDirty()
}

// Abandon ends a session whose client does not read its last replies.
func (s *Session) Abandon() { s.Close(s.Reason) }

func (s *Session) LastCommand() string {
	switch s.LastID {
	case command.NoID:
		return "NULL"
	case OtherID:
		return "unknown"
	}
	return command.All()[s.LastID].Name
}

// lastTraits are the traits of the client's latest command.
func (s *Session) lastTraits() command.Traits {
	if s.LastID >= OtherID {
		return 0
	}
	return command.All()[s.LastID].Traits
}
