package session

// Peers reaches the sessions of other loops, of which there is at least one.
type Peers interface {
	// Ask runs question on every other loop, and done with their answers on this one. Loop-only.
	Ask(question func(*Env) any, done func(answers []any))
	// AskSlowly is Ask for a question that a loop may need several turns to answer. Loop-only.
	AskSlowly(question func(e *Env, answer func(any)), done func(answers []any))
	// AddTopics counts topics, and AnyTopics reports whether any loop has one. Loop-only.
	AddTopics(n int)
	// AddJoining counts subscriptions under way, and AnyJoining reports whether any loop has one. Loop-only.
	AddJoining(n int)
	AnyJoining() bool
	AnyTopics() bool
}

// MaxAsked bounds how often the loops are asked whether what a client waits for is over.
const MaxAsked = 1000

// AskLoops runs question on every loop, this one included, and gives all answers to done.
func (e *Env) AskLoops(question func(*Env) any, done func(answers []any)) {
	e.AskLoopsFor(e.Asking, question, done)
}

// AskLoopsFor is AskLoops for a client, which is closed if done panics; nil: for nobody alone.
func (e *Env) AskLoopsFor(client *Session, question func(*Env) any, done func(answers []any)) {
	own := question(e)
	if e.Peers == nil {
		done([]any{own})
		return
	}
	e.Peers.Ask(question, func(answers []any) {
		if client != nil {
			defer client.guard()
		}
		done(append(answers, own))
	})
}

// AskLoopsSlowly is AskLoopsFor for a question that takes a loop several turns: it answers when it can. A loop in which it has
// panicked has no answer.
func (e *Env) AskLoopsSlowly(client *Session, question func(e *Env, answer func(any)), done func(answers []any)) {
	var all []any
	waits := 1
	if e.Peers != nil {
		waits++
	}
	heard := func(answers ...any) {
		for _, a := range answers {
			if a != nil {
				all = append(all, a)
			}
		}
		if waits--; waits == 0 {
			defer client.guard()
			done(all)
		}
	}
	if e.Peers != nil {
		e.Peers.AskSlowly(question, func(answers []any) { heard(answers...) })
	}
	question(e, func(answer any) { heard(answer) })
}
