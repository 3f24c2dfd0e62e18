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
)

// tick posts ticks to the loops until the server stops. It runs on a goroutine of its own.
func (s *Server) tick() {
	timer := time.NewTimer(tickEvery)
	defer timer.Stop()
	var collected time.Time
	crowd := crowd{tell: s.cfg.Crowded, now: true}
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
		if time.Since(collected) >= collectEvery && s.garbage.Swap(false) {
			runtime.GC()
			collected = time.Now()
		}
		timer.Reset(next)
	}
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
