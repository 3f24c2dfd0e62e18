package command

import (
	"errors"
	"testing"
)

func TestLearnGoesByNoNameOfTheTable(t *testing.T) {
	for _, s := range All() {
		if s.HasSubs() || s.ID != idOf(s.Name) {
			continue
		}
		l, err := Learn([]Info{{Name: s.Name, Arity: -1, Flags: []string{"pubsub", "blocking"}, First: 1, Last: -1, Step: 1}})
		if err != nil || l.Spec != All()[s.ID] || l.Subs != nil {
			t.Errorf("%s: %+v, %v; want the table's own", s.Name, l.Spec, err)
		}
	}
	for _, s := range All() {
		if idOf(s.Name) == s.ID {
			continue // no subcommand
		}
		if l, err := Learn([]Info{{Name: s.Name, Arity: -1}}); !errors.Is(err, ErrLearned) {
			t.Errorf("%s: %+v, %v; want an error", s.Name, l.Spec, err)
		}
		if l, err := Learn([]Info{{Name: "x", Arity: -1}, {Name: s.Name, Arity: -1}}); !errors.Is(err, ErrLearned) {
			t.Errorf("x with %s: %+v, %v; want an error", s.Name, l.Subs, err)
		}
	}
}

// idOf returns the ID of the command with this name, NoID for a subcommand.
func idOf(name string) uint16 {
	if s := Lookup([]byte(name)); s != nil {
		return s.ID
	}
	return NoID
}

func TestLearnRefusesWhatMakesNoSense(t *testing.T) {
	for name, infos := range map[string][]Info{
		"nothing":             nil,
		"no name":             {{Arity: 1}},
		"a name with a break": {{Name: "a\r\n+x", Arity: 1}},
		"arity 0":             {{Name: "a"}},
		"a step of 0":         {{Name: "a", Arity: -1, First: 1, Last: 1}},
		"a negative position": {{Name: "a", Arity: -1, First: -1, Last: 1, Step: 1}},
		"a foreign sub":       {{Name: "a", Arity: -1}, {Name: "b|c", Arity: 2}},
		"a sub twice":         {{Name: "a", Arity: -1}, {Name: "a|c", Arity: 2}, {Name: "a|c", Arity: 2}},
		"a sub of no name":    {{Name: "a", Arity: -1}, {Name: "a|", Arity: 2}},
	} {
		if l, err := Learn(infos); !errors.Is(err, ErrLearned) || l.Spec != nil {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}

func TestLearnRefusesWhatIsForAdministrators(t *testing.T) {
	for _, c := range []struct {
		in   Info
		want Class
	}{
		{Info{Flags: []string{"admin"}}, ClassRefused},
		{Info{Flags: []string{"admin", "module"}}, ClassRefused},
		{Info{ACL: []string{"@slow", "@dangerous"}}, ClassRefused},
		{Info{ACL: []string{"@admin"}}, ClassRefused},
		{Info{Flags: []string{"noscript"}}, ClassRefused},
		{Info{Flags: []string{"noscript", "module"}}, ClassAnyShard},
		{Info{Flags: []string{"readonly"}}, ClassAnyShard},
		{Info{ACL: []string{"@connection"}}, ClassPinned},
		{Info{Flags: []string{"pubsub"}}, ClassPinned},
		{Info{Flags: []string{"pubsub", "module"}}, ClassAnyShard},
	} {
		c.in.Name, c.in.Arity = "x.y", -1
		l, err := Learn([]Info{c.in})
		if err != nil || l.Spec.Class != c.want || l.Spec.Class == ClassRefused && l.Spec.IfAllowed != ClassAnyShard {
			t.Errorf("%+v: %+v, %v", c.in, l.Spec, err)
		}
	}
}
