package conn

import (
	"testing"

	"ringmaster/stats"
)

func TestTransitionsAreThoseOfTheDrawing(t *testing.T) {
	drawing := map[State][]State{
		Closed:      {Dialing, Retired},
		Dialing:     {Handshaking, Closed, Retired},
		Handshaking: {Ready, Closed, Retired},
		Ready:       {Closed, Draining, Retired},
		Draining:    {Retired},
		Retired:     {},
	}
	for from := Closed; from <= Retired; from++ {
		for to := Closed; to <= Retired; to++ {
			want := false
			for _, s := range drawing[from] {
				want = want || s == to
			}
			if got := goes(t, from, to); got != want {
				t.Errorf("from %s to %s: %t, want %t", from, to, got, want)
			}
		}
	}
}

// goes reports whether a connection can step from one state to another.
func goes(t *testing.T, from, to State) (ok bool) {
	t.Helper()
	u := &Upstream{Loop: &Loop{}, Keeper: Keeper{Changed: func(*Server) {}}}
	c := NewConn(u, NewServer(0, "A", "A:1", &stats.Server{}), &Group{}, 0)
	c.state = from
	defer func() { ok = recover() == nil && c.state == to }()
	c.transition(to)
	return true
}

func TestStatesHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for s := Closed; s <= Retired; s++ {
		if name := s.String(); name == "unknown" || seen[name] {
			t.Errorf("state %d is called %s", s, name)
		}
		seen[s.String()] = true
	}
	if State(99).String() != "unknown" {
		t.Error("a state that does not exist has a name")
	}
}
