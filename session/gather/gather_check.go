package gather

import (
	"ringmaster/session"
)

// Spoil puts a gather that has not ended among the free ones, as a panic might. It is for tests. Loop-only.
func Spoil(s *session.Session) {
	all := gathersOf(s.Door.Loop)
	all.free = append(all.free, &Gather{Env: s.Door.Env, Session: s, left: 7})
}
