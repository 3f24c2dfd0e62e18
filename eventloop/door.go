package eventloop

import (
	"crypto/tls"
	"net"
	"slices"
	"sync/atomic"

	"ringmaster/session"
	"ringmaster/stats"
)

// acceptor takes clients from a socket, on a goroutine of its own (accept.go).
type acceptor struct {
	name string // the listener's; under Server.changes
	net.Listener
	to        atomic.Pointer[entrance]        // where new clients go
	keepAlive atomic.Int64                    // Listener.KeepAlive
	tls       atomic.Pointer[tls.Config]      // Listener.TLS
	shakes    [stats.TLSResults]atomic.Uint64 // handshakes by result

	// For the acceptor's goroutine.
	latest *arrival // of its clients
	local  net.IP   // to which the latest client came
}

// entrance is a listener's door on all loops. A listener that gets another upstream gets another entrance.
type entrance struct {
	upstream *shared
	on       []*session.Door // by loop; each loop uses only its own. An entry stays when the loop has forgotten the door
	ready    chan struct{}   // closed when all loops have a door
}

// arrival returns what the clients that come in by an entrance share. For the acceptor's goroutine.
func (a *acceptor) arrival(by *entrance) *arrival {
	if a.latest == nil || a.latest.by != by {
		a.latest = &arrival{at: a, by: by}
	}
	return a.latest
}

// close closes the socket. It keeps the path if another socket uses it by now.
func (a *acceptor) close(others []*acceptor) {
	if unix, ok := a.Listener.(interface{ SetUnlinkOnClose(bool) }); ok && slices.ContainsFunc(others, func(o *acceptor) bool {
		return o.Addr().Network() == "unix" && o.Addr().String() == a.Addr().String()
	}) {
		unix.SetUnlinkOnClose(false)
	}
	_ = a.Listener.Close()
}

// running returns the acceptor of a running listener with ln's name or, if there is none, with ln's socket, which
// then gets the new name. nil: there is none. Under Server.changes.
func (s *Server) running(ln *Listener) *acceptor {
	for _, a := range s.acceptors {
		if a.name == ln.Name {
			return a
		}
	}
	for _, a := range s.acceptors {
		if ln.Listener != nil && a.Listener == ln.Listener {
			return a
		}
	}
	return nil
}

// Handshakes counts the TLS handshakes of a listener by result. Any goroutine.
func (s *Server) Handshakes(listener string) (n [stats.TLSResults]uint64) {
	s.changes.Lock()
	defer s.changes.Unlock()
	for _, a := range s.acceptors {
		if a.name == listener {
			for r := range n {
				n[r] = a.shakes[r].Load()
			}
		}
	}
	return n
}

// accepts reports whether a socket is already open. Under Server.changes.
func (s *Server) accepts(ln net.Listener) bool {
	return ln != nil && slices.ContainsFunc(s.acceptors, func(a *acceptor) bool { return a.Listener == ln })
}

// shutDoor is a closed door whose clients may finish until a time in ns.
type shutDoor struct {
	*session.Door
	until int64
}

// apply applies a change. It can't fail. Loop-only.
func (l *loop) apply(c *change) {
	if c.plan { // before doors are shut
		l.conns.MaxOwn = c.maxOwn
		l.sessions.ClientMemory, l.sessions.FarewellTime = c.clientMemory, c.farewell
	}
	for i := range c.upstreams {
		if u := &c.upstreams[i]; u.added {
			l.addUpstream(u.of, &u.cfg)
		} else {
			u.of.on[l.index].configure(&u.cfg)
		}
	}
	for _, m := range c.maps {
		if u := m.of.on[l.index]; u != nil {
			u.adoptMap(m)
		}
	}
	for i := range c.doors {
		d := &c.doors[i]
		cfg := &d.cfg
		if door := d.at.on[l.index]; door != nil {
			door.Configure(cfg.Session, d.rules, cfg.Policy)
		} else {
			d.at.on[l.index] = session.OpenDoor(d.at.upstream.on[l.index].env, cfg.Session, d.rules, cfg.Policy)
		}
	}
	for _, e := range c.shut {
		d := e.on[l.index]
		d.Shut()
		l.shut = append(l.shut, shutDoor{d, l.conns.Now + c.drain})
	}
	for _, of := range c.gone {
		of.on[l.index].leave(l.conns.Now + c.drain)
	}
	l.lookForSolo()
}

// tickLeaving closes the clients of shut doors whose time is over, and forgets unused doors and upstreams.
func (l *loop) tickLeaving() {
	l.shut = slices.DeleteFunc(l.shut, func(d shutDoor) bool {
		switch {
		case d.Clients() == 0:
			d.Forget()
			return true
		case l.conns.Now >= d.until:
			d.Cut()
		}
		return false
	})
	for _, u := range l.upstreams {
		if u.gone && !u.env.Used() && (!u.pool.Owes() || l.conns.Now >= u.until) {
			l.removeUpstream(u)
			return // the others follow at the next tick
		}
	}
}
