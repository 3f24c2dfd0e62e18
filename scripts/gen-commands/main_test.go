package main

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"ringmaster/command"
)

func TestTableIsUpToDate(t *testing.T) {
	t.Chdir("../..")
	snapshots, err := load()
	if err != nil {
		t.Fatal(err)
	}
	want, err := render(withOwn(merge(snapshots)), snapshots)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the snapshots and decisions make: go run ./scripts/gen-commands --server \"\"", target)
	}
}

func TestMergeWidensAndNotesDifferences(t *testing.T) {
	old := command.Info{Name: "zrank", Arity: 3, Flags: []string{"fast", "readonly"}, First: 1, Last: 1, Step: 1}
	renewed := command.Info{Name: "zrank", Arity: -3, Flags: []string{"loading", "readonly"}, First: 1, Last: 1, Step: 1, Tips: []string{"x"}}
	got := merge([]snapshot{
		{Server: "redis", Version: "7.0.15", Commands: []command.Info{old}},
		{Server: "valkey", Version: "9.1.2", Commands: []command.Info{renewed, {Name: "new", Arity: 1}}},
	})
	if len(got) != 2 || got[0].Name != "new" || !slices.Equal(got[0].servers, []string{"valkey 9.1.2"}) {
		t.Fatalf("%+v", got)
	}
	z := got[1]
	if z.Arity != -3 || !slices.Equal(z.Flags, []string{"fast", "readonly", "loading"}) || !slices.Equal(z.Tips, []string{"x"}) {
		t.Errorf("%+v", z)
	}
	want := []string{
		"valkey 9.1.2: arity -3, before 3", "valkey 9.1.2: +loading", "valkey 9.1.2: -fast", "valkey 9.1.2: tips [x], before []",
	}
	if !slices.Equal(z.notes, want) {
		t.Errorf("notes %q", z.notes)
	}
}

func TestWiderArityAcceptsWhatEitherAccepts(t *testing.T) {
	for _, c := range [][3]int{{3, 3, 3}, {3, -3, -3}, {-4, -3, -3}, {3, 4, -3}, {-2, 5, -2}, {-5, 2, -2}} {
		if got := widerArity(c[0], c[1]); got != c[2] {
			t.Errorf("%d and %d: %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestVersionsSortAsNumbers(t *testing.T) {
	if compareVersions("7.0.15", "7.0.2") <= 0 || compareVersions("10.0.0", "9.9.9") <= 0 || compareVersions("8.0.6", "8.0.6") != 0 {
		t.Error("7.0.2 < 7.0.15, 9.9.9 < 10.0.0")
	}
}
