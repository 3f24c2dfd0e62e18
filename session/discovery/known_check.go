package discovery

import (
	"ringmaster/session"
)

// Counts are what an upstream's clients have had servers asked for.
type Counts struct {
	Known, Unknown int // names that are remembered
	Asked, Waiting int // questions under way, and clients that wait until they can ask
}

// CountAll counts them. It is for tests. Loop-only.
func CountAll(e *session.Env) Counts {
	k := lessonsOf(e)
	return Counts{Known: len(k.known), Unknown: len(k.unknown), Asked: k.questions, Waiting: len(k.queue)}
}
