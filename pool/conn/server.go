package conn

import (
	"ringmaster/pool/ask"
	"ringmaster/stats"
)

// Server is one server as a loop sees it.
type Server struct {
	Name, Addr string
	index      int
	Stats      *stats.Server
	muteUntil  int64 // it answers nobody for a while, ns; here because every reply looks at it
	Primary    int   // the number of the primary whose keys it has, or had last; below 0: unknown
	Replica    bool
	Health     ServerHealth
	Asked      int64 // health.At, ns
	Heard      int64 // health.Heard, ns
	Ready      int   // connections in state Ready
	GoneAt     int64 // when it ceased to be part of the topology, ns; 0: it is
	Left       bool  // it is gone since it was taken out of a fixed list: it goes on answering (Config.Fixed)
	// formerly is the address of the latest server that had this number before.
	Formerly string
	// graceUntil is until when it is no trouble that it has no connection, as long as no dial fails, ns.
	GraceUntil int64
	Logged     *logged // shared with the one that had its number and name before
	LowMemory  bool
	bareUntil  int64 // until when it gets scripts as they are, ns (wrapped.go)
	Renewal    renewal

	// Of carriers (fence.go).
	Unescaped ask.Carrier // what it is known to write as it came
	version   string      // as it said at the latest login; "": it has not said
	Probed    bool        // it was asked what it writes so
	probedAs  string      // its version then
	Unsure    bool        // it was asked that, and could not say
	NoScripts bool        // it does not let us say EVAL, and so can't be asked; EVALSHA or FCALL may be permitted
	NoEcho    bool        // it does not let us say ECHO
	// refusedUntil is until when it gets no ECHO for a fence, since it has refused one, ns
	RefusedUntil int64

	// The failures without a cause of their own, made once.
	Lost, Overloaded, Stopping, TimedOut, TimedOutUnsent, NoReplica *ask.Failure
}

// renewal is what is known of a server that should be a primary.
type renewal struct {
	At    int64 // its connections are older than a refusal then, ns
	Next  int64 // no attempt before that, ns
	Pause int64 // the latest, ns
	// It is to be asked for its ROLE, not before askAt, ns: a script says that it is a replica, or new connections may lead to
	// another server.
	Doubt, Recheck bool
	Asks           bool // it was
	AskAt          int64
}

// Index is the server's number in the map. Any goroutine.
func (s *Server) Index() int { return s.index }

// NewServer is server i, of which st counts.
func NewServer(i int, name, addr string, st *stats.Server) *Server {
	s := &Server{Addr: addr, index: i, Primary: -1, Stats: st, Logged: &logged{}}
	s.Call(name)
	return s
}

// Call gives the server a name.
func (s *Server) Call(name string) {
	s.Name = name
	s.Lost = &ask.Failure{Kind: ask.Down, Server: name}
	s.Overloaded = &ask.Failure{Kind: ask.Overloaded, Server: name}
	s.Stopping = &ask.Failure{Kind: ask.Stopping, Server: name}
	s.TimedOut = &ask.Failure{Kind: ask.TimedOut, Sent: true, Server: name}
	s.NoReplica = &ask.Failure{Kind: ask.NoReplica, Server: name}
	s.TimedOutUnsent = &ask.Failure{Kind: ask.TimedOut, Server: name}
}

// logged is what the log has of a server.
type logged struct {
	trouble int64       // when trouble was logged that is not over, ns; 0: there is none
	refused int64       // when it was logged that it is no primary, ns; 0: never
	Kind    bool        // that it is of another kind than the settings say
	apart   ask.Carrier // what it was told of that it goes over connections of its own
}
