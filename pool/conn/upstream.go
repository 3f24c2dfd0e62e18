package conn

import (
	"ringmaster/pool/ask"
	"ringmaster/pool/order"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

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

// nonce draws 16 characters that nobody can guess.
func (u *Upstream) nonce(dst *[nonceSize]byte) {
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
