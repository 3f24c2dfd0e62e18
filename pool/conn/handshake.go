package conn

import (
	"bytes"
	"errors"
	"strconv"

	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
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
	c.login = c.Up.Logins
	h.steps, h.reply = h.steps[:0], h.reply[:0]
	var b []byte
	if h.plain {
		b = c.appendAuth(b)
	} else {
		b = c.appendHello(b)
	}
	if db := c.Group.ForKey.DB; db != 0 {
		h.steps = append(h.steps, stepSelect)
		b = AppendCommand(b, "SELECT", strconv.Itoa(db))
	}
	if c.readOnly = c.wantsReadOnly(); c.readOnly {
		h.steps = append(h.steps, stepReadOnly)
		b = AppendCommand(b, "READONLY")
	}
	if c.Up.Config.ProveMulti || c.IsLane {
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
	args := []string{"HELLO", strconv.Itoa(c.Group.ForKey.Proto)}
	if cfg := c.Up.Config; cfg.Password != "" {
		user := cfg.Username
		if user == "" {
			user = "default"
		}
		args = append(args, "AUTH", user, cfg.Password)
	}
	return AppendCommand(b, append(args, "SETNAME", clientName)...)
}

func (c *Conn) appendAuth(b []byte) []byte {
	h, cfg := &c.handshake, c.Up.Config
	if cfg.Password != "" {
		h.steps = append(h.steps, stepAuth)
		if cfg.Username != "" {
			b = AppendCommand(b, "AUTH", cfg.Username, cfg.Password)
		} else {
			b = AppendCommand(b, "AUTH", cfg.Password)
		}
	}
	h.steps = append(h.steps, stepSetName)
	return AppendCommand(b, "CLIENT", "SETNAME", clientName)
}

// onHandshake gathers the answer to the first open step and judges it.
func (c *Conn) onHandshake(b []byte, p ask.Piece) {
	h := &c.handshake
	h.reply = append(h.reply, b...)
	if len(h.reply) > MaxHandshakeReply || len(h.steps) == 0 {
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
			c.Up.Keeper.Hello(c.Group.ForKey.Proto, h.reply)
			c.server.version = string(answer.VersionIn(h.reply))
			if id := answer.IDIn(h.reply); id != 0 {
				c.serverID = id
			}
			c.Up.Log.WrongKind(c, h.reply)
		case stepExec:
			c.multi = true
		}
	case done == stepHello && bytes.HasPrefix(h.reply, []byte("-ERR unknown command")) && c.Group.ForKey.Proto == 2:
		h.plain = true
		c.Redial() // answers to what was sent with HELLO are still on their way on this socket
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
	case done != stepFence && c.asksAtLogin():
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
	if noDB && !c.Group.Works {
		c.Group.Refused = bytes.Clone(reply) // a client's mistake is not for the log
	}
	c.lose(stats.HandshakeRefused, errors.New("refused the login: "+string(bytes.TrimRight(reply[1:], "\r\n"))))
	c.denied = !noDB && !answer.Passing(reply)
	// Other codes pass, such as BUSY and LOADING; this one means that there is no such database.
	if noDB {
		c.Up.Keeper.NoDatabase(c, reply)
	}
}

func (c *Conn) onReady() {
	c.handshake.reply = nil
	c.waitForDial, c.denied, c.down = true, false, c.server.Lost
	c.progress, c.ReadyAt = c.Up.Loop.Now, c.Up.Loop.Now
	c.server.Stats.Connects++
	c.transition(Ready)
	c.Up.Log.ready(c)
	c.Up.Keeper.Ready(c)
}

// OnDialFailed tells that no socket could be made.
func (c *Conn) OnDialFailed(cause error) {
	if c.state != Dialing {
		return
	}
	c.server.Stats.ConnectFailures++
	c.Up.Log.dialFailed(c, cause)
	if c.own {
		c.down = &ask.Failure{Kind: ask.Down, Server: c.server.Name, Cause: cause}
		c.transition(Retired)
		c.drop(func(*queue.Pending) *ask.Failure { return c.down })
		c.Up.Keeper.Disowned(c, c.down)
		return
	}
	c.failAndBackOff(cause)
	if took := c.Up.Loop.Now - c.dialledAt; took >= c.dialTimeout {
		c.retryAt -= min(took, c.backoff) // that was pause enough
	}
	c.transition(Closed)
	c.drop(func(*queue.Pending) *ask.Failure { return c.down })
	c.Up.Keeper.Failed(c, cause)
}
