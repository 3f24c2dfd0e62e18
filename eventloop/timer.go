package eventloop

import (
	"runtime"
	"time"
)

// The loops' ticks. They are coarse, because the deadlines of requests need no more. They are fast while a socket's
// buffer is full, because gnet does not report when it drains.
const (
	tickEvery = 10 * time.Millisecond
	fastEvery = time.Millisecond
	// collectEvery is the least time between two collections after huge values.
	collectEvery = 500 * time.Millisecond
	// growthLeast and growthShare are how many more clients than at the latest collection cause another: so many, and
	// one for each so many that there were.
	growthLeast = 1024
	growthShare = 8
)

// tick posts ticks to the loops until the server stops. It runs on a goroutine of its own.
func (s *Server) tick() {
	timer := time.NewTimer(tickEvery)
	defer timer.Stop()
	var collected time.Time
	crowd := crowd{tell: s.cfg.Crowded, now: true}
	var growth growth
	for {
		select {
		case <-timer.C:
		case <-s.hurry:
			timer.Reset(fastEvery)
			continue
		case <-s.ctx.Done():
			return
		}
		next := tickEvery
		for _, l := range s.loops {
			if l.fast.Swap(false) {
				next = fastEvery
			}
			// One at a time, so that a slow loop does not find a heap of ticks.
			if !l.ticks.Swap(true) {
				_ = l.post(l.onTick)
			}
		}
		crowd.look(s.loops, time.Since(s.started))
		if growth.look(s.clients.Load()) {
			s.tasks.Go(runtime.GC) // not here, because ticks must go on while a large heap is collected
		}
		if time.Since(collected) >= collectEvery && s.garbage.Swap(false) {
			runtime.GC()
			collected = time.Now()
		}
		timer.Reset(next)
	}
}

// growth decides when new clients cause a collection. Accepting a client leaves more garbage than the client takes
// afterwards. Go would let the heap double before it collects, and would keep that memory for as long as the clients
// stay. The number of collections follows the logarithm of the number of clients, and clients that come while others
// go cause none.
type growth struct {
	from int64 // clients at the latest collection, or the fewest since then
}

// look reports whether garbage should be collected now that there are n clients.
func (g *growth) look(n int64) bool {
	g.from = min(g.from, n)
	if n-g.from < max(growthLeast, g.from/growthShare) {
		return false
	}
	g.from = n
	return true
}

// hurry asks for the next tick soon.
func (l *loop) hurry() {
	if l.fast.Swap(true) {
		return
	}
	select {
	case l.srv.hurry <- struct{}{}:
	default:
	}
}
