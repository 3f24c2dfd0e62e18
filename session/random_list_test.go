package session_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ringmaster/pool"
	"ringmaster/shard"
)

// lists has the list of servers of the random test change.
type lists struct {
	w     *world
	rnd   *rand.Rand
	count int
	// owners are all that a tag has had.
	owners map[string]map[string]bool
	order
}

func newLists(w *world, rnd *rand.Rand) *lists {
	l := &lists{w: w, rnd: rnd, owners: map[string]map[string]bool{}, order: newOrder()}
	l.note()
	return l
}

// note takes notice of where the keys are.
func (l *lists) note() {
	for _, tag := range nodeNames {
		name := l.w.env.Map.Server(l.w.env.Map.Lookup([]byte("{" + tag + "}"))).Name
		if l.owners[tag] == nil {
			l.owners[tag] = map[string]bool{}
		}
		l.owners[tag][name] = true
	}
}

// act changes the list.
func (l *lists) act() {
	l.count++
	names := slices.Clone(nodeNames)
	l.rnd.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	l.w.list(names[:1+l.rnd.IntN(len(names))]...)
	l.note()
}

// serves notes that a command runs.
func (l *lists) serves(s *serverEnd, args []string) {
	keys := keysOf(args)
	for _, k := range keys {
		if !l.owners[k[1:2]][s.conn.Server().Name] {
			l.w.tb.Fatalf("%s is asked %.200q, whose keys it never had", connName(s.conn), args)
		}
	}
	switch args[0] {
	case "WATCH", "EXISTS":
	case "EXEC":
		for _, cmd := range s.multi {
			l.runs(cmd[0], keysOf(cmd))
		}
	default:
		if s.multi == nil {
			l.runs(args[0], keys)
		}
	}
}

// TestListsChangeUnnoticed lets a list of servers change all the time under clients that otherwise have no trouble: no command fails, is
// overtaken, or runs where its keys never were, no client is closed, and what is known of former servers does not grow.
func TestListsChangeUnnoticed(t *testing.T) {
	seeds := worlds(60, 6)
	changes, right := 0, 0
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 2))
			s := defaults()
			s.byHand, s.fencesByHand, s.known.ListChanges = true, true, true
			s.upstream.ProveMulti = seed%2 == 0
			s.upstream.Connections = 1 + rnd.IntN(2)
			s.upstream.DialTimeout, s.upstream.Timeout = time.Minute, time.Hour
			s.loop.MaxOwn = 1000
			s.session.QueryBufferLimit = 64 << 20
			s.session.MaxInFlight = []int{1, 4, 1000}[rnd.IntN(3)]
			s.servers = nodeNames[:1+rnd.IntN(3)]
			s.known.Sharded = true
			c := &chaos{world: newWorld(t, s), rnd: rnd}
			c.placid = true
			pool.Seed(c.pool.Loop, seed)
			c.lists = newLists(c.world, rnd)
			for range 8 {
				c.enter()
			}
			for range 1500 {
				c.act()
				c.settle()
				c.look()
				if t.Failed() {
					t.FailNow()
				}
			}
			c.calm()
			if c.errors > 0 {
				t.Errorf("%d errors", c.errors)
			}
			changes, right = changes+c.lists.count, right+c.right
			c.end()
			if n := c.env.Map.Len(); n > shard.MaxNumbers {
				t.Errorf("%d numbers", n)
			}
		})
	}
	if !t.Failed() && (changes < 10*int(seeds) || right < 100*int(seeds)) {
		t.Errorf("%d changes and %d right replies are too few", changes, right)
	}
}
