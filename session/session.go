package session

import (
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
	// What an ordinary request and its reply touch stands together, up to the beginning of Input: four cache lines.
	Door   *Door
	Socket Socket // nil once closed

	// Small fields stand together: ten thousand idle clients are ten thousand of these.
	State     state
	wait      Wait // what it waits for before it looks at its input
	dirty     bool // on the loop's list of sessions with output
	Paused    bool // reading from the socket is stopped
	LoggedIn  bool
	ReplyMode replyMode // which replies it wants
	LastID    uint16    // command.Spec.ID of its latest command; NoID: none
	version   uint16    // of the map by which its requests under way were sent
	Protocol  uint8
	EOF       bool              // the client sends no more
	resuming  bool              // on the loop's list of sessions to go on
	lent      bool              // Out.buf is part of what a server has just sent (lent.go)
	Reason    stats.CloseReason // with which a closing session closes

	Rings         *pool.Rings
	Pin           *Pin  // its connection of its own; nil: it has none
	Transaction   *Kept // what a transaction has queued since MULTI; nil: none
	Subscriptions *Kept // what it subscribes to; nil: nothing

	Slots     slots.Ring    // unanswered requests
	Out       outbox        // what it has not got yet
	began     int64         // when its latest command came, ns
	ActiveAt  int64         // ns, for CLIENT INFO
	pace      pace.Pace     // how many requests it may have under way
	ConnIndex uint64        // its number on the loop, by which connections are picked: the steps of its ID may miss some
	Input     intake.Buffer // what is not used yet

	passage  passage   // what must be over before its next request is looked at; nil: none
	Identity *Identity // what CLIENT SETNAME and SETINFO said; nil: nothing
	OpenedAt int64     // ns, for CLIENT INFO
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

// Identity is what a client has said of itself with CLIENT SETNAME and CLIENT SETINFO.
type Identity struct{ Name, LibName, LibVersion string }

// Database is the database that it is in.
func (s *Session) Database() int { return s.Rings.Key().DB }

// ID is the number that CLIENT ID answers.
func (s *Session) ID() uint64 { return s.Door.idOf(s.ConnIndex) }

// Owed is how many requests are unanswered.
func (s *Session) Owed() int { return s.Slots.Owed() }

// Owes reports whether input of the client is still being worked off.
func (s *Session) Owes() bool {
	return s.State != Closed && (s.Owed() > 0 || s.wait != nothing || s.resuming || s.Out.buf != nil)
}
