package eventloop

import "ringmaster/session"

// peers is session.Peers: it reaches an upstream on the other loops by posting to them.
type peers struct {
	l *loop
	u *upstream // on l
}

// Ask is session.Peers. A loop that has stopped, or no longer has the upstream, gives no answer.
func (p peers) Ask(question func(*session.Env) any, done func(answers []any)) {
	p.AskSlowly(func(e *session.Env, answer func(any)) { answer(question(e)) }, done)
}

// AskSlowly is session.Peers.
func (p peers) AskSlowly(question func(e *session.Env, answer func(any)), done func(answers []any)) {
	var answers []any
	left := len(p.l.srv.loops) - 1
	collect := func(answer any) func() {
		return func() {
			if answer != nil {
				answers = append(answers, answer)
			}
			if left--; left == 0 {
				done(answers)
			}
		}
	}
	maps := p.u.maps
	for _, o := range p.l.srv.loops {
		if o == p.l {
			continue
		}
		answer := func(a any) { _ = p.l.post(collect(a)) }
		if o.post(func() { o.asked(p.u.of, maps, question, answer) }) != nil {
			_ = p.l.post(collect(nil))
		}
	}
}

// asked puts another loop's question to this loop. If the asking loop has a later map, the question waits until this
// loop has it too, because the answer often depends on where keys are.
func (l *loop) asked(of *shared, maps uint64, question func(e *session.Env, answer func(any)), answer func(any)) {
	switch u := of.on[l.index]; {
	case u == nil:
		answer(nil)
	case u.maps < maps:
		u.early = append(u.early, func() { ask(u.env, question, answer) })
	default:
		ask(u.env, question, answer)
	}
}

// ask puts a question to a loop. After a panic there is no answer.
func ask(env *session.Env, question func(e *session.Env, answer func(any)), answer func(any)) {
	done := false
	defer func() {
		if !done {
			answer(nil)
		}
	}()
	defer env.GuardQuestion()
	question(env, answer)
	done = true
}

// AddTopics is session.Peers.
func (p peers) AddTopics(n int) { p.u.of.topics.Add(int64(n)) }

// AddJoining is session.Peers.
func (p peers) AddJoining(n int) { p.u.of.joining.Add(int64(n)) }

// AnyJoining is session.Peers.
func (p peers) AnyJoining() bool { return p.u.of.joining.Load() > 0 }

// AnyTopics is session.Peers.
func (p peers) AnyTopics() bool { return p.u.of.topics.Load() > 0 }
