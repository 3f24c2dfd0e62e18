package admin

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// How long a connection has before another may replace it, counted from its accept or from its whole request. A probe
// sends its request at once. Connections that do not are replaced so quickly that a probe waits well under a second
// in the kernel's queue.
const (
	graceForHead   = 10 * time.Millisecond
	graceForAnswer = 250 * time.Millisecond
	// longestGrace bounds the total time of a connection whose bytes wait to be read, as on a busy machine.
	longestGrace = time.Second
)

// sendBuffer is how much of an answer the kernel should buffer, bytes, so that a client that does not read it blocks
// nothing here.
const sendBuffer = 256 << 10

// limited limits the number of open connections, so that HTTP clients can't take the descriptors that Redis clients
// need. A further connection does not wait long, because another makes room for it: one of the address with the most
// connections, and if possible one that is not being answered.
type limited struct {
	net.Listener
	most int
	mu   sync.Mutex
	open []*counted    // oldest first
	room chan struct{} // gets a token when a connection has closed
	end  chan struct{} // closed with the listener
	once sync.Once
}

func newLimited(l net.Listener, most int) *limited {
	return &limited{Listener: l, most: most, room: make(chan struct{}, 1), end: make(chan struct{})}
}

// Accept is net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
	conn := &counted{Conn: c, of: l, host: hostOf(c.RemoteAddr())}
	for {
		wait := l.admit(conn)
		if wait == 0 {
			return conn, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-l.room:
		case <-l.end:
			_ = c.Close()
			return nil, net.ErrClosed
		}
		timer.Stop()
	}
}

// Close is net.Listener.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.end) })
	return l.Listener.Close()
}

// admit puts a connection on the list. If the list is full, it replaces another one, or returns how long that one
// still has.
func (l *limited) admit(conn *counted) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if len(l.open) >= l.most {
		victim := l.victim(conn.host)
		if wait := victim.until.Sub(now); wait > 0 {
			return wait
		}
		if now.Sub(victim.since) < longestGrace && !victim.answered && unread(victim.Conn) {
			victim.until = now.Add(graceForHead)
			return graceForHead
		}
		l.remove(victim)
		_ = victim.Conn.Close() // its goroutine will notice
	}
	conn.since, conn.until = now, now.Add(graceForHead)
	l.open = append(l.open, conn)
	return 0
}

// victim returns the connection that must make room for one from host.
func (l *limited) victim(host string) *counted {
	conns := map[string]int{host: 1}
	most := 1
	for _, c := range l.open {
		conns[c.host]++
		most = max(most, conns[c.host])
	}
	for _, answered := range []bool{false, true} {
		for _, c := range l.open {
			if c.answered == answered && conns[c.host] == most {
				return c
			}
		}
	}
	return l.open[0]
}

// remove takes c off the list, if it is on it.
func (l *limited) remove(c *counted) {
	for i, o := range l.open {
		if o == c {
			l.open = append(l.open[:i], l.open[i+1:]...)
			select {
			case l.room <- struct{}{}:
			default:
			}
			return
		}
	}
}

// counted is one connection of a limited listener.
type counted struct {
	net.Conn
	of       *limited
	host     string
	answered bool      // a whole request has come, and its answer is not completely written
	since    time.Time // when it was admitted
	until    time.Time // when another may begin to replace it
}

// Close is net.Conn.
func (c *counted) Close() error {
	c.of.mu.Lock()
	c.of.remove(c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

func (c *counted) setAnswered(answered bool) {
	c.of.mu.Lock()
	c.answered, c.until = answered, time.Now()
	if answered {
		c.until = c.until.Add(graceForAnswer)
	}
	c.of.mu.Unlock()
}

// stateChanged is http.Server.ConnState.
func stateChanged(c net.Conn, s http.ConnState) {
	if conn, ok := c.(*counted); ok && s == http.StateIdle {
		conn.setAnswered(false)
	}
}

// hostOf returns an address without its port.
func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}
