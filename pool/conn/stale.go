package conn

import (
	"errors"

	"ringmaster/parser"
	"ringmaster/stats"
)

var errOtherLogin = errors.New("is logged in as a user that the settings no longer name")

// reason is how the end of the connection is counted, and what its owner is told.
func (s staleness) reason() (stats.DisconnectReason, error) {
	if s == OtherLogin {
		return stats.ServerOtherLogin, errOtherLogin
	}
	return stats.ServerNotPrimary, errNotPrimary
}

// Outlive has a connection be made again that works, unless it is to be already.
func (c *Conn) Outlive(why staleness) {
	if c.state == Ready && c.stale == fresh {
		c.stale = why
	}
}

// Outdated reports whether the connection must not be used for anything new.
func (c *Conn) Outdated() bool { return c.Misplaced() || c.login != c.Up.Logins }

var errNotPrimary = errors.New("refuses writes as a replica; its name is looked up again")

// Misplaced reports whether the connection was not made since its server refused a write.
func (c *Conn) Misplaced() bool { return c.ReadyAt <= c.server.Renewal.At }

// IsStale reports whether the connection is to be made again.
func (c *Conn) IsStale() bool { return c.stale != fresh }

func (c *Conn) endRenewal() { c.stale, c.frozen = fresh, false }

// Redial closes the socket and dials again. What waits goes on waiting; nothing that was sent may be owed.
func (c *Conn) Redial() {
	sock := c.letGoSocket()
	c.scan, c.rest, c.heldBack = parser.ReplyScanner{}, nil, false
	c.transition(Closed)
	sock.Close()
	c.Dial()
}
