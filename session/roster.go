package session

import (
	"cmp"
	"slices"
)

// roster is the sessions of a loop in the order of their IDs, which is the order in which they came. Its places outlive what
// happens between two pieces of work: whoever walks over it remembers the next ID.
//
// Invariant: list is sorted by id; gone == members without a session.
type roster struct {
	list []member
	gone int
}

// member is a session's place; s is nil when it is gone.
type member struct {
	id uint64
	s  *Session
}

// add enters a session, whose ID is above all others.
func (r *roster) add(s *Session) {
	if r.gone > 64 && r.gone > len(r.list)/2 {
		r.list = slices.Clip(slices.DeleteFunc(r.list, func(m member) bool { return m.s == nil }))
		r.gone = 0
	}
	r.list = append(r.list, member{s.ID(), s})
}

func (r *roster) remove(s *Session) {
	if i := r.from(s.ID()); i < len(r.list) && r.list[i].s == s {
		r.list[i].s = nil
		r.gone++
	}
}

// from is the place of the first session with this ID or a higher one.
func (r *roster) from(id uint64) int {
	i, _ := slices.BinarySearchFunc(r.list, id, func(m member, id uint64) int { return cmp.Compare(m.id, id) })
	return i
}

// Find is the session with an ID; nil: there is none.
func (r *roster) Find(id uint64) *Session {
	if i := r.from(id); i < len(r.list) && r.list[i].id == id {
		return r.list[i].s
	}
	return nil
}

// Each calls f for every session, which may close it.
func (r *roster) Each(f func(*Session)) {
	for i := range r.list {
		if s := r.list[i].s; s != nil {
			f(s)
		}
	}
}

// Walk calls f for the sessions with IDs from *next on and below until, until f says that it is enough; *next is then where to go
// on. It reports whether there are no more.
func (r *roster) Walk(next *uint64, until uint64, f func(*Session) (more bool)) (done bool) {
	for i := r.from(*next); i < len(r.list) && r.list[i].id < until; i++ {
		*next = r.list[i].id + 1
		if s := r.list[i].s; s != nil && !f(s) {
			return false
		}
	}
	return true
}
