package session

import (
	"time"

	"ringmaster/stats"
)

// idleEvery is how often clients that are idle are looked for, ns.
const idleEvery = int64(time.Second)

// idleAtOnce bounds how many clients a tick closes.
const idleAtOnce = turnWork / CloseWork

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
		for _, d := range e.Doors {
			if own := int64(d.Config.IdleTimeout); own > 0 && (limit == 0 || own < limit) {
				limit = own
			}
		}
		if limit == 0 {
			continue
		}
		l.nextIdle = min(l.nextIdle, now+limit)
		e.Roster.Each(func(s *Session) {
			own := int64(s.Door.Config.IdleTimeout)
			if left > 0 && own > 0 && now-s.ActiveAt > own && s.mayIdleOut() {
				s.Close(stats.Idle)
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
	waits := s.Subscriptions != nil || s.Pin != nil && (s.Pin.Blocks || s.Pin.Tunnel || s.Pin.Conn != nil && s.Pin.Conn.Streams())
	return s.State == Open && !s.EOF && !s.Owes() && !waits && s.Socket.Buffered() == 0
}
