package stats

import "slices"

// Loop holds the counters of one event loop. Fields are written by their loop
// only, and only go up unless they say otherwise. Sizes are bytes.
type Loop struct {
	// Clients. ClientsOpened - sum(ClientsClosed) is the number connected now.
	ClientsOpened  uint64
	ClientsClosed  [CloseReasons]uint64
	ClientsRefused uint64 // never counted as opened: over max-clients, or no descriptor left
	ClientBytesIn  uint64
	ClientBytesOut uint64
	ClientWrites   uint64 // write calls on client connections
	ClientOutput   uint64 // bytes that clients have not read, or that wait for their turn: a gauge
	// ClientsNotReading is the number of clients whose requests wait until they read, a gauge.
	ClientsNotReading uint64
	ClientPauses      uint64 // reading paused: max-in-flight or max-in-flight-bytes reached

	LoginsFailed  uint64 // AUTH and HELLO with wrong credentials
	LoginsDelayed uint64 // that waited because others from their address had failed
	Panics        uint64 // caught panics, which are bugs of ringmaster

	// Turns of the loop that had something to flush, and the requests dispatched in them:
	// TurnRequests / Turns is the mean batch.
	Turns        uint64
	TurnRequests uint64
	FlushesNow   uint64 // requests written at once because nothing else was in flight
	Writes       uint64 // times that bytes were given to a socket of a client or server

	// Failures that the proxy noticed itself.
	Timeouts    uint64                  // requests answered with the timeout error
	LateReplies uint64                  // replies dropped because their request had timed out
	Redirects   [RedirectReasons]uint64 // requests sent again, by reason
	Hops        [MaxHops]uint64         // requests sent on by MOVED and ASK, by their number of redirects in a row, from 1
	Orphans     uint64                  // replies dropped because their client had gone

	// Left counts the connections to servers that have left their topology.
	Left uint64

	// Connections for single sessions: gauges of those that are lent and of all, and the number ever made.
	OwnLent   uint64
	OwnOpen   uint64
	OwnOpened uint64

	// Upstreams are the upstreams of the loop, in the order in which they were added. Two may have the same name for
	// a while: one that is Gone, and its successor.
	Upstreams []*Upstream

	commands []*Command // nil until the command's first use
	codes    []string   // error codes in order of appearance; index 0 is "other"
	codeOf   map[string]uint8
}

// Upstream has one loop's counters of one upstream.
type Upstream struct {
	// Loop is the loop of the upstream; nil in a copy.
	*Loop
	// Name is the upstream's name.
	Name string
	// Gone says that the upstream is no longer in the settings, and only finishes what it owes.
	Gone bool
	// Draining is how many connections to servers that have left still owe replies: a gauge.
	Draining uint64
	// Servers has one entry per server, indexed as shard.Map numbers them.
	Servers []*Server

	source *Upstream // in a copy: the original
}

// Server has one loop's counters of one server.
type Server struct {
	State ServerState // a gauge
	// Whether the server was found to write texts of scripts, or of modules' commands, into replies unescaped.
	UnescapedScripts, UnescapedModules bool
	// Connections are those that are ready: a gauge.
	Connections uint64

	Connects        uint64 // handshakes finished
	ConnectFailures uint64 // dials and handshakes that failed
	Disconnects     [DisconnectReasons]uint64
	// Every request changes these six, which stand together.
	BytesIn   uint64
	BytesOut  uint64
	Writes    uint64 // write calls
	Requests  uint64
	Replies   uint64
	InFlight  uint64 // requests that wait for their reply: a gauge
	Errors    uint64 // replies that were errors
	Timeouts  uint64
	OutOfStep uint64    // connections closed because their replies could no longer be told apart
	Latency   Histogram // from enqueued to answered

	// Channels and patterns that clients subscribe to: those lost with their connection, and those subscribed again.
	SubscriptionsLost     uint64
	SubscriptionsRestored uint64
}

// Command holds the counters of one command on one loop.
type Command struct {
	// Latency counts every answered call: from parsed to answered. Its count is the
	// number of calls.
	Latency Histogram
	errors  []uint64 // by index into Loop.codes; shorter when later codes never occurred
}

// NewLoop makes the counters for a loop that serves command IDs in [0, commands).
func NewLoop(commands int) *Loop {
	l := &Loop{commands: make([]*Command, max(commands, 0))}
	l.resetCodes()
	return l
}

// AddUpstream makes the counters for an upstream whose servers are numbered [0, servers). Loop-only.
func (l *Loop) AddUpstream(name string, servers int) *Upstream {
	u := &Upstream{Loop: l, Name: name}
	for range servers {
		u.AddServer()
	}
	l.Upstreams = append(l.Upstreams, u)
	return u
}

// RemoveUpstream forgets the counters of an upstream and of its servers. Loop-only.
func (l *Loop) RemoveUpstream(u *Upstream) {
	l.Upstreams = slices.DeleteFunc(l.Upstreams, func(o *Upstream) bool { return o == u })
}

// AddServer makes the counters for the server with the next number. Loop-only.
func (u *Upstream) AddServer() { u.Servers = append(u.Servers, new(Server)) }

// Call counts one answered command and its latency in nanoseconds. It allocates on the
// first call of each command. Loop-only.
func (l *Loop) Call(id uint16, ns int64) {
	if c := l.command(id); c != nil {
		c.Latency.Observe(ns)
	}
}

// command returns the counters of id, and makes them if needed; nil: id is out of range.
func (l *Loop) command(id uint16) *Command {
	if int(id) >= len(l.commands) {
		return nil
	}
	c := l.commands[id]
	if c == nil {
		c = new(Command)
		l.commands[id] = c
	}
	return c
}

// CopyTo makes dst a deep copy of l, reusing dst's memory. dst may be the zero Loop or
// an earlier copy. Loop-only (of l).
func (l *Loop) CopyTo(dst *Loop) {
	upstreams, commands, codes, codeOf := dst.Upstreams, dst.commands, dst.codes, dst.codeOf
	*dst = *l
	dst.Upstreams = copyUpstreams(upstreams, l.Upstreams)
	dst.commands = copyCommands(commands, l.commands)
	dst.codes = append(codes[:0], l.codes...)
	dst.codeOf = copyCodes(codeOf, l.codeOf)
}

// copyUpstreams makes copies of src. If dst already has a copy of an upstream, it reuses that memory.
func copyUpstreams(dst, src []*Upstream) []*Upstream {
	for i, from := range src {
		at := i
		for at < len(dst) && dst[at].source != from {
			at++
		}
		if at >= len(dst) {
			dst = append(dst, &Upstream{source: from})
			at = len(dst) - 1
		}
		dst[i], dst[at] = dst[at], dst[i]
		from.copyTo(dst[i])
	}
	clear(dst[len(src):])
	return dst[:len(src)]
}

func (u *Upstream) copyTo(dst *Upstream) {
	dst.Name, dst.Gone, dst.Draining = u.Name, u.Gone, u.Draining
	for len(dst.Servers) < len(u.Servers) {
		dst.AddServer()
	}
	dst.Servers = dst.Servers[:len(u.Servers)]
	for n, s := range u.Servers {
		*dst.Servers[n] = *s
		if u.Gone {
			dst.Servers[n].State = ServerGone
		}
	}
}

func copyCommands(dst, src []*Command) []*Command {
	if cap(dst) < len(src) {
		grown := make([]*Command, len(src))
		copy(grown, dst)
		dst = grown
	}
	dst = dst[:len(src)]
	for i, from := range src {
		switch {
		case from == nil:
			dst[i] = nil
		case dst[i] == nil:
			dst[i] = &Command{Latency: from.Latency, errors: append([]uint64(nil), from.errors...)}
		default:
			dst[i].Latency = from.Latency
			dst[i].errors = append(dst[i].errors[:0], from.errors...)
		}
	}
	return dst
}

func copyCodes(dst, src map[string]uint8) map[string]uint8 {
	if dst == nil {
		dst = make(map[string]uint8, len(src))
	}
	clear(dst)
	for code, i := range src {
		dst[code] = i
	}
	return dst
}
