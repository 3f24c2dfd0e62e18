package conn

import "fmt"

// State is where a connection stands.
//
//	          ┌───────── backoff passed ◂──────────┐
//	          ▾                                    │
//	closed ▸ dialing ▸ handshaking ▸ ready ▸ lost: closed
//	  ▴         │           │          │
//	  │       failed     refused    draining ▸ closed for good
//	  └─────────┴───────────┘
type State uint8

const (
	// Closed: no socket; dialled again when the backoff has passed.
	Closed State = iota
	// Dialing: the event loop is connecting.
	Dialing
	// Handshaking: connected, logging in.
	Handshaking
	// Ready: requests are written as they come.
	Ready
	// Draining: no new requests; closed for good once nothing is owed.
	Draining
	// Retired: closed for good.
	Retired
)

func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case Dialing:
		return "dialing"
	case Handshaking:
		return "handshaking"
	case Ready:
		return "ready"
	case Draining:
		return "draining"
	case Retired:
		return "retired"
	}
	return "unknown"
}

// allowed lists, for each state, the states that may follow.
var allowed = [...]uint8{
	Closed:      1<<Dialing | 1<<Retired,
	Dialing:     1<<Handshaking | 1<<Closed | 1<<Retired,
	Handshaking: 1<<Ready | 1<<Closed | 1<<Retired,
	Ready:       1<<Closed | 1<<Draining | 1<<Retired,
	Draining:    1 << Retired,
	Retired:     0,
}

// transition is the only place that changes a connection's state. A step that the drawing lacks is
// our own mistake, never a peer's.
func (c *Conn) transition(to State) {
	if allowed[c.state]&(1<<to) == 0 {
		panic(fmt.Sprintf("pool: connection to %s went from %s to %s", c.server.Name, c.state, to))
	}
	if c.state == Ready {
		c.server.Ready--
		c.server.Stats.Connections--
	}
	c.state = to
	if to == Ready {
		c.server.Ready++
		c.server.Stats.Connections++
	}
	c.Up.Keeper.Changed(c.server)
}
