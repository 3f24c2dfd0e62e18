package conn

import (
	crand "crypto/rand"
	"math/rand/v2"
	"time"

	"ringmaster/pool/ask"
	"ringmaster/pool/queue"
	"ringmaster/stats"
)

// NewLoop makes a loop without connections. Whoever keeps them sets each.
func NewLoop() Loop {
	return Loop{random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), secret: rand.NewChaCha8(secretSeed())}
}

// Flush writes what the turn has queued.
func (l *Loop) Flush() {
	for i := 0; i < len(l.dirty); i++ {
		c := l.dirty[i]
		l.dirty[i] = nil
		c.flush()
	}
	l.dirty = l.dirty[:0]
	l.urgent, l.serving, l.servingOwner = false, nil, nil
}

// Urgent reports whether a connection holds enough for a write before the turn's end.
func (l *Loop) Urgent() bool { return l.urgent }

// Dirty reports whether a connection has something to write.
func (l *Loop) Dirty() bool { return len(l.dirty) > 0 }

// Backlogged reports whether a socket's buffer is full, or there are more dials, so that Tick should come soon.
func (l *Loop) Backlogged() bool { return len(l.backlog)+len(l.delayed) > 0 }

// WantsDial reports whether TakeDials has something to give.
func (l *Loop) WantsDial() bool { return len(l.dials) > 0 }

// TakeDials gives each connection that wants a socket to dial, once; when they are many, the others after the next tick.
func (l *Loop) TakeDials(dial func(*Conn)) {
	for given := 0; len(l.dials) > 0; {
		dials := l.dials
		l.dials = nil
		if over := given + len(dials) - AtOnce; over > 0 {
			l.delayed = append(l.delayed, dials[len(dials)-over:]...)
			dials = dials[:len(dials)-over]
		}
		for _, c := range dials {
			if c.state == Dialing {
				dial(c)
				given++
			}
		}
	}
}

// AtOnce bounds how many sockets a loop opens and how many it closes in a turn because of a new map: each takes the loop
// several µs, and the cluster may have a thousand.
const AtOnce = 64

// BeginTick is called before the connections of all upstreams are looked at.
func (l *Loop) BeginTick() { l.frozen = 0 }

// EndTick has those be dialled that had to wait, and looks at full sockets again.
func (l *Loop) EndTick() {
	l.dials = append(l.dials, l.delayed...)
	l.delayed = l.delayed[:0]
	backlog := l.backlog
	l.backlog = nil
	for _, c := range backlog {
		c.flush()
	}
	if l.Now-l.agedAt >= ageEvery {
		l.agedAt = l.Now
		l.Buffers.Age()
	}
}

// ageEvery is how long a large buffer is kept that nobody needs, at least, ns.
const ageEvery = int64(time.Second)

// forgetOutput forgets who has something to write: nothing is known of what a panic has left half done.
func (l *Loop) forgetOutput() {
	for _, c := range l.dirty {
		if c != nil {
			c.dirty, c.behind = false, false
		}
	}
	l.dirty, l.backlog, l.urgent = nil, nil, false
}

// GiveReply hands a piece of a reply to its receiver.
func (l *Loop) GiveReply(recv ask.Receiver, tag uint64, b []byte, p ask.Piece) {
	l.serving, l.servingOwner = recv, nil
	recv.Reply(tag, b, p)
}

// Lend has b, which a Receiver or an Owner has been given, stay as it is until GiveBack is called; false: it does not, for it is not part of
// what the server has just sent. b must not be empty. Loop-only.
func (l *Loop) Lend(b []byte) bool {
	// Slices of one array that nobody has capped end at the same byte.
	n, m := cap(l.came), cap(b)
	if n == 0 || &l.came[:n][n-1] != &b[:m][m-1] {
		return false
	}
	l.lent = true
	return true
}

// Random is a number in [0, n).
func (l *Loop) Random(n int) int { return l.random.IntN(n) }

// Seed makes what is drawn by chance repeatable. For tests.
func (l *Loop) Seed(seed uint64) { l.random = rand.New(rand.NewPCG(seed, seed)) }

// secretSeed is what nonces are drawn from, which nobody must be able to guess.
func secretSeed() (s [32]byte) {
	_, _ = crand.Read(s[:]) // never fails
	return s
}

// flush writes what is queued, as far as the socket's buffer should hold it.
func (c *Conn) flush() {
	c.dirty, c.behind = false, false
	for c.out.Size > 0 && (c.state == Ready && !c.frozen || c.state == Draining) {
		if c.sock.Buffered() >= queue.MaxSocketBacklog {
			c.Up.Loop.backlog = append(c.Up.Loop.backlog, c)
			c.dirty, c.behind = true, true
			return
		}
		l, lost, b := c.Up.Loop, c.lost, c.out.Next()
		n := len(b)
		if n < c.out.Size {
			l.runs, n = c.out.Runs(append(l.runs[:0], b), n)
		}
		c.written += uint64(n)
		s := c.server.Stats
		s.BytesOut += uint64(n)
		s.Writes++
		var err error
		if n == len(b) {
			_, err = c.sock.Write(b)
		} else {
			_, err = c.sock.Writev(l.runs)
			clear(l.runs)
		}
		if c.lost != lost {
			return // OnClose was called by Write
		}
		if err != nil {
			c.lose(stats.ServerWriteFailed, err)
			return
		}
		c.out.Advance(n)
		c.progress = c.Up.Loop.Now // a server that takes a long upload does not stand still
	}
}
