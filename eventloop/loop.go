package eventloop

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"ringmaster/auth"
	"ringmaster/command"
	"ringmaster/eventloop/tlsconn"
	"ringmaster/pool"
	"ringmaster/session"
	"ringmaster/session/dispatch"
	"ringmaster/stats"
)

// loop is one event loop with everything that it owns. Loop-only, except for post and the atomics.
type loop struct {
	srv   *Server
	el    gnet.EventLoop
	index int // its place in Server.loops
	epoll int // the loop's epoll descriptor, -1: unknown
	// The shared state of the clients, and that of the connections to servers.
	sessions  *session.Loop
	conns     *pool.Loop
	upstreams []*upstream // in the order in which they were added
	shut      []shutDoor
	stats     *stats.Loop
	mail      mailbox

	clients  []*client         // in any order
	lingers  map[*client]int64 // since when they wait for their socket to drain before they are closed, ns
	closing  []socket          // to be closed at the turn's end
	draining bool
	warnedAt int64 // when a client that does not read was logged, ns

	nudge  func() // makes gnet call work after the next poll
	nudged bool   // nudge was called
	armed  bool   // the turn's end is on gnet's queue
	events int    // clients that sent something in this turn
	mean   int    // the mean of events over the latest turns, in 256ths
	turns  uint64 // the counter of turns at the latest tick
	solo   bool   // one connection to one server: no other reply can join a turn's

	box tlsconn.Box // the buffers of the record layer

	admitting chan struct{}  // a token for each client between accept and this loop
	enrolling chan enrolment // the same clients and others that have just come, for follow
	taken     int            // clients since the latest poll that was seen
	putOff    int            // of those, the ones whose tokens are still in admitting

	busy  atomic.Int64 // clients, for the choice of a loop: connected or being enrolled
	ticks atomic.Bool  // a tick is on gnet's queue
	fast  atomic.Bool  // the next tick should come soon
	crowd atomic.Int64 // mean at the latest tick, 0 when there was no turn since the one before
}

func newLoop(srv *Server, el gnet.EventLoop, index, epoll int) *loop {
	l := &loop{
		srv: srv, el: el, index: index, epoll: epoll, stats: stats.NewLoop(len(command.All())),
		lingers: map[*client]int64{},
	}
	l.mail.loop = l
	l.admitting = make(chan struct{}, maxAdmitting)
	l.enrolling = make(chan enrolment, maxAdmitting)
	l.conns = pool.NewLoop(srv.cfg.MaxOwn)
	l.sessions = dispatch.NewLoop(l.conns, l.stats)
	l.sessions.Number, l.sessions.Loops = index, srv.cfg.Loops
	l.sessions.Attempts = auth.NewAttempts(srv.cfg.Loops)
	l.sessions.Notify, l.sessions.Log = srv.notices.put, srv.log
	if srv.cfg.Loops > 1 {
		l.sessions.AddOutput = func(n int) int { return int(srv.output.Add(int64(n))) }
	}
	return l
}

// eachPool calls f for each upstream's pool.
func (l *loop) eachPool(f func(*pool.Pool)) {
	for _, u := range l.upstreams {
		f(u.pool)
	}
}

// add and remove keep the list of clients. Each client knows its place there, because a map of them would take three
// times as much memory.
func (l *loop) add(cl *client) {
	cl.place = int32(len(l.clients))
	l.clients = append(l.clients, cl)
}

func (l *loop) remove(cl *client) {
	last := len(l.clients) - 1
	if int(cl.place) > last || l.clients[cl.place] != cl {
		return // a panic has kept it from being added
	}
	moved := l.clients[last]
	moved.place, l.clients[cl.place] = cl.place, moved
	l.clients[last] = nil
	l.clients = l.clients[:last]
}

// enter begins a callback: the first of a turn reads the clock.
func (l *loop) enter() {
	if !l.armed {
		l.conns.Now = l.srv.now()
	}
}

// afterClient ends a callback that brought bytes from a client. inFlight is the number of requests that were under
// way before. A lone request is written at once, because no other would join it. The mean over the latest turns
// decides too, because under load the first client of a turn would otherwise always go alone.
func (l *loop) afterClient(inFlight int) {
	l.events++
	if inFlight == 0 && l.mean <= loneMean && !l.armed {
		l.stats.FlushesNow++
		l.flush()
		return
	}
	l.arm()
}

// loneMean is the mean number of clients that send in a turn up to which a request counts as lone, in 256ths.
const loneMean = 256 + 256/4

// afterServer ends a callback that brought bytes from a server. When no further reply can come in this
// turn, the clients get theirs at once.
func (l *loop) afterServer() {
	switch {
	case l.conns.InFlight == 0 && !l.armed:
		l.flush()
	case l.solo:
		l.sessions.Flush()
		l.arm()
	default:
		l.arm()
	}
}

// arm puts the turn's end on gnet's queue, if there is anything to do then.
func (l *loop) arm() {
	if l.sessions.HasWork() {
		l.wake()
	}
	if l.armed || !l.pending() {
		return
	}
	l.armed = true
	if err := l.el.Execute(context.Background(), l); err != nil {
		l.armed = false
	}
}

// wake has gnet call work after the next poll.
func (l *loop) wake() {
	if !l.nudged {
		l.nudged = true
		l.nudge()
	}
}

// work does the next pieces of jobs that take many turns. They must not wait on gnet's queue, because gnet empties
// that before it polls again. So a nudge wakes the loop, which each poll sees like any socket.
func (l *loop) work() {
	l.nudged = false
	l.admitMore()
	l.enter()
	l.sessions.Work()
	l.arm()
}

// Run is gnet.Runnable: the end of the turn.
func (l *loop) Run(context.Context) error {
	l.armed = false
	l.flush()
	return nil
}

func (l *loop) pending() bool {
	return l.conns.Dirty() || l.sessions.Due() || l.conns.WantsDial() || len(l.closing) > 0
}

// maxPasses bounds how often one turn's end starts over because flushing made new work.
const maxPasses = 4

// flush is the end of the turn: one write per connection that has output.
func (l *loop) flush() {
	defer l.guard()
	if l.events > 0 {
		l.stats.Turns++
		l.mean += (l.events*256 - l.mean) / 8
		l.events = 0
	}
	for range maxPasses {
		l.sessions.Resume()
		l.conns.Flush()
		l.sessions.Flush()
		if !l.sessions.Due() && !l.conns.Dirty() {
			break
		}
	}
	l.conns.TakeDials(l.dial)
	l.closeMarked()
	if l.conns.Backlogged() {
		l.hurry()
	}
	l.arm()
}

// closeMarked closes the sockets that were marked during the turn.
func (l *loop) closeMarked() {
	for len(l.closing) > 0 {
		marked := l.closing
		l.closing = nil
		for _, s := range marked {
			if c := s.handle(); c != nil {
				_ = l.el.Close(c)
			}
		}
	}
}

// drain lets every client finish.
func (l *loop) drain() {
	l.draining = true
	for _, c := range slices.Clone(l.clients) { // a failed write takes a client off the list
		c.session.Drain()
	}
	if l.srv.clients.Load() == 0 {
		l.srv.signalEmpty()
	}
}

// worthCollecting is the garbage of huge values, bytes, from which a collection does not wait until the heap has
// doubled. Otherwise one value would be in memory several times.
const worthCollecting = 32 << 20

// lingerLimit is how long a client may take to read its last replies before it is closed.
const lingerLimit = 10 * time.Second

// onTick checks deadlines, and sockets that wait to drain.
func (l *loop) onTick() {
	l.ticks.Store(false)
	l.conns.Tick()
	l.sessions.Tick()
	l.tickLeaving()
	l.measureCrowd()
	if l.conns.Buffers.Dropped >= worthCollecting {
		l.conns.Buffers.Dropped = 0
		l.srv.garbage.Store(true)
	}
	if l.sessions.Hurried() {
		l.hurry()
	}
	for c, since := range l.lingers {
		if l.conns.Now-since > int64(lingerLimit) {
			c.session.Abandon()
		} else {
			c.session.Flush()
		}
	}
}

// measureCrowd stores for the ticker how many clients send in a turn.
func (l *loop) measureCrowd() {
	var mean int
	if l.stats.Turns != l.turns {
		l.turns, mean = l.stats.Turns, l.mean
	}
	l.crowd.Store(int64(mean))
}
