package load

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// DrainTimeout is how long a run waits for the replies that are still owed at its end.
const DrainTimeout = 10 * time.Second

// Options of an open-loop run.
type Options struct {
	Addr        string        // host:port, IPv4
	Connections int           // at least 1
	Rate        float64       // requests per second over all connections
	Warmup      time.Duration // requests due before this are sent but not recorded
	Length      time.Duration // time over which requests are due, Warmup included
	Requests    [][]byte      // sent in turn; each answers with one simple or bulk reply
}

// Result of a run. Histograms are in nanoseconds.
type Result struct {
	Answered int           // replies, those of the warm-up included
	Elapsed  time.Duration // from the first due time to the last reply
	Latency  *hdrhistogram.Histogram
	SendLag  *hdrhistogram.Histogram // how long after its due time a request went out
}

// Open runs the load and returns when every request was answered.
func Open(ctx context.Context, o Options) (Result, error) {
	if o.Connections < 1 || o.Rate <= 0 || o.Length <= o.Warmup || len(o.Requests) == 0 {
		return Result{}, errors.New("open loop: connections, rate, length beyond the warm-up and requests are all needed")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	g := &generator{opts: o, plan: newSchedule(o.Rate, o.Length), buf: make([]byte, 256<<10)}
	g.result.Latency = newHistogram()
	g.result.SendLag = newHistogram()
	defer g.close()
	if err := g.dial(); err != nil {
		return g.result, err
	}
	err := g.run(ctx)
	return g.result, err
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(time.Minute), 3)
}

// generator is a run: one thread, one epoll set.
type generator struct {
	opts   Options
	plan   schedule
	epfd   int
	conns  []*conn
	dirty  []*conn // have unsent bytes
	events [128]unix.EpollEvent
	buf    []byte
	start  time.Time
	next   int // the request to be sent next; requests before it are sent
	result Result
}

func (g *generator) dial() error {
	var err error
	if g.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		g.epfd = -1
		return fmt.Errorf("epoll: %w", err)
	}
	for i := range g.opts.Connections {
		c, err := dial(g.opts.Addr)
		if err != nil {
			return err
		}
		g.conns = append(g.conns, c)
		ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := unix.EpollCtl(g.epfd, unix.EPOLL_CTL_ADD, c.fd, &ev); err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
	}
	return nil
}

func (g *generator) close() {
	for _, c := range g.conns {
		c.close()
	}
	if g.epfd > 0 {
		_ = unix.Close(g.epfd)
	}
}

func (g *generator) now() int64 { return int64(time.Since(g.start)) }

func (g *generator) run(ctx context.Context) error {
	// Without this the kernel adds 50 µs to every wait.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	g.start = time.Now()
	for g.next < g.plan.total || g.result.Answered < g.plan.total {
		if err := g.sendDue(); err != nil {
			return err
		}
		if err := g.receive(g.patience()); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if g.now() > int64(g.opts.Length+DrainTimeout) {
			return fmt.Errorf("%d of %d requests were not answered within %v", g.plan.total-g.result.Answered, g.plan.total, DrainTimeout)
		}
	}
	g.result.Elapsed = time.Duration(g.now())
	return nil
}

// sendDue writes every request whose time has come.
func (g *generator) sendDue() error {
	now := g.now()
	for ; g.next < g.plan.total; g.next++ {
		due := g.plan.due(g.next)
		if due > now {
			break
		}
		c := g.conns[g.next%len(g.conns)]
		if len(c.unsent) == 0 {
			g.dirty = append(g.dirty, c)
		}
		if err := c.request(g.opts.Requests[g.next%len(g.opts.Requests)], due); err != nil {
			return err
		}
		if due >= int64(g.opts.Warmup) {
			_ = g.result.SendLag.RecordValue(min(now-due, int64(time.Minute)))
		}
	}
	blocked := 0
	for _, c := range g.dirty {
		if err := c.flush(); err != nil {
			return err
		}
		if len(c.unsent) > 0 {
			g.dirty[blocked] = c
			blocked++
		}
	}
	g.dirty = g.dirty[:blocked]
	return nil
}

// patience returns how long to wait for replies: until the next request is due.
func (g *generator) patience() time.Duration {
	if g.next == g.plan.total {
		return 10 * time.Millisecond
	}
	return max(0, time.Duration(g.plan.due(g.next)-g.now()))
}

// receive takes the replies that have arrived. If there are none, it first waits at most for the given time.
func (g *generator) receive(wait time.Duration) error {
	if wait > 0 {
		// epoll_wait counts in milliseconds; ppoll on the epoll set counts in nanoseconds.
		set := []unix.PollFd{{Fd: int32(g.epfd), Events: unix.POLLIN}}
		timeout := unix.NsecToTimespec(int64(wait))
		if _, err := unix.Ppoll(set, &timeout, nil); err != nil && err != unix.EINTR {
			return fmt.Errorf("ppoll: %w", err)
		}
	}
	n, err := unix.EpollWait(g.epfd, g.events[:], 0)
	if err != nil && err != unix.EINTR {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, ev := range g.events[:max(n, 0)] {
		if _, err := g.conns[ev.Fd].receive(g.buf, g.answered); err != nil {
			return err
		}
	}
	return nil
}

func (g *generator) answered(due int64) {
	g.result.Answered++
	if due >= int64(g.opts.Warmup) {
		_ = g.result.Latency.RecordValue(min(g.now()-due, int64(time.Minute)))
	}
}
