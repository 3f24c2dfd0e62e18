package session

// SpoilGathers leaves a gather that is half done among those that are used again. It is for tests of what a panic leaves behind. Loop-only.
func SpoilGathers(s *Session) {
	all := gathersOf(s.env.Loop)
	all.free = append(all.free, &gather{env: s.env.Env, s: s, left: 7})
}
