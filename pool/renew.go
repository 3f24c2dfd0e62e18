package pool

import (
	"errors"

	"ringmaster/parser"
	"ringmaster/pool/ask"
	"ringmaster/stats"
)

// A connection that works may have to be made again: its server is no primary any more (misplaced.go), or it is logged in as a user
// that the settings do not name any more (login.go). Nothing of that may be lost or overtaken, so what comes meanwhile waits.
//
//	stale ─ all is sent ▸ frozen ─ what is owed has come ▸ closed, dialled ▸ what waits is sent
//
// Own connections are not made again: they end once they owe nothing.

// staleness is why a connection is to be made again; fresh: it is not.
type staleness uint8

const (
	fresh staleness = iota
	notPrimary
	otherLogin
)

var errOtherLogin = errors.New("is logged in as a user that the settings no longer name")

// reason is how the end of the connection is counted, and what its owner is told.
func (s staleness) reason() (stats.DisconnectReason, error) {
	if s == otherLogin {
		return stats.ServerOtherLogin, errOtherLogin
	}
	return stats.ServerNotPrimary, errNotPrimary
}

// outlive has a connection be made again that works, unless it is to be already.
func (c *Conn) outlive(why staleness) {
	if c.state == Ready && c.stale == fresh {
		c.stale = why
	}
}

// outdated reports whether the connection must not be used for anything new.
func (c *Conn) outdated() bool { return c.misplaced() || c.login != c.pool.logins }

// renew goes on with a connection that is to be made again. Called with every tick while Ready, and when replies have come.
func (c *Conn) renew() {
	if c.own {
		if c.ring.Len() == 0 {
			reason, err := c.stale.reason()
			c.server.stats.Disconnects[reason]++
			c.transition(Retired)
			c.end(err)
			c.disown(&ask.Failure{Kind: ask.Lost, Sent: true, Server: c.server.Name, Cause: err})
		}
		return
	}
	if l := c.pool.Loop; !c.frozen && c.out.Size == 0 && l.frozen < atOnce {
		c.frozen, c.frozenAt = true, c.ring.Tail
		l.frozen++
	}
	if !c.frozen || c.ring.Head < c.frozenAt {
		return
	}
	reason, _ := c.stale.reason()
	c.server.stats.Disconnects[reason]++
	if c.stale == otherLogin { // nothing is wrong with the server
		c.server.graceUntil = c.pool.Now + int64(c.pool.cfg.DialTimeout)
		c.pool.log.otherLogin(c)
	}
	c.endProbe()
	c.endRenewal()
	c.multi, c.unsent, c.waitForDial = false, 0, true
	c.refusal, c.headerCut = nil, false
	c.redial()
	if c.server.replica {
		c.withdraw() // a replica is asked first whether it may be read from over the new connection
	}
}

func (c *Conn) endRenewal() { c.stale, c.frozen = fresh, false }

// redial closes the socket and dials again. What waits goes on waiting; nothing that was sent may be owed.
func (c *Conn) redial() {
	sock := c.sock
	c.sock = nil
	c.scan, c.rest, c.heldBack = parser.ReplyScanner{}, nil, false
	c.transition(Closed)
	sock.Close()
	c.dial()
}
