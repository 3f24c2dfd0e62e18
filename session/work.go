package session

// Nobody may keep the loop for longer than a few milliseconds. What takes longer the more clients, names or words there are is
// a job: it is done in pieces, between which the loop hears its other sockets. Work is counted in units of about a nanosecond's
// third: a byte that is made counts as one.
//
//	handler ── start ──▸ [job][job][job] ── Work, once a poll ──▸ piece ──▸ again at the end, until it is done
const (
	// turnWork is how much work the loop does before it hears its sockets again, units.
	turnWork = 1 << 20
	// pieceWork is how much of it one job does before the next has its turn.
	pieceWork = turnWork / 4
	// workEvery is the time after which a loop that has polled meanwhile counts anew, ns.
	workEvery = 1e6
)

// job is work that is done in pieces. Loop-only.
type job interface {
	// piece does about pieceWork and reports whether nothing is left. It counts what it does with Env.spend.
	piece(e *Env) (done bool)
}

// start does the first piece of a job, if the turn has not seen too much work, and the others between polls.
func (e *Env) start(j job) {
	e.countAnew()
	if e.spent >= turnWork || !j.piece(e) {
		e.jobs = append(e.jobs, j)
	}
}

// countAnew forgets the work of a turn that is over.
func (e *Env) countAnew() {
	if e.Pool.Now-e.workAt >= workEvery {
		e.workAt, e.spent = e.Pool.Now, 0
	}
}

// spend counts n units of work.
func (e *Env) spend(n int) { e.spent += n }

// HasWork reports whether Work has something to do: the loop calls it when it has heard its sockets.
func (e *Env) HasWork() bool { return len(e.jobs) > 0 }

// Work does the next pieces.
func (e *Env) Work() {
	e.workAt, e.spent = e.Pool.Now, 0
	for n := len(e.jobs); n > 0 && e.spent < turnWork; n-- {
		j := e.jobs[0]
		e.jobs[0] = nil
		if e.jobs = e.jobs[1:]; len(e.jobs) == 0 {
			e.jobs = nil
		}
		if !e.guardedPiece(j) {
			e.jobs = append(e.jobs, j)
		}
	}
}

// guardedPiece does a piece of a job outside of any client's turn. A job that panics ends.
func (e *Env) guardedPiece(j job) (done bool) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		done = true
		var s *Session
		if r, ok := j.(interface{ client() *Session }); ok {
			s = r.client()
		}
		e.panicked(s, cause)
		e.Pool.Distrust()
		if part, ok := j.(interface{ giveUp() }); ok { // of what another loop has asked
			part.giveUp()
		}
	}()
	return j.piece(e)
}

// pieces counts the work of one piece.
type pieces struct{ until int }

func (e *Env) aPiece() pieces { return pieces{e.spent + pieceWork} }

// over reports whether the piece has done its share.
func (p pieces) over(e *Env) bool { return e.spent >= p.until }

// answerWork is what an answer costs beside its bytes, units.
const answerWork = 128

// rest makes the session look at its input again when the loop has heard its sockets.
func (s *Session) rest() {
	if s.wait == nothing && s.state == open {
		s.wait = turn
		s.env.jobs = append(s.env.jobs, s)
	}
}

// piece is job: the session that rested goes on.
func (s *Session) piece(*Env) (done bool) {
	if s.wait == turn {
		s.goOn()
	}
	return true
}
