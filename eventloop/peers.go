package eventloop

import "ringmaster/session"

// peers is session.Peers: it reaches an upstream on the other loops by posting to them.
type peers struct {
	l        *loop
	upstream int
}

// Ask is session.Peers. A loop that has stopped has no answer.
func (p peers) Ask(question func(*session.Env) any, done func(answers []any)) {
	p.AskSlowly(func(e *session.Env, answer func(any)) { answer(question(e)) }, done)
}

// AskSlowly is session.Peers.
func (p peers) AskSlowly(question func(e *session.Env, answer func(any)), done func(answers []any)) {
	var answers []any
	left := len(p.l.srv.loops) - 1
	heard := func(answer any) func() {
		return func() {
			if answer != nil {
				answers = append(answers, answer)
			}
			if left--; left == 0 {
				done(answers)
			}
		}
	}
	for _, o := range p.l.srv.loops {
		if o == p.l {
			continue
		}
		answer := func(a any) { _ = p.l.post(heard(a)) }
		if o.post(func() { ask(o.upstreams[p.upstream].env, question, answer) }) != nil {
			_ = p.l.post(heard(nil))
		}
	}
}

// ask puts a question to a loop, which has no answer if it panics.
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
func (p peers) AddTopics(n int) { p.l.srv.shared[p.upstream].topics.Add(int64(n)) }

// AddJoining is session.Peers.
func (p peers) AddJoining(n int) { p.l.srv.shared[p.upstream].joining.Add(int64(n)) }

// AnyJoining is session.Peers.
func (p peers) AnyJoining() bool { return p.l.srv.shared[p.upstream].joining.Load() > 0 }

// AnyTopics is session.Peers.
func (p peers) AnyTopics() bool { return p.l.srv.shared[p.upstream].topics.Load() > 0 }
