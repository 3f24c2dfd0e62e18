package session

import "ringmaster/pool"

// Nobody may keep the loop for longer than a few milliseconds. What takes longer the more clients, names or words there are is
// a job: it is done in pieces, between which the loop hears its other sockets. Work is counted in units of about a nanosecond's
// third: a byte that is made counts as one.
//
//	handler ── start ──▸ [job][job][job] ── Work, once a poll ──▸ piece ──▸ again at the end, until it is done
const (
	// turnWork is how much work the loop does before it hears its sockets again, units.
	turnWork = 1 << 20
	// PieceWork is how much of it one job does before the next has its turn.
	PieceWork = turnWork / 4
	// workEvery is the time after which a loop that has polled meanwhile counts anew, ns.
	workEvery = 1e6
)

// job is work that is done in pieces. Loop-only.
type job interface {
	// Piece does about PieceWork and reports whether nothing is left. It counts what it does with Loop.Spend.
	Piece(e *Env) (done bool)
	// Client is the client that a panic in a piece ends; nil: no single one waits for the job.
	Client() pool.Client
	// GiveUp ends a job that has no more pieces since one panicked: whoever has asked is answered.
	GiveUp()
}

// Impersonal is embedded by jobs that no single client waits for. One that must answer somebody has a GiveUp of its own.
type Impersonal struct{}

func (Impersonal) Client() pool.Client { return nil }
func (Impersonal) GiveUp()             {}

// task is a job of an upstream's clients.
type task struct {
	env *Env
	job job
}

// work is a loop's jobs, and how much it has done of them. Loop-only.
type work struct {
	jobs   []task
	Spent  int   // units of work since workAt
	workAt int64 // ns
}

// Start does the first piece of a job, if the turn has not seen too much work, and the others between polls.
func (e *Env) Start(j job) {
	e.countAnew()
	if e.Spent >= turnWork || !j.Piece(e) {
		e.Queue(j)
	}
}

// Queue has a job's next piece done between polls.
func (e *Env) Queue(j job) { e.jobs = append(e.jobs, task{e, j}) }

// countAnew forgets the work of a turn that is over.
func (l *Loop) countAnew() {
	if l.Clock.Now-l.workAt >= workEvery {
		l.workAt, l.Spent = l.Clock.Now, 0
	}
}

// Spend counts n units of work.
func (w *work) Spend(n int) { w.Spent += n }

// Pieces counts the work of one piece.
type Pieces struct{ Until int }

// APiece begins to count the work of one piece of a job.
func (w *work) APiece() Pieces { return Pieces{w.Spent + PieceWork} }

// Over reports whether the piece has done its share.
func (p Pieces) Over(e *Env) bool { return e.Spent >= p.Until }

// answerWork is what an answer costs beside its bytes, units.
const answerWork = 128

// CloseWork is what it costs to close a client, units: its socket's calls count most.
const CloseWork = 16 << 10

// MatchWork is what it costs to look at a client, units.
const MatchWork = 256

// CopyWork is what it costs to copy a line or an element beside its bytes, units.
const CopyWork = 64
