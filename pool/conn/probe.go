package conn

import (
	"bytes"

	"ringmaster/parser"
	"ringmaster/pool/answer"
	"ringmaster/pool/ask"
)

// appendProbe asks a server, harmlessly, whether it escapes line breaks in the errors of scripts: where it does not, a reply
// too many comes before the fence's.
func (c *Conn) appendProbe(b []byte) []byte {
	h := &c.handshake
	c.Up.drawNonce(&h.nonce)
	h.surplus, h.busy = false, false
	if !c.server.NoScripts {
		h.steps = append(h.steps, stepScript, stepScript)
		b = AppendCommand(b, "EVAL", `error('\r\n+')`, "0")
		b = AppendCommand(b, "EVAL", `error({err='\r\n+'})`, "0")
	}
	h.steps = append(h.steps, stepFence)
	return AppendCommand(b, "ECHO", string(h.nonce[:]))
}

// asksAtLogin reports whether the login asks.
func (c *Conn) asksAtLogin() bool {
	return c.Up.Config.ScriptPolicy == ScriptsAuto &&
		(c.IsLane && c.server.Unsure || !c.own && c.Nth == 0 && c.Group.First && !c.server.Known())
}

// Known reports whether a server of this version was asked already. It need not be asked again at each login.
func (s *Server) Known() bool { return s.Probed && s.probedAs == s.version }

// onProbe takes a reply to the question; false: it is one too many.
func (c *Conn) onProbe(at step, reply []byte) (ends bool) {
	h, s := &c.handshake, c.server
	if at == stepScript {
		if reply[0] != '-' {
			h.surplus = true
			return false
		}
		h.busy = h.busy || answer.Passing(reply)
		s.NoScripts = s.NoScripts || answer.Denied(reply) // to ask again would fill the server's ACL LOG
		return true
	}
	echo := bytes.Equal(reply, parser.AppendBulk(nil, h.nonce[:]))
	if !echo && reply[0] != '-' {
		h.surplus = true
		return false
	}
	s.NoEcho = answer.Denied(reply)
	s.Unsure = false
	switch {
	case h.surplus:
		c.foundUnescaped(ask.Scripts)
	case (echo || s.NoEcho) && !h.busy:
		s.Unescaped &^= ask.Scripts // it may be another server than before
	default:
		s.Unsure = true
	}
	s.Probed, s.probedAs = !s.Unsure, s.version
	c.Up.Keeper.Unescaped()
	return true
}

// foundUnescaped notes that a server does not escape what a carrier holds.
func (c *Conn) foundUnescaped(carrier ask.Carrier) {
	s := c.server
	if carrier&ask.Libraries != 0 || s.Unescaped&carrier == carrier {
		return // of libraries nothing else is expected
	}
	s.Unescaped |= carrier
	c.Up.Keeper.Unescaped()
	c.Up.Log.unescaped(c, carrier)
}
