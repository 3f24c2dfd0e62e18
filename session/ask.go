package session

// MaxAsked bounds how often the loops are asked whether what a client waits for is over.
const MaxAsked = 1000

// AskLoops runs question on every loop, this one included, and gives all answers to done.
func (e *Env) AskLoops(question func(*Env) any, done func(answers []any)) {
	e.AskLoopsFor(e.Asking, question, done)
}

// AskLoopsFor is askLoops for a client, which is closed if done panics; nil: for nobody alone.
func (e *Env) AskLoopsFor(client *Session, question func(*Env) any, done func(answers []any)) {
	own := question(e)
	if e.Peers == nil {
		done([]any{own})
		return
	}
	e.AskOthers(client, question, func(answers []any) { done(append(answers, own)) })
}

// AskOthers is askLoopsFor without this loop.
func (e *Env) AskOthers(client *Session, question func(*Env) any, done func(answers []any)) {
	if client == nil {
		e.Peers.Ask(question, done)
		return
	}
	e.Peers.Ask(question, func(answers []any) {
		defer client.guard()
		done(answers)
	})
}

// AskLoopsSlowly is askLoopsFor for a question that takes a loop several turns: it answers when it can. A loop in which it has
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
