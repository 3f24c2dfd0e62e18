package testkit

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Forwarder passes TCP connections on to a server and can break them, in place of the network.
type Forwarder struct {
	Addr string

	target string
	l      net.Listener
	wg     sync.WaitGroup
	cut    atomic.Bool // cut the next reply of every connection in its middle
	cuts   atomic.Int64

	mu      sync.Mutex
	pairs   map[*pair]bool
	frozen  chan struct{} // closed when bytes may pass again; nil: they may
	release func()
}

type pair struct{ client, server *net.TCPConn }

// NewForwarder listens on a free port and forwards to target until the test ends.
func NewForwarder(t testing.TB, target string) *Forwarder {
	t.Helper()
	l, err := net.Listen("tcp", Loopback(FreePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	f := &Forwarder{Addr: l.Addr().String(), target: target, l: l, pairs: map[*pair]bool{}}
	f.wg.Add(1)
	go f.accept()
	t.Cleanup(f.Close)
	return f
}

func (f *Forwarder) accept() {
	defer f.wg.Done()
	for {
		c, err := f.l.Accept()
		if err != nil {
			return
		}
		s, err := net.DialTimeout("tcp", f.target, Patience)
		if err != nil {
			c.Close()
			continue
		}
		p := &pair{c.(*net.TCPConn), s.(*net.TCPConn)}
		f.mu.Lock()
		f.pairs[p] = true
		f.mu.Unlock()
		f.wg.Add(2)
		go f.requests(p)
		go f.replies(p)
	}
}

func (f *Forwarder) requests(p *pair) {
	defer f.wg.Done()
	_, _ = io.Copy(p.server, p.client)
	f.drop(p, false)
}

// replies copies until an error; when a cut is ordered it passes half of what it read
// and resets both sides.
func (f *Forwarder) replies(p *pair) {
	defer f.wg.Done()
	buf := make([]byte, 64<<10)
	for {
		n, err := p.server.Read(buf)
		f.thaw()
		if n > 0 && f.cut.CompareAndSwap(true, false) {
			_, _ = p.client.Write(buf[:n/2])
			f.cuts.Add(1)
			f.drop(p, true)
			return
		}
		if n > 0 {
			if _, werr := p.client.Write(buf[:n]); werr != nil {
				err = werr
			}
		}
		if err != nil {
			f.drop(p, false)
			return
		}
	}
}

func (f *Forwarder) drop(p *pair, reset bool) {
	f.mu.Lock()
	delete(f.pairs, p)
	f.mu.Unlock()
	if reset {
		_ = p.client.SetLinger(0)
		_ = p.server.SetLinger(0)
	}
	p.client.Close()
	p.server.Close()
}

// Freeze holds back the servers' bytes, while every connection stays open. The returned function releases them. Any
// goroutine.
func (f *Forwarder) Freeze() (release func()) {
	frozen := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frozen = frozen
	f.release = sync.OnceFunc(func() {
		f.mu.Lock()
		f.frozen = nil
		f.mu.Unlock()
		close(frozen)
	})
	return f.release
}

// thaw waits while bytes are held back.
func (f *Forwarder) thaw() {
	f.mu.Lock()
	frozen := f.frozen
	f.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
}

// CutReply makes the next reply bytes of any connection be passed on by half, and then resets both sides. Any
// goroutine.
func (f *Forwarder) CutReply() { f.cut.Store(true) }

// Cuts is the number of cuts made so far. Any goroutine.
func (f *Forwarder) Cuts() int64 { return f.cuts.Load() }

// Reset resets every open connection at once. Any goroutine.
func (f *Forwarder) Reset() {
	f.mu.Lock()
	open := make([]*pair, 0, len(f.pairs))
	for p := range f.pairs {
		open = append(open, p)
	}
	f.mu.Unlock()
	for _, p := range open {
		f.drop(p, true)
	}
}

// Close stops forwarding and waits for its goroutines.
func (f *Forwarder) Close() {
	f.l.Close()
	f.mu.Lock()
	release := f.release
	f.mu.Unlock()
	if release != nil {
		release()
	}
	f.Reset()
	f.wg.Wait()
}
