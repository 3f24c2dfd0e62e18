package conn

import (
	"errors"
	"log/slog"
	"math/rand/v2"

	"ringmaster/parser"
	"ringmaster/pool/ask"
	"ringmaster/pool/order"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// Socket is what a Conn may ask of its connection: the event loop's, or a test's.
type Socket interface {
	// Write takes all of b or fails. A failure may call OnClose before it returns.
	Write(b []byte) (int, error)
	// Writev is Write for all of bs, whose elements it may change.
	Writev(bs [][]byte) (int, error)
	// Buffered is how many bytes given to Write the kernel has not taken yet.
	Buffered() int
	// Unacknowledged reports whether the server's system is silent though something was sent to it again and again. One that
	// acknowledges, but whose server does not read or answer, is not.
	Unacknowledged() bool
	// Close closes later, not within the call; OnClose does not follow.
	Close()
}

// Conn is one connection to a server. It outlives its sockets: when one is lost it is dialled
// again. Loop-only.
type Conn struct {
	// What an ordinary request and its reply touch stands together: four cache lines, and a fifth for sent. They are the fields up to
	// fences.guard, and those from scan on.
	Up     *Upstream
	server *Server
	sock   Socket // nil unless Handshaking, Ready or Draining
	lost   uint32 // how many sockets it has lost: numbers are compared faster than Sockets
	state  State
	dirty  bool // on the pool's list of connections with output, or on its backlog
	behind bool // on the backlog: the socket is full, only a tick looks again
	frozen bool // requests from frozenAt on wait until it is made again
	// streams: the owner takes what nobody asked for, whatever it is. tunnel: bytes go to the owner as they come.
	streams, tunnel bool

	heldBack bool   // rest is the beginning of a reply that is held back
	queued   uint64 // bytes ever enqueued
	written  uint64 // of those, bytes given to the socket

	Ring     queue.Ring
	progress int64 // when bytes last came or a request found the ring empty, ns
	came     int64 // when bytes last came, ns
	heard    int64 // when bytes last came, a request found the ring empty, or the system was asked whether it hears the server's, ns

	out    queue.Output
	fences fences // after scripts and commands of modules (fence.go)
	scan   parser.ReplyScanner
	rest   []byte        // an unfinished line of a reply, or the beginning of one that is held back
	sent   queue.History // of a cluster's shared connections

	Group       *Group
	Nth         int  // among the connections of its rings to its server
	waitForDial bool // not failed since it last worked: requests may wait for the dial
	down        *ask.Failure
	expired     uint64 // requests before this one are answered with a timeout already
	unsent      uint64 // of the bytes written, those that the socket held back when it closed

	handshake handshake
	early     bool  // the ring may hold requests that are older than those before them, for they were sent again
	backoff   int64 // the last pause before dialling, ns
	retryAt   int64 // when to dial again, ns
	failedAt  int64 // when the dial began that failed, or it was lost too soon, ns
	dialledAt int64
	// dialTimeout is how long the dial may take that was begun then, ns.
	dialTimeout int64
	ReadyAt     int64
	Tried       bool   // has failed before its Rings were usable
	denied      bool   // it failed last because the server refused the login
	login       uint32 // Pool.logins when it logged in

	busyText []byte // the server's error while a script holds up this connection, at that place in the ring
	busyHead uint64

	refusal    []byte // of the script that is queued; empty: none (wrapped.go)
	headerCut  bool   // of the reply to a script that was sent as a transaction
	IsLane     bool   // nobody shares it
	ForProbing bool   // it is for asking whether a script keeps its server busy

	own      bool  // lent to one session at a time (owned.go): never dialled again
	Owner    Owner // has the connection to itself; nil: there is none
	serverID int64 // what the server calls it
	multi    bool  // the server is known to take MULTI (multi.go)
	proving  bool  // it is asked that for batches that wait (resend.go)
	readOnly bool  // the server was told READONLY
	inStream bool  // the piece under way is one that nobody asked for
	recalled bool  // another server has taken the number of its server

	// While it is to be made again (upkeep.go): requests from frozenAt on wait for that.
	stale    staleness
	frozenAt uint64
}

// NewConn makes a connection to a server, the nth of its group to that. It is not dialled yet.
func NewConn(u *Upstream, s *Server, g *Group, nth int) *Conn {
	return &Conn{Up: u, server: s, Group: g, Nth: nth, fences: fences{guard: noGuard}, waitForDial: true, down: s.Lost, out: queue.NewOutput(&u.Loop.Buffers)}
}

// Errors that the pool itself finds on a connection.
var (
	errUnexpected = errors.New("sent a reply that answers no request")
	errNotRESP    = errors.New("sent bytes that are not RESP")
	errStalled    = errors.New("sent nothing for the stall timeout while replies were due")
	errLink       = errors.New("does not acknowledge the bytes sent to it")
	errDial       = errors.New("could not be reached within the dial timeout")
	errHandshake  = errors.New("did not finish the handshake within the dial timeout")
	errClosed     = errors.New("closed the connection")
	ErrGone       = errors.New("is no longer part of the topology")
)

// ErrRetired is the cause of requests' end on a connection that the proxy itself gives up.
var ErrRetired = errors.New("connection is no longer needed")

// State says where the connection stands.
func (c *Conn) State() State { return c.state }

// Server is whom it talks to.
func (c *Conn) Server() *Server { return c.server }

// Key says which protocol and database the connection is for. Loop-only.
func (c *Conn) Key() Key { return c.Group.ForKey }

// Down says why the connection takes nothing, when it doesn't. Loop-only.
func (c *Conn) Down() *ask.Failure { return c.down }

// Renamed tells that the server has another name.
func (c *Conn) Renamed() {
	f := *c.down
	f.Server = c.server.Name
	c.down = &f
}

// Exclude says that there is no server, so that the connection is none.
func (c *Conn) Exclude() {
	c.waitForDial, c.down, c.state = false, &ask.Failure{Kind: ask.Down, Server: c.server.Name, Cause: ErrGone}, Retired
}

// BelongTo has the connection be one to s, which is at the address of its server.
func (c *Conn) BelongTo(s *Server) {
	was := c.server
	if c.server = s; c.state == Ready {
		was.Ready--
		s.Ready++
		c.Up.Keeper.Changed(s)
	}
}

// Busy is the error with which the server turns down what comes while a script runs on this connection; nil: none runs, or
// the server takes others. Valid until the next turn. Loop-only.
func (c *Conn) Busy() []byte {
	if c.busyText != nil && c.Ring.Len() > 0 && c.Ring.Head == c.busyHead {
		return c.busyText
	}
	return nil
}

// SetBusy has Busy say text as long as the request with this place in the ring is the oldest.
func (c *Conn) SetBusy(text []byte, head uint64) { c.busyText, c.busyHead = text, head }

// Probes reports whether the connection is for asking the server whether a script keeps it busy. Loop-only.
func (c *Conn) Probes() bool { return c.ForProbing }

// Upstream is what the connections of a loop to one upstream share. Loop-only.
type Upstream struct {
	Loop     *Loop
	Config   *Config // never changed: a new one replaces it
	Counters *stats.Upstream
	Log      Logger
	Keeper   Keeper
	Orders   order.Book[ask.Client, *Conn] // of the clients with requests that are sent again, except reads
	Logins   uint32                        // how often the user as which connections log in has changed
	Stopped  bool
	// elsewhereBusy: a script holds up a server, as other loops have found.
	ElsewhereBusy bool
}

// Keeper is what connections tell and ask whoever keeps them. A connection knows its server, and no other. Requests come by value, so
// that they may lie on the stack of whoever sends them.
type Keeper struct {
	// ready: c has logged in.
	Ready func(c *Conn)
	// failed: c could not be made because of cause.
	Failed func(c *Conn, cause error)
	// noDatabase: the server has refused the database of c with these words.
	NoDatabase func(c *Conn, reply []byte)
	// hello: a server has answered to HELLO with this protocol.
	Hello func(proto int, reply []byte)
	// ended: the socket of c is gone, and nothing is owed any more.
	Ended func(c *Conn)
	// disowned: c, which is lent to one owner at a time, is gone for good because of f.
	Disowned func(c *Conn, f *ask.Failure)
	// returned: the owner of c gives it back; clean: the server keeps nothing of it.
	Returned func(c *Conn, clean bool)
	// drained: c takes nothing any more and owes nothing.
	Drained func(c *Conn)
	// remade: c is being made again.
	Remade func(c *Conn)
	// ticked: a tick has looked at c, which is connected.
	Ticked func(c *Conn)
	// laneFreed: c, a lane, has nothing under way any more.
	LaneFreed func(c *Conn)
	// lane has r go over a lane beside c.
	Lane func(c *Conn, r ask.Request) *ask.Failure
	// detour takes a request that c could not take because of f.
	Detour func(c *Conn, e queue.Pending, raw []byte, f *ask.Failure) *ask.Failure
	// readLater takes a request that only reads, and that c could not take because of f. A nil f: its server may not be read from.
	ReadLater func(c *Conn, r ask.Request, f *ask.Failure) *ask.Failure
	// save takes a request that has failed with f; false: its client is to be told.
	Save func(c *Conn, e *queue.Pending, raw []byte, f *ask.Failure) bool
	// refuses reports whether an error that says so is the server's own refusal, as far as can be told yet.
	Refuses func(c *Conn, e *queue.Pending, reply []byte) bool
	// redirect takes the head of c, which the server has refused.
	Redirect func(c *Conn, e queue.Pending, reply []byte)
	// ran: a request has run, or may have.
	Ran func(e *queue.Pending)
	// refusedWrite: the server has refused a request as a replica; carried: or what it ran says so.
	RefusedWrite func(c *Conn, carried bool)
	// unescaped: what is known of what servers escape has changed.
	Unescaped func()
	// changed: the state of a connection to a server has changed.
	Changed func(s *Server)
	// unblock ends what waits on c at its server.
	Unblock func(c *Conn, how string)
	// rejoin has c go on as a connection to the server that is at its server's address again; false: there is none.
	Rejoin func(c *Conn) bool
}

// Group is the connections of one Key. Loop-only.
type Group struct {
	ForKey    Key
	First     bool   // every session begins with them
	Works     bool   // a connection has been ready
	Refused   []byte // a server has refused the database with these words
	IdleSince int64  // when nobody used them any more, ns
}

// Key tells apart the connections that sessions may not share: what a server's reply looks like and
// which database a command meets depend on it.
type Key struct {
	Proto int // 2 or 3
	DB    int
}

// Loop is what all connections of one event loop share: its clock, its buffers, and the lists of those that have something to write
// or want to be dialled. Loop-only.
type Loop struct {
	// Now is the time of this turn, ns since some fixed point. The event loop sets it.
	Now int64
	// InFlight is the number of requests that replies are owed to.
	//
	// InFlight == sum of the lengths of all upstreams' rings.
	InFlight int
	// Buffers are the loop's.
	Buffers queue.Buffers
	// OnPanic is told of a panic in what a pool does for whom; nil: that is not known, or nobody's alone.
	OnPanic func(whom ask.Client, cause any)
	// GiveBack is called at the end of an OnBytes in which Lend has lent something: after it nothing of that is used. Whoever calls Lend
	// sets it.
	GiveBack func()

	came   []byte // what OnBytes has been given; nil: it does not run
	lent   bool   // some of it is lent
	agedAt int64  // when Buffers let go what is not needed, ns

	runs [][]byte // what is being written

	Each func(func(*Conn)) // calls a function for every connection of the loop
	// The Receiver that was called last in this turn, or the Owner if that is not nil.
	serving      ask.Receiver
	servingOwner Owner
	dirty        []*Conn
	urgent       bool // a dirty connection holds at least queue.UrgentSize

	backlog []*Conn // more to write than their sockets should hold
	dials   []*Conn
	delayed []*Conn // dials for the next tick
	frozen  int     // connections that were frozen since the latest tick (upkeep.go)
	random  *rand.Rand
	secret  *rand.ChaCha8 // makes nonces
}

// Owner has a connection of its own: a session with state that the server ties to a connection, such as
// WATCH, or one that waits in a blocking command.
type Owner interface {
	// Pushed gives a piece of what the server sends without being asked: a push, a message, a line of
	// MONITOR. Borrows b until return. It must not call back into the Conn that calls it.
	Pushed(b []byte, p ask.Piece)
	// OwnLost tells that the connection is gone for good. What it owed has failed before.
	OwnLost(c *Conn, f *ask.Failure)
	// Client is who uses the connection; nil: nobody alone.
	Client() ask.Client
}

// handshake is the login in progress: HELLO with AUTH and SETNAME, then SELECT. A server older than
// Redis 6 knows no HELLO; for protocol 2 it is asked again with plain AUTH.
type handshake struct {
	steps []step // sent and not yet answered
	reply []byte // the answer to steps[0] so far
	plain bool   // the server has no HELLO

	// Of the question whether the server escapes (fence.go).
	nonce   [nonceSize]byte
	surplus bool // a reply too many has come
	busy    bool // the server answers nobody for a while
}

type step uint8

// staleness is why a connection is to be made again; fresh: it is not.
type staleness uint8

// Logger tells operators about servers lost and found: once per server and change, and then every
// ten seconds while the trouble lasts. Each loop has one; whoever writes the log leaves out what several tell.
type Logger struct{ Log *slog.Logger }

// Return gives the connection back. A clean one, on which the server keeps no state of the owner, is lent
// again; otherwise it is closed, which ends whatever it still does at the server. Loop-only.
func (c *Conn) Return(clean bool) { c.Up.Keeper.Returned(c, clean) }

// Unblock asks the server to end the command that waits on a connection of a session. how is the last word of CLIENT UNBLOCK: TIMEOUT or
// ERROR. It goes over a connection that clients share, also to a server that has left the list. Loop-only.
func (c *Conn) Unblock(how string) { c.Up.Keeper.Unblock(c, how) }

// Rejoin has a lent connection to a server that has left the list go on as one to that server, which is on the list again under its number;
// false: it is not, or the connection is gone. Loop-only.
func (c *Conn) Rejoin() bool { return c.Up.Keeper.Rejoin(c) }

const (
	stepHello step = iota
	stepAuth
	stepSetName
	stepSelect
	stepMulti
	stepExec
	stepReadOnly
	stepScript
	stepFence
)

const (
	fresh staleness = iota
	NotPrimary
	OtherLogin
)

// Hint tells that the map may be out of date. Loop-only.
func (u *Upstream) Hint() {
	if u.Config.Hint != nil {
		u.Config.Hint()
	}
}

// Late reports whether a request of some age, ns, has to end.
func (u *Upstream) Late(age int64) bool { return u.Config.Timeout > 0 && age > int64(u.Config.Timeout) }

// BackOff doubles the pause between two attempts, ns, and gives the time when it is over. Loop-only.
func (u *Upstream) BackOff(last int64) (pause, over int64) {
	pause = min(max(2*last, int64(u.Config.BackoffMin)), int64(u.Config.BackoffMax))
	return pause, u.Loop.Now + u.Loop.Around(pause)
}

// Proven reports whether a connection that has held since then, ns, may be dialled again without a pause. Loop-only.
func (u *Upstream) Proven(since int64) bool { return u.Loop.Now-since >= int64(u.Config.BackoffMax) }

// drawNonce draws 16 characters that nobody can guess.
func (u *Upstream) drawNonce(dst *[nonceSize]byte) {
	if u.Config.Nonce != nil {
		u.Config.Nonce(dst)
		return
	}
	_, _ = u.Loop.secret.Read(dst[:])
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	for i, b := range dst {
		dst[i] = alphabet[b&63]
	}
}

// ApartAt is what must go over lanes at a server.
func (u *Upstream) ApartAt(s *Server) ask.Carrier {
	switch u.Config.ScriptPolicy {
	case ScriptsShared:
		return 0
	case ScriptsOwn:
		return s.Unescaped | ask.Scripts | ask.Libraries
	}
	if s.Unsure || s.NoScripts {
		return s.Unescaped | ask.Scripts | ask.Libraries
	}
	return s.Unescaped | ask.Libraries
}

// MustNotRunAgain reports whether a request that was sent again must not be sent once more: one after it has run.
func (u *Upstream) MustNotRunAgain(e *queue.Pending) bool {
	if e.Is.Hops() == 0 || e.Is.Has(queue.Reading) || e.Recv == nil {
		return false
	}
	client, place, _ := e.Client()
	return u.Orders.MustNotRunAgain(client, place, e.Keys.Slot(), e.Keys.Reads())
}

// Around is half to all of a pause, ns, so that many loops and proxies do nothing in step.
func (l *Loop) Around(pause int64) int64 { return pause/2 + l.random.Int64N(pause/2+1) }

// TakesMulti reports whether the server is known to take MULTI on this connection. Loop-only.
func (c *Conn) TakesMulti() bool { return c.multi && !c.frozen }
