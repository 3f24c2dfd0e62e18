package order

import "testing"

// book is a Book of clients and connections that have names.
type book = Book[string, string]

// counts fails the test unless so many requests of client c wait and are on their way again.
func counts(t *testing.T, b *book, waiting, resent int) {
	t.Helper()
	found := false
	b.Each(func(c string, w, r int) {
		if found = true; c != "c" || w != waiting || r != resent {
			t.Errorf("client %s: %d wait and %d were sent again, want %d and %d", c, w, r, waiting, resent)
		}
	})
	if found != (waiting+resent > 0) || b.Empty() == found {
		t.Errorf("the client is in the book: %t", found)
	}
}

func TestAClientIsInTheBookAsLongAsSomethingIsSentAgain(t *testing.T) {
	b := &book{}
	counts(t, b, 0, 0)
	for range 3 { // orders are used again
		if b.Waits("c", 7) {
			t.Error("nothing waits that was sent after the first")
		}
		if !b.Waits("c", 5) || b.Waits("c", 9) {
			t.Error("5 comes before 7, 9 does not")
		}
		counts(t, b, 3, 0)
		b.SentOn("c", "a", 1, false)
		b.Taken("c")
		counts(t, b, 2, 1)
		b.Taken("c")
		b.Taken("c")
		counts(t, b, 0, 1)
		b.SentOn("c", "a", 1, true)
		b.Arrived("c", "a")
		counts(t, b, 0, 1)
		b.Arrived("c", "a")
		counts(t, b, 0, 0)
	}
}

func TestNothingIsSentWhereItCouldOvertake(t *testing.T) {
	b := &book{}
	if b.CouldOvertake("c", "a", "") {
		t.Error("nothing is on its way")
	}
	b.SentOn("c", "a", 1, true)
	for _, c := range []struct {
		to, from string
		could    bool
	}{{"a", "", false}, {"b", "", true}, {"b", "a", false}, {"b", "d", true}} {
		if got := b.CouldOvertake("c", c.to, c.from); got != c.could {
			t.Errorf("to %s from %q: %t", c.to, c.from, got)
		}
	}
	if b.CouldOvertake("other", "b", "") {
		t.Error("clients have nothing to do with each other")
	}
}

func TestNothingRunsAfterALaterOneHasRunUnlessBothOnlyRead(t *testing.T) {
	for _, c := range []struct {
		name                string
		slot                int
		laterReads, itReads bool
		must                bool
	}{
		{"two writes", 1, false, false, true},
		{"a write after a read", 1, false, true, true},
		{"a read after a write", 1, true, false, true},
		{"two reads", 1, true, true, false},
		{"another slot", 2, false, false, false},
		{"no slot", -1, false, false, false},
	} {
		b := &book{}
		b.SentOn("c", "a", 1, false)
		if !b.Listens("c") || b.Listens("other") {
			t.Errorf("%s: who listens", c.name)
		}
		b.Ran("c", 8, c.slot, c.laterReads)
		if got := b.MustNotRunAgain("c", 5, 1, c.itReads); got != c.must {
			t.Errorf("%s: %t", c.name, got)
		}
		if b.MustNotRunAgain("c", 9, 1, c.itReads) {
			t.Errorf("%s: what came after it may run", c.name)
		}
	}
}

// Of what is its client's latest request nothing can be overtaken.
func TestTheLatestNeedsNoProgress(t *testing.T) {
	b := &book{}
	b.SentOn("c", "a", 1, true)
	b.Ran("c", 8, 1, false)
	if b.Listens("c") || b.MustNotRunAgain("c", 5, 1, false) {
		t.Error("it is noted how far later ones run")
	}
}

func TestOneThatWaitsOnBlocksThoseAfterItForAPass(t *testing.T) {
	b := &book{}
	b.Waits("c", 1)
	b.Waits("c", 2)
	b.BeginPass()
	if b.Blocked("c") {
		t.Error("blocked from the beginning")
	}
	b.Block("c")
	if !b.Blocked("c") {
		t.Error("not blocked")
	}
	b.BeginPass()
	if b.Blocked("c") {
		t.Error("blocked in the next pass")
	}
}

func TestFewFreeOrdersAreKept(t *testing.T) {
	b := &Book[int, int]{}
	for c := range 2 * maxFree {
		b.Waits(c, 1)
	}
	for c := range 2 * maxFree {
		b.Taken(c)
	}
	if !b.Empty() || len(b.freeOrders) != maxFree {
		t.Errorf("%d are kept", len(b.freeOrders))
	}
}
