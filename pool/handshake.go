package pool

import (
	"bytes"
	"errors"
	"strconv"

	"ringmaster/parser"
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// clientName is the name that operators see in the servers' CLIENT LIST.
const clientName = "ringmaster"

// maxHandshakeReply bounds what a server may answer to one command of the handshake.
const maxHandshakeReply = 16 << 10

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

// OnOpen starts the login over sock.
func (c *Conn) OnOpen(sock Socket) {
	if c.state != Dialing {
		sock.Close()
		return
	}
	c.sock = sock
	c.transition(Handshaking)
	c.greet()
}

// greet sends the whole login in one write.
func (c *Conn) greet() {
	h := &c.handshake
	c.login = c.pool.logins
	h.steps, h.reply = h.steps[:0], h.reply[:0]
	var b []byte
	if h.plain {
		b = c.appendAuth(b)
	} else {
		b = c.appendHello(b)
	}
	if db := c.rings.key.DB; db != 0 {
		h.steps = append(h.steps, stepSelect)
		b = appendCommand(b, "SELECT", strconv.Itoa(db))
	}
	if c.readOnly = c.wantsReadOnly(); c.readOnly {
		h.steps = append(h.steps, stepReadOnly)
		b = appendCommand(b, "READONLY")
	}
	if c.pool.cfg.ProveMulti || c.lane != nil {
		h.steps = append(h.steps, stepMulti, stepExec)
		b = append(b, emptyTransaction...)
	}
	if len(h.steps) == 0 {
		c.onReady()
		return
	}
	sock := c.sock
	if _, err := sock.Write(b); err != nil && c.sock == sock {
		c.lose(stats.ServerWriteFailed, err)
	}
}

func (c *Conn) appendHello(b []byte) []byte {
	c.handshake.steps = append(c.handshake.steps, stepHello)
	args := []string{"HELLO", strconv.Itoa(c.rings.key.Proto)}
	if cfg := c.pool.cfg; cfg.Password != "" {
		user := cfg.Username
		if user == "" {
			user = "default"
		}
		args = append(args, "AUTH", user, cfg.Password)
	}
	return appendCommand(b, append(args, "SETNAME", clientName)...)
}

func (c *Conn) appendAuth(b []byte) []byte {
	h, cfg := &c.handshake, c.pool.cfg
	if cfg.Password != "" {
		h.steps = append(h.steps, stepAuth)
		if cfg.Username != "" {
			b = appendCommand(b, "AUTH", cfg.Username, cfg.Password)
		} else {
			b = appendCommand(b, "AUTH", cfg.Password)
		}
	}
	h.steps = append(h.steps, stepSetName)
	return appendCommand(b, "CLIENT", "SETNAME", clientName)
}

func appendCommand(b []byte, args ...string) []byte {
	b = parser.AppendArray(b, len(args))
	for _, a := range args {
		b = parser.AppendBulkString(b, a)
	}
	return b
}

// onHandshake gathers the answer to the first open step and judges it.
func (c *Conn) onHandshake(b []byte, p ask.Piece) {
	h := &c.handshake
	h.reply = append(h.reply, b...)
	if len(h.reply) > maxHandshakeReply || len(h.steps) == 0 {
		c.lose(stats.ServerProtocolError, errUnexpected)
		return
	}
	if p&ask.Last == 0 {
		return
	}
	done := h.steps[0]
	refused := h.reply[0] == '-'
	switch {
	case done == stepScript || done == stepFence:
		if !c.onProbe(done, h.reply) {
			h.reply = h.reply[:0]
			return
		}
	case !refused:
		switch done {
		case stepHello:
			c.pool.noteHello(c.rings.key.Proto, h.reply)
			c.server.version = string(versionIn(h.reply))
			if id := idIn(h.reply); id != 0 {
				c.serverID = id
			}
			c.pool.log.kind(c, h.reply)
		case stepExec:
			c.multi = true
		}
	case done == stepHello && bytes.HasPrefix(h.reply, []byte("-ERR unknown command")) && c.rings.key.Proto == 2:
		h.plain = true
		c.redial() // answers to what was sent with HELLO are still on their way on this socket
		return
	case done == stepSetName: // a name is a courtesy
	case done == stepMulti || done == stepExec: // whoever wants a transaction asks again
	case done == stepReadOnly: // then it sends reads to its primary
	default:
		c.refuse(done)
		return
	}
	h.steps, h.reply = h.steps[1:], h.reply[:0]
	switch {
	case len(h.steps) > 0:
	case done != stepFence && c.probes():
		sock := c.sock
		if _, err := sock.Write(c.appendProbe(nil)); err != nil && c.sock == sock {
			c.lose(stats.ServerWriteFailed, err)
		}
	default:
		c.onReady()
	}
}

// refuse ends a login that the server turned down.
func (c *Conn) refuse(s step) {
	reply := c.handshake.reply
	noDB := s == stepSelect && bytes.HasPrefix(reply, []byte("-ERR DB index"))
	if noDB && !c.rings.usable {
		c.rings.refusal = bytes.Clone(reply) // a client's mistake is not for the log
	}
	c.lose(stats.HandshakeRefused, errors.New("refused the login: "+string(bytes.TrimRight(reply[1:], "\r\n"))))
	c.denied = !noDB && !passing(reply)
	// Other codes pass, such as BUSY and LOADING; this one means that there is no such database.
	if noDB {
		c.rings.refuse(reply)
	}
}

func (c *Conn) onReady() {
	c.handshake.reply = nil
	c.waitForDial, c.denied, c.down = true, false, c.server.lost
	c.progress, c.readyAt = c.pool.Now, c.pool.Now
	c.server.stats.Connects++
	c.transition(Ready)
	c.pool.log.ready(c)
	if c.rings == c.pool.Default() {
		c.pool.forgetDatabases()
	}
	c.rings.opened()
	if c.own && c.owner == nil {
		c.pool.warmed(c)
	}
	c.adapt()
	if c.lane != nil {
		c.rings.idleSince = c.pool.Now
		c.lane.pump()
	}
	if c.server.replica && c.healthStale() {
		c.pool.Hint()
	}
	if !c.own && c.server.goneAt > 0 {
		c.leave()
		return
	}
	c.markDirty()
}

// dial asks the event loop for a socket.
func (c *Conn) dial() {
	if c.pool.stopped {
		return
	}
	c.dialledAt, c.dialTimeout = c.pool.Now, int64(c.pool.cfg.DialTimeout)
	c.transition(Dialing)
	c.pool.dials = append(c.pool.dials, c)
}

// OnDialFailed tells that no socket could be made.
func (c *Conn) OnDialFailed(cause error) {
	if c.state != Dialing {
		return
	}
	c.server.stats.ConnectFailures++
	c.pool.log.dialFailed(c, cause)
	if c.own {
		c.down = &ask.Failure{Kind: ask.Down, Server: c.server.Name, Cause: cause}
		c.transition(Retired)
		c.drop(func(*queue.Pending) *ask.Failure { return c.down })
		c.disown(c.down)
		return
	}
	c.failAndBackOff(cause)
	if took := c.pool.Now - c.dialledAt; took >= c.dialTimeout {
		c.retryAt -= min(took, c.backoff) // that was pause enough
	}
	c.transition(Closed)
	c.drop(func(*queue.Pending) *ask.Failure { return c.down })
	c.rings.failed(c, cause)
}
