package command

import (
	"strings"
	"testing"
)

func TestLookupFindsEveryNameInAnyCase(t *testing.T) {
	for i, s := range All() {
		if int(s.ID) != i {
			t.Fatalf("%s has ID %d at index %d", s.Name, s.ID, i)
		}
		for _, name := range []string{s.Name, strings.ToUpper(s.Name), mixed(s.Name)} {
			if got := lookupPath(name); got != s {
				t.Fatalf("lookup of %q: %v", name, got)
			}
		}
	}
}

// lookupPath finds "config|get" by its two words.
func lookupPath(name string) *Spec {
	head, sub, isSub := strings.Cut(name, "|")
	s := Lookup([]byte(head))
	if isSub && s != nil {
		return s.Sub([]byte(sub))
	}
	return s
}

func mixed(s string) string {
	out := []byte(s)
	for i := 0; i < len(out); i += 2 {
		out[i] = strings.ToUpper(s)[i]
	}
	return string(out)
}

func TestLookupRefusesNamesThatDifferInAnyByte(t *testing.T) {
	for _, s := range All() {
		if strings.Contains(s.Name, "|") {
			continue
		}
		for i := range s.Name {
			for c := range 256 {
				name := []byte(s.Name)
				name[i] = byte(c)
				got := Lookup(name)
				if got != nil && !strings.EqualFold(got.Name, string(name)) {
					t.Fatalf("Lookup(%q) gave %s", name, got.Name)
				}
			}
		}
	}
}

func TestLookupOfUnknownNames(t *testing.T) {
	for _, name := range []string{
		"", "g", "gett", "config|get", "get\x00", "\x00\x00\x00", "g\x00t", "restore\rasking",
		"eval\x7fro", strings.Repeat("x", 24), strings.Repeat("x", 25), strings.Repeat("get", 10000),
	} {
		if s := Lookup([]byte(name)); s != nil {
			t.Errorf("Lookup(%.40q) gave %s", name, s.Name)
		}
	}
	if s := Lookup(nil); s != nil {
		t.Errorf("Lookup(nil) gave %s", s.Name)
	}
}

func TestSubBelongsToItsContainer(t *testing.T) {
	config, client := Lookup([]byte("CONFIG")), Lookup([]byte("client"))
	if !config.HasSubs() || Lookup([]byte("get")).HasSubs() {
		t.Fatal("CONFIG has subcommands, GET has none")
	}
	if s := config.Sub([]byte("gEt")); s == nil || s.Name != "config|get" {
		t.Errorf("CONFIG GET: %v", s)
	}
	if s := config.Sub([]byte("setname")); s != nil {
		t.Errorf("CONFIG SETNAME gave %s", s.Name)
	}
	if s := client.Sub(nil); s != nil {
		t.Errorf("CLIENT with an empty word gave %s", s.Name)
	}
	if s := Lookup([]byte("get")).Sub([]byte("get")); s != nil {
		t.Errorf("GET GET gave %s", s.Name)
	}
	if s := Lookup([]byte("setname")); s != nil {
		t.Errorf("SETNAME alone gave %s", s.Name)
	}
}

func TestArity(t *testing.T) {
	for _, c := range []struct {
		name string
		argc int
		ok   bool
	}{
		{"get", 2, true}, {"get", 1, false}, {"get", 3, false},
		{"set", 3, true}, {"set", 2, false}, {"set", 9, true},
		{"config|get", 3, true}, {"config|get", 2, false},
		{"zrank", 3, true}, {"zrank", 4, true}, {"zrank", 2, false}, // 7.0: 3, since 7.2: -3
		{"ping", 1, true}, {"ping", 0, false},
	} {
		if got := lookupPath(c.name).ArityOK(c.argc); got != c.ok {
			t.Errorf("%s with %d words: %v", c.name, c.argc, got)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	for _, name := range []string{"GET", "SET", "get", "HGETALL", "ZREVRANGEBYSCORE", "GEORADIUSBYMEMBER_RO", "NOSUCH"} {
		b.Run(name, func(b *testing.B) {
			word := []byte(name)
			for b.Loop() {
				Lookup(word)
			}
		})
	}
	b.Run("CONFIG GET", func(b *testing.B) {
		word, config := []byte("GET"), Lookup([]byte("CONFIG"))
		for b.Loop() {
			config.Sub(word)
		}
	})
}

func TestMemoFindsWhatLookupFinds(t *testing.T) {
	var m Memo
	for range 3 {
		for _, spec := range All() {
			for _, name := range []string{spec.Name, strings.ToUpper(spec.Name), spec.Name + "x", spec.Name[1:], ""} {
				for range 2 {
					if got, want := m.Lookup([]byte(name)), Lookup([]byte(name)); got != want {
						t.Fatalf("%q: %v, want %v", name, got, want)
					}
				}
			}
		}
	}
}

func TestNamedFindsCommandsByTheNamesOfTheTable(t *testing.T) {
	for _, spec := range All() {
		if got := Named(spec.Name); got != spec {
			t.Errorf("%s: %v", spec.Name, got)
		}
	}
	for _, name := range []string{"", "|", "nonsense", "nonsense|x", "config|nonsense", "get|x"} {
		if got := Named(name); got != nil {
			t.Errorf("%q: %s", name, got.Name)
		}
	}
}
