package session

import (
	"time"

	"ringmaster/stats"
)

// idleEvery is how often clients that are idle are looked for, ns.
const idleEvery = int64(time.Second)

// idleAtOnce bounds how many clients a tick closes.
const idleAtOnce = turnWork / closeWork

// CloseIdle closes the clients that were silent for Config.IdleTimeout. To be called every tick.
func (e *Env) CloseIdle() {
	limit := int64(e.Config.IdleTimeout)
	now := e.Pool.Now
	if limit == 0 || now < e.nextIdle {
		return
	}
	e.nextIdle = now + min(limit, idleEvery)
	left := idleAtOnce
	e.roster.each(func(s *Session) {
		if left > 0 && now-s.active > limit && s.mayIdleOut() {
			s.close(stats.Idle)
			left--
		}
	})
	if left == 0 {
		e.nextIdle = now // there may be more
	}
}

// mayIdleOut reports whether nothing is under way for the client. As in Redis, one that waits at a server or for
// messages, lines of MONITOR or a replication stream is not idle.
func (s *Session) mayIdleOut() bool {
	waits := s.subs != nil || s.pin != nil && (s.pin.blocks || s.pin.tunnel || s.pin.conn != nil && s.pin.conn.Streams())
	return s.state == open && !s.eof && !s.Owes() && !waits && s.sock.Buffered() == 0
}
