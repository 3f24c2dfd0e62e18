package roster

import (
	"cmp"
	"slices"
)

// Roster is the sessions of a loop in the order of their IDs, which is the order in which they came. Its places outlive what
// happens between two pieces of work: whoever walks over it remembers the next ID.
//
// Invariant: list is sorted by id; gone == members without a session.
type Roster[S comparable] struct {
	list []member[S]
	gone int
}

// member is a session's place; s is the zero value when it is gone.
type member[S comparable] struct {
	id uint64
	s  S
}

// Add enters a session with an ID above all others.
func (r *Roster[S]) Add(id uint64, s S) {
	if r.gone > 64 && r.gone > len(r.list)/2 {
		var none S
		r.list = slices.Clip(slices.DeleteFunc(r.list, func(m member[S]) bool { return m.s == none }))
		r.gone = 0
	}
	r.list = append(r.list, member[S]{id, s})
}

// Remove takes a session off, if it is there under this ID.
func (r *Roster[S]) Remove(id uint64, s S) {
	if i := r.from(id); i < len(r.list) && r.list[i].s == s {
		var none S
		r.list[i].s = none
		r.gone++
	}
}

// from is the place of the first session with this ID or a higher one.
func (r *Roster[S]) from(id uint64) int {
	i, _ := slices.BinarySearchFunc(r.list, id, func(m member[S], id uint64) int { return cmp.Compare(m.id, id) })
	return i
}

// Find is the session with an ID; the zero value: there is none.
func (r *Roster[S]) Find(id uint64) (none S) {
	if i := r.from(id); i < len(r.list) && r.list[i].id == id {
		return r.list[i].s
	}
	return none
}

// Each calls f for every session, which may close it.
func (r *Roster[S]) Each(f func(S)) {
	var none S
	for i := range r.list {
		if s := r.list[i].s; s != none {
			f(s)
		}
	}
}

// Walk calls f for the sessions with IDs from *next on and below until, until f says that it is enough; *next is then where to go
// on. It reports whether there are no more.
func (r *Roster[S]) Walk(next *uint64, until uint64, f func(S) (more bool)) (done bool) {
	var none S
	for i := r.from(*next); i < len(r.list) && r.list[i].id < until; i++ {
		*next = r.list[i].id + 1
		if s := r.list[i].s; s != none && !f(s) {
			return false
		}
	}
	return true
}

// Empty reports whether no session is left.
func (r *Roster[S]) Empty() bool { return len(r.list) == r.gone }
