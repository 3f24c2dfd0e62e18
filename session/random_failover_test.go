package session_test

import (
	"fmt"
	"math/rand/v2"
)

// successors are servers of the random test that take over from each other, and refuse for a while what they can't answer.
type successors struct {
	w     *world
	rnd   *rand.Rand
	count int // of those that have taken over
	// former has the primary of each replica that is gone, by name.
	former map[string]string
	order
}

func newSuccessors(w *world, rnd *rand.Rand) *successors {
	return &successors{w: w, rnd: rnd, former: map[string]string{}, order: newOrder()}
}

// act has a server taken over from.
func (f *successors) act() {
	f.count++
	name := f.w.names[f.rnd.IntN(len(f.w.names))]
	if list := f.w.replicas[name]; len(list) > 0 {
		i := f.rnd.IntN(len(list))
		f.former[list[i]] = name
		list[i] = fmt.Sprint(name, "r", f.count)
	}
	f.w.replace(name, fmt.Sprint(name, f.count))
}

const readOnly = "-READONLY You can't write against a read only replica.\r\n"

// refuse reports whether a server refuses a command because it is not a primary any more. Otherwise it notes that the
// command runs.
func (f *successors) refuse(s *serverEnd, args []string) bool {
	if f.w.replicas != nil && (args[0] == "GET" || args[0] == "MGET") {
		return false // reads that are sent again may run after later requests
	}
	switch args[0] {
	case "SET", "GET", "MGET", "DEL":
		if s.multi == nil && !s.conn.Own() {
			if f.rnd.IntN(20) == 0 {
				return true
			}
			f.runs(args[0], keysOf(args))
		}
	}
	return false
}
