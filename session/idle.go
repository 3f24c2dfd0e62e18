package session

import (
	"time"

	"ringmaster/stats"
)

// idleEvery is how often clients that are idle are looked for, ns.
const idleEvery = int64(time.Second)

// idleAtOnce bounds how many clients a tick closes.
const idleAtOnce = turnWork / closeWork

// closeIdle closes the clients that were silent for Config.IdleTimeout.
func (l *Loop) closeIdle() {
	now := l.Clock.Now
	if now < l.nextIdle {
		return
	}
	l.nextIdle = now + idleEvery
	left := idleAtOnce
	for _, e := range l.envs {
		limit := int64(0) // the least of all doors'
		for _, d := range e.doors {
			if own := int64(d.Config.IdleTimeout); own > 0 && (limit == 0 || own < limit) {
				limit = own
			}
		}
		if limit == 0 {
			continue
		}
		l.nextIdle = min(l.nextIdle, now+limit)
		e.roster.each(func(s *Session) {
			own := int64(s.env.Config.IdleTimeout)
			if left > 0 && own > 0 && now-s.active > own && s.mayIdleOut() {
				s.close(stats.Idle)
				left--
			}
		})
	}
	if left == 0 {
		l.nextIdle = now // there may be more
	}
}

// mayIdleOut reports whether nothing is under way for the client. As in Redis, one that waits at a server or for
// messages, lines of MONITOR or a replication stream is not idle.
func (s *Session) mayIdleOut() bool {
	waits := s.subs != nil || s.pin != nil && (s.pin.blocks || s.pin.tunnel || s.pin.conn != nil && s.pin.conn.Streams())
	return s.state == open && !s.eof && !s.Owes() && !waits && s.sock.Buffered() == 0
}
