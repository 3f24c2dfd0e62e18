package conn

import (
	"errors"
	"math"
	"time"

	"ringmaster/parser"
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// Socket is what a Conn may ask of its connection: the event loop's, or a test's.
type Socket interface {
	// Write takes all of b or fails. A failure may call OnClose before it returns.
	Write(b []byte) (int, error)
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
	Up     *Upstream
	server *Server
	Group  *Group
	Nth    int // among the connections of its rings to its server

	state       State
	sock        Socket // nil unless Handshaking, Ready or Draining
	waitForDial bool   // not failed since it last worked: requests may wait for the dial
	down        *ask.Failure
	dirty       bool // on the pool's list of connections with output, or on its backlog
	behind      bool // on the backlog: the socket is full, only a tick looks again

	Ring    queue.Ring
	expired uint64 // requests before this one are answered with a timeout already
	out     queue.Output
	sent    queue.History // of a cluster's shared connections
	queued  uint64        // bytes ever enqueued
	written uint64        // of those, bytes given to the socket
	unsent  uint64        // of those, bytes the socket held back when it closed

	scan parser.ReplyScanner
	rest []byte // an unfinished line of a reply, or the beginning of one that is held back

	heldBack bool // it is that

	handshake handshake
	progress  int64 // when bytes last came or a request found the ring empty, ns
	came      int64 // when bytes last came, ns
	early     bool  // the ring may hold requests that are older than those before them, for they were sent again
	heard     int64 // when bytes last came, a request found the ring empty, or the system was asked whether it hears the server's, ns
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

	fences     fences // after scripts and commands of modules (fence.go)
	refusal    []byte // of the script that is queued; empty: none (wrapped.go)
	headerCut  bool   // of the reply to a script that was sent as a transaction
	IsLane     bool   // nobody shares it
	ForProbing bool   // it is for asking whether a script keeps its server busy

	own      bool  // lent to one session at a time (owned.go): never dialled again
	Owner    Owner // whom it is lent to
	serverID int64 // what the server calls it
	multi    bool  // the server is known to take MULTI (piece.go)
	proving  bool  // it is asked that for batches that wait (resend.go)
	readOnly bool  // the server was told READONLY
	streams  bool  // the owner takes what nobody asked for, whatever it is: Stream
	tunnel   bool  // bytes go to the owner as they come: Tunnel
	inStream bool  // the piece under way is such
	recalled bool  // another server has taken the number of its server

	// While it is to be made again (renew.go): requests from frozenAt on wait for that.
	stale    staleness
	frozen   bool
	frozenAt uint64
}

// New makes a connection to a server, the nth of its group to that. It is not dialled yet.
func New(u *Upstream, s *Server, g *Group, nth int) *Conn {
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

// DialTimeout bounds connecting plus handshake, for the dial that is under way. Loop-only: whoever dials on a goroutine of its own takes it
// with it.
func (c *Conn) DialTimeout() time.Duration { return time.Duration(c.dialTimeout) }

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

// WaitsForDial reports whether requests may wait for the dial, if there is one.
func (c *Conn) WaitsForDial() bool { return c.waitForDial }

// DialAtOnce has the connection be dialled with the next tick, whatever its pause.
func (c *Conn) DialAtOnce() { c.retryAt = c.Up.Loop.Now }

// DialBy has its pause be over at a time, ns.
func (c *Conn) DialBy(last int64) { c.retryAt = min(c.retryAt, last) }

// Forgive has the connection log in again if its server has refused that.
func (c *Conn) Forgive() {
	if !c.denied {
		return
	}
	c.denied, c.waitForDial, c.backoff = false, true, 0
	if c.state == Closed {
		c.Dial()
	}
	c.Up.Keeper.Changed(c.server)
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

// HasRoom reports whether a request of n bytes can be taken now as far as its size goes. Loop-only.
func (c *Conn) HasRoom(n int) bool {
	return c.out.Size == 0 || c.out.Size+n <= c.Up.Config.MaxPendingBytes || c.state != Ready && !c.dialPending()
}

// Admit says why requests of n bytes in all can't be taken.
func (c *Conn) Admit(n, requests int) *ask.Failure {
	if c.state != Ready && !c.dialPending() {
		return c.down
	}
	if c.Ring.Len()+requests > c.Up.Config.MaxPending || c.out.Size+n > c.Up.Config.MaxPendingBytes && c.out.Size > 0 {
		return c.server.Overloaded
	}
	return nil
}

// owe puts a request of size bytes on the ring.
func (c *Conn) owe(size int, recv ask.Receiver, tag uint64) {
	c.oweFrom(c.queued, recv, tag)
	c.queued += uint64(size)
	c.MarkDirty()
}

// remember keeps the bytes of the latest request, which may have to be sent again.
func (c *Conn) remember(raw []byte, keys ask.Keys) {
	if c.Up.Config.Resend {
		c.keepSent(raw, keys)
	}
}

func (c *Conn) keepSent(raw []byte, keys ask.Keys) {
	if len(raw) <= math.MaxUint32 {
		c.sent.Add(raw)
		e := c.Ring.Latest()
		e.Size, e.Keys = uint32(len(raw)), keys
	}
}

// oweFrom puts a request on the ring that can't have run before the byte at offset from was sent.
func (c *Conn) oweFrom(from uint64, recv ask.Receiver, tag uint64) {
	if c.Ring.Len() == 0 {
		c.progress, c.heard = c.Up.Loop.Now, c.Up.Loop.Now
	}
	c.Ring.Push(queue.Pending{Recv: recv, Tag: tag, At: c.Up.Loop.Now, From: from})
	c.Up.Loop.InFlight++
	s := c.server.Stats
	s.Requests++
	s.InFlight++
}

func (c *Conn) MarkDirty() {
	if c.behind || c.state == Dialing || c.state == Handshaking || c.frozen {
		return // writing early would do nothing for it
	}
	if c.out.Size >= queue.UrgentSize {
		c.Up.Loop.urgent = true
	}
	if !c.dirty {
		c.dirty = true
		c.Up.Loop.dirty = append(c.Up.Loop.dirty, c)
	}
}

// flush writes what is queued, as far as the socket's buffer should hold it.
func (c *Conn) flush() {
	c.dirty, c.behind = false, false
	for c.out.Size > 0 && (c.state == Ready && !c.frozen || c.state == Draining) {
		if c.sock.Buffered() >= queue.MaxSocketBacklog {
			c.Up.Loop.backlog = append(c.Up.Loop.backlog, c)
			c.dirty, c.behind = true, true
			return
		}
		sock, b := c.sock, c.out.Next()
		c.written += uint64(len(b))
		s := c.server.Stats
		s.BytesOut += uint64(len(b))
		s.Writes++
		_, err := sock.Write(b)
		if c.sock != sock {
			return // OnClose was called by Write
		}
		if err != nil {
			c.lose(stats.ServerWriteFailed, err)
			return
		}
		c.out.Advance(len(b))
		c.progress = c.Up.Loop.Now // a server that takes a long upload does not stand still
	}
}
