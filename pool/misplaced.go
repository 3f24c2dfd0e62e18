package pool

import (
	"bytes"
	"errors"
	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
)

// Servers of a fixed list are primaries. One that refuses a write as a replica is not, and its address may be a name that leads to
// another server by now: a connection that is made anew finds that out. The refused write gets the refusal and is not sent again.
//
//	refused ▸ connections are made again (renew.go) ▸ ROLE: a primary?
//
// What a script or a module's command answers may be its own words. Then the server is asked for its role first.

// The pause between two attempts at one server, ns. It doubles while the server goes on refusing.
const (
	minRenewal = 1e9
	maxRenewal = 8e9
)

// renewal is what is known of a server that should be a primary.
type renewal struct {
	at    int64 // its connections are older than a refusal then, ns
	next  int64 // no attempt before that, ns
	pause int64 // the latest, ns
	// It is to be asked for its ROLE, not before askAt, ns: a script says that it is a replica, or new connections may lead to
	// another server.
	doubt, check bool
	asks         bool // it was
	askAt        int64
}

var errNotPrimary = errors.New("refuses writes as a replica; its name is looked up again")

// refused looks at a refusal by which a server would be no primary. Called before the request is answered.
func (c *Conn) refused(e *queue.Pending) {
	p := c.pool
	if p.cfg.Resend || c.server.replica {
		return // whoever follows the topology knows
	}
	if e.Is.Carrier() != 0 {
		c.server.renewal.doubt = true // the next tick asks
		return
	}
	c.server.notPrimary(p)
}

// notPrimary has the connections to a server made anew, but for those that sessions have: these end when they come back, or when
// it is known that the others lead to a primary.
func (s *Server) notPrimary(p *Pool) {
	r := &s.renewal
	if p.Now < r.next || s.goneAt > 0 {
		return
	}
	if p.Now > r.next+2*maxRenewal {
		r.pause = 0
	}
	r.pause = min(max(2*r.pause, minRenewal), maxRenewal)
	r.next = p.Now + r.pause/2 + p.random.Int64N(r.pause/2+1)
	r.at, r.check = p.Now, true
	p.log.misplaced(p.Now, s)
	for _, rings := range p.rings {
		for _, c := range rings.of(s.index) {
			c.outlive(notPrimary)
		}
	}
	for at, spare := range p.own.spare {
		if at.server == s.index {
			delete(p.own.spare, at)
			for _, c := range spare {
				c.retire()
			}
		}
	}
}

// misplaced reports whether the connection was not made since its server refused a write.
func (c *Conn) misplaced() bool { return c.readyAt <= c.server.renewal.at }

// moved ends the connections that sessions and subscriptions still have to the server that a name led to before: what they are for
// happens elsewhere.
func (s *Server) moved(p *Pool) {
	for c := range p.own.all {
		if c.server == s && c.misplaced() {
			c.outlive(notPrimary)
		}
	}
}

// askRole asks the server for its role, if there is a reason to.
func (c *Conn) askRole() {
	r := &c.server.renewal
	check := r.check && !c.misplaced()
	if c.own || c.nth > 0 || c.rings != c.pool.Default() || r.asks || !check && (!r.doubt || c.pool.Now < r.askAt) {
		return
	}
	a := &roleAnswer{server: c.server, pool: c.pool, doubt: r.doubt, check: check}
	if c.Enqueue(&ask.Request{Raw: roleRequest, Recv: a, Manner: ask.Here}) == nil {
		r.asks, r.doubt, r.askAt = true, false, c.pool.Now+minRenewal
		r.check = r.check && !check
	}
}

var roleRequest = appendCommand(nil, "ROLE")

// roleAnswer is the Receiver of ROLE, with what it was asked for.
type roleAnswer struct {
	ask.Nobody
	server       *Server
	pool         *Pool
	doubt, check bool
	reply        []byte
}

func (a *roleAnswer) Reply(_ uint64, b []byte, p ask.Piece) {
	if len(a.reply) < maxHandshakeReply {
		a.reply = append(a.reply, b...)
	}
	if p&ask.Last == 0 {
		return
	}
	a.server.renewal.asks = false
	replica := bytes.HasPrefix(a.reply, []byte("*5\r\n$5\r\nslave\r\n"))
	switch {
	case replica && a.doubt:
		a.server.notPrimary(a.pool)
	case !replica && a.check: // or it does not say: nobody may miss messages without knowing it
		a.server.moved(a.pool)
	}
}

func (a *roleAnswer) Fail(uint64, *ask.Failure) {
	r := &a.server.renewal
	r.asks, r.check = false, r.check || a.check
}
