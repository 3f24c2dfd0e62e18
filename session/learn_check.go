package session

// LessonCounts are what an upstream's clients have had servers asked for.
type LessonCounts struct {
	Known, Unknown int // names that are remembered
	Asked, Waiting int // questions under way, and clients that wait until they can ask
}

// CountLessons counts them. It is for tests. Loop-only.
func CountLessons(e *Env) LessonCounts {
	k := lessonsOf(e)
	return LessonCounts{Known: len(k.known), Unknown: len(k.unknown), Asked: k.questions, Waiting: len(k.queue)}
}
