package gather

import (
	"ringmaster/session"
)

// Spoil leaves a gather that is half done among those that are used again. It is for tests of what a panic leaves behind. Loop-only.
func Spoil(s *session.Session) {
	all := gathersOf(s.Door.Loop)
	all.free = append(all.free, &Gather{Env: s.Door.Env, Session: s, left: 7})
}
