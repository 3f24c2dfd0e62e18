package pool

import (
	"bytes"

	"ringmaster/pool/ask"
	"ringmaster/pool/conn"
)

// Servers of a fixed list are primaries. One that refuses a write as a replica is not, and its address may be a name that leads to
// another server by now: a connection that is made anew finds that out. The refused write gets the refusal and is not sent again.
//
//	refused ▸ connections are made again (conn/upkeep.go) ▸ ROLE: a primary?
//
// What a script or a module's command answers may be its own words. Then the server is asked for its role first.

// The pause between two attempts at one server, ns. It doubles while the server goes on refusing.
const (
	minRenewal = 1e9
	maxRenewal = 8e9
)

// refusedWrite looks at a refusal by which a server would be no primary. Called before the request is answered.
func (p *Pool) refusedWrite(c *conn.Conn, carried bool) {
	if p.Config.Resend || c.Server().Replica {
		return // whoever follows the topology knows
	}
	if carried {
		c.Server().Renewal.Doubt = true // the next tick asks
		return
	}
	p.notPrimary(c.Server())
}

// notPrimary has the connections to a server made anew, but for those that sessions have: these end when they come back, or when
// it is known that the others lead to a primary.
func (p *Pool) notPrimary(s *conn.Server) {
	r := &s.Renewal
	if p.Now < r.Next || s.GoneAt > 0 {
		return
	}
	if p.Now > r.Next+2*maxRenewal {
		r.Pause = 0
	}
	r.Pause = min(max(2*r.Pause, minRenewal), maxRenewal)
	r.Next = p.Now + p.Around(r.Pause)
	r.At, r.Recheck = p.Now, true
	p.Log.Misplaced(p.Now, s)
	for _, rings := range p.rings {
		for _, c := range rings.of(s.Index()) {
			c.Outlive(conn.NotPrimary)
		}
	}
	for at, spare := range p.own.spare {
		if at.server == s.Index() {
			delete(p.own.spare, at)
			for _, c := range spare {
				c.Retire()
			}
		}
	}
}

// moved ends the connections that sessions and subscriptions still have to the server that a name led to before: what they are for
// happens elsewhere.
func (p *Pool) moved(s *conn.Server) {
	for c := range p.own.all {
		if c.Server() == s && c.Misplaced() {
			c.Outlive(conn.NotPrimary)
		}
	}
}

// askRole asks the server for its role, if there is a reason to.
func (p *Pool) askRole(c *conn.Conn) {
	r := &c.Server().Renewal
	check := r.Recheck && !c.Misplaced()
	if !c.IsFirst() || r.Asks || !check && (!r.Doubt || p.Now < r.AskAt) {
		return
	}
	a := &roleAnswer{server: c.Server(), pool: p, doubt: r.Doubt, check: check}
	if c.Enqueue(&ask.Request{Raw: roleRequest, Recv: a, Manner: ask.Here}) == nil {
		r.Asks, r.Doubt, r.AskAt = true, false, p.Now+minRenewal
		r.Recheck = r.Recheck && !check
	}
}

var roleRequest = conn.AppendCommand(nil, "ROLE")

// roleAnswer is the Receiver of ROLE, with what it was asked for.
type roleAnswer struct {
	ask.Nobody
	server       *conn.Server
	pool         *Pool
	doubt, check bool
	reply        []byte
}

func (a *roleAnswer) Reply(_ uint64, b []byte, p ask.Piece) {
	if len(a.reply) < conn.MaxHandshakeReply {
		a.reply = append(a.reply, b...)
	}
	if p&ask.Last == 0 {
		return
	}
	a.server.Renewal.Asks = false
	replica := bytes.HasPrefix(a.reply, []byte("*5\r\n$5\r\nslave\r\n"))
	switch {
	case replica && a.doubt:
		a.pool.notPrimary(a.server)
	case !replica && a.check: // or it does not say: nobody may miss messages without knowing it
		a.pool.moved(a.server)
	}
}

func (a *roleAnswer) Fail(uint64, *ask.Failure) {
	r := &a.server.Renewal
	r.Asks, r.Recheck = false, r.Recheck || a.check
}
