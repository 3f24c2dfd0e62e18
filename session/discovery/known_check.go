package discovery

import (
	"ringmaster/session"
)

// Counts are how much is known of an upstream's commands.
type Counts struct {
	Known, Unknown int // names
	Asked, Waiting int // questions under way, and questions in the queue
}

// CountAll returns how much is known of an upstream's commands. It is for tests. Loop-only.
func CountAll(e *session.Env) Counts {
	k := knowledgeOf(e)
	return Counts{Known: len(k.known), Unknown: len(k.unknown), Asked: k.questions, Waiting: len(k.queue)}
}
