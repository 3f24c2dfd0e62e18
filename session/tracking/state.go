package tracking

import (
	"ringmaster/pool"
	"ringmaster/session"
)

// State is what CLIENT TRACKING has set for a session. The servers do the tracking, each for its keys, on the session's
// own connections.
type State struct {
	On, optIn, optOut bool
	redirect          *redirection // where invalidations go; nil: to the session itself
	Caching           string       // what CLIENT CACHING has set for the next command: "YES", "NO", or "" for nothing
	cachingTold       []int        // the servers that Caching was sent to
	cachingSpent      bool         // the command that Caching is for has come, and waits to be sent
	Broadcast         bool         // BCAST
	BrokenRedirect    bool         // the session was told that its target is gone
}

// StateOf returns what CLIENT TRACKING has set on a client's own connections; nil: it was not used. p may be nil.
func StateOf(p *session.Pin) *State {
	if p == nil || p.Tracking == nil {
		return nil
	}
	return p.Tracking.Of.(*State)
}

// TargetID is the ID of the client that gets the invalidations; 0: the session itself does.
func (t *State) TargetID() uint64 {
	if t.redirect == nil {
		return 0
	}
	return t.redirect.target
}

// IsOn reports whether servers track keys for the session.
func IsOn(s *session.Session) bool {
	t := StateOf(s.Pin)
	return t != nil && t.On
}

// redirection passes a session's invalidations on to another client of the proxy, the target. The servers know neither
// client, so each sends invalidations to a connection that the redirection owns, which speaks RESP3.
type redirection struct {
	s        *session.Session // whose keys are tracked
	target   uint64           // the target's ID
	ends     []*redirectEnd
	left     int                 // ends that do not know their ID at the server yet
	done     func(*pool.Failure) // is called when all know it; nil: it was called
	quitSent bool                // the target is gone, and QUIT was sent
}

// redirections are those of an upstream on a loop.
type redirections struct {
	targets map[uint64]*session.Session // by ID; the targets on this loop
	all     map[*redirection]struct{}   // those of this loop's sessions
	ending  map[*redirection]struct{}   // those whose target is gone, until all servers know
}

func redirectionsOf(e *session.Env) *redirections { return e.Tracking.(*redirections) }

// redirectEnd is a redirection's connection to one server.
type redirectEnd struct {
	pool.Unplaced
	r        *redirection
	server   int
	conn     *pool.Conn // nil: lost
	clientID int64      // its client ID at the server
	reply    []byte
	buf      []byte // an unfinished push
}

// maxTrackingReply is how much of a server's answer to CLIENT TRACKING is kept; bytes. The answer is OK or an error.
const maxTrackingReply = 4096

// invalidation is the beginning of every push about changed keys.
var invalidation = []byte(">2\r\n$10\r\ninvalidate\r\n")
