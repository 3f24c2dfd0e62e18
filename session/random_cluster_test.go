package session_test

import (
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ringmaster/shard"
)

// fakeCluster is what the nodes of the random test's cluster know. The keys of a tag are in two halves: of a slot that is being
// moved the second one has moved already.
type fakeCluster struct {
	w      *world
	rnd    *rand.Rand
	owner  map[string]string // by tag
	moving map[string]string // by tag: the node it is being moved to
	down   bool              // no node takes keys
	loads  map[string]bool   // by node
	// primary is who has the keys of each of nodeNames: itself, or a replica that has changed roles with it.
	primary map[string]string
	// former is where a slot was that has moved a moment ago and may come back, by tag.
	former map[string]string
	order
}

// order is in which order commands ran.
type order struct {
	// By client, tag and half: the number of the latest command that ran, and of the latest that wrote; and by key those that ran
	// after a later one, of which one wrote.
	ran, wrote map[string]int
	late       map[string]bool
}

func newOrder() order { return order{map[string]int{}, map[string]int{}, map[string]bool{}} }

func newFakeCluster(w *world, rnd *rand.Rand) *fakeCluster {
	primary := map[string]string{}
	for _, name := range nodeNames {
		primary[name] = name
	}
	return &fakeCluster{
		w: w, rnd: rnd, primary: primary, owner: maps.Clone(w.slots), moving: map[string]string{}, loads: map[string]bool{}, former: map[string]string{}, order: newOrder(),
	}
}

var nodeNames = []string{"A", "B", "C", "D", "E"}

// act lets one thing happen to the cluster.
func (f *fakeCluster) act() {
	for _, tag := range slices.Sorted(maps.Keys(f.former)) {
		if f.rnd.IntN(2) == 0 {
			f.owner[tag] = f.former[tag]
		}
		delete(f.former, tag)
	}
	tags := slices.Sorted(maps.Keys(f.owner))
	tag, name := tags[f.rnd.IntN(len(tags))], nodeNames[f.rnd.IntN(len(nodeNames))]
	node := f.primary[name]
	switch f.rnd.IntN(13) {
	case 0, 1:
		f.former[tag] = f.owner[tag]
		f.owner[tag] = node
		delete(f.moving, tag)
	case 2, 3:
		if node != f.owner[tag] {
			f.moving[tag] = node
		}
	case 4, 5:
		f.finish(tag)
	case 6:
		delete(f.moving, tag)
	case 7:
		f.down = !f.down && f.rnd.IntN(3) == 0
	case 8:
		f.loads[node] = f.rnd.IntN(3) == 0
	case 9:
		f.changeRoles(name)
	default:
		f.publish()
	}
}

// changeRoles has a replica take over from its primary, which becomes one.
func (f *fakeCluster) changeRoles(name string) {
	old := f.primary[name]
	list := f.w.replicas[old]
	if len(list) == 0 {
		return
	}
	i := f.rnd.IntN(len(list))
	now := list[i]
	list[i] = old
	delete(f.w.replicas, old)
	f.w.replicas[now], f.primary[name] = list, now
	for _, nodes := range []map[string]string{f.owner, f.moving, f.former} {
		for tag, node := range nodes {
			if node == old {
				nodes[tag] = now
			}
		}
	}
}

func (f *fakeCluster) finish(tag string) {
	if to := f.moving[tag]; to != "" {
		f.owner[tag] = to
		delete(f.moving, tag)
	}
}

// publish tells the loop where the slots are.
func (f *fakeCluster) publish() {
	maps.Copy(f.w.slots, f.owner)
	f.w.follow(f.w.slotMap())
}

// calm ends all trouble.
func (f *fakeCluster) calm() {
	for tag := range f.owner {
		f.finish(tag)
	}
	f.down = false
	clear(f.loads)
	f.publish()
}

// keysOf are the keys of a command of the random test.
func keysOf(args []string) (keys []string) {
	switch args[0] {
	case "GET", "SET", "BLPOP":
		return args[1:2]
	case "EVAL":
		return args[3:]
	case "MGET", "DEL", "WATCH", "EXISTS":
		return args[1:]
	case "MSET":
		for i := 1; i < len(args); i += 2 {
			keys = append(keys, args[i])
		}
	}
	return keys
}

// half is in which half of its tag a key is.
func half(key string) int { return int(crc32.ChecksumIEEE([]byte(key)) & 1) }

// refuses is the error with which a node refuses commands with these keys; "": it takes them.
func (f *fakeCluster) refuses(node string, keys []string, asking bool) string {
	if len(keys) == 0 {
		return ""
	}
	tag, moved := keys[0][1:2], 0
	for _, k := range keys {
		if k[1:2] != tag {
			f.w.tb.Fatalf("keys of two slots: %v", keys)
		}
		moved += half(k)
	}
	slot, owner, to := shard.Slot([]byte(tag)), f.owner[tag], f.moving[tag]
	switch {
	case f.loads[node]:
		return "-LOADING Redis is loading the dataset in memory\r\n"
	case f.down:
		return "-CLUSTERDOWN The cluster is down\r\n"
	case owner != node && !(to == node && asking):
		return fmt.Sprintf("-MOVED %d %s:6379\r\n", slot, owner)
	case to == "" || to == node && moved == len(keys) || to != node && moved == 0:
		return ""
	case to != node && moved == len(keys):
		return fmt.Sprintf("-ASK %d %s:6379\r\n", slot, to)
	}
	return "-TRYAGAIN Multiple keys request during rehashing of slot\r\n"
}

// runs notes that a command with these keys runs.
func (f order) runs(name string, keys []string) {
	reads := name == "GET" || name == "MGET"
	for _, k := range keys {
		client, number, _ := strings.Cut(k[3:], "-")
		number, _, _ = strings.Cut(number, "#")
		n, _ := strconv.Atoi(number)
		at := fmt.Sprint(client, k[1:2], half(k))
		if n < f.wrote[at] || n < f.ran[at] && !reads {
			f.late[k] = true
		}
		f.ran[at] = max(f.ran[at], n)
		if !reads {
			f.wrote[at] = max(f.wrote[at], n)
		}
	}
}

// cluster is what a node says to a request before it looks at what it is; "": nothing.
func (s *serverEnd) cluster(args []string) string {
	f := s.w.fake
	asking := s.asking
	s.asking = args[0] == "ASKING" || asking && (args[0] == "MULTI" || s.multi != nil)
	node, keys := s.conn.Server().Name, keysOf(args)
	if args[0] == "READONLY" || args[0] == "READWRITE" {
		s.readOnly = args[0] == "READONLY"
	}
	reads := args[0] == "GET" || args[0] == "MGET"
	if reads && s.readOnly && s.multi == nil && !f.loads[node] {
		node = s.primary()
	}
	if args[0] == "EXEC" {
		for _, cmd := range s.multi {
			keys = append(keys, keysOf(cmd)...)
		}
	}
	if refusal := f.refuses(node, keys, asking); refusal != "" {
		s.refused = s.multi != nil
		if args[0] == "EXEC" {
			s.multi, s.refused, s.watcher = nil, false, ""
		}
		return refusal
	}
	switch {
	case args[0] == "EXEC" && s.refused:
		s.multi, s.refused, s.watcher = nil, false, ""
		return "-EXECABORT Transaction discarded because of previous errors.\r\n"
	case args[0] == "EXEC":
		for _, cmd := range s.multi {
			f.runs(cmd[0], keysOf(cmd))
		}
	case s.multi == nil && args[0] != "WATCH" && args[0] != "EXISTS" && !(reads && s.w.replicas != nil): // reads that are sent again may run late
		f.runs(args[0], keys)
	}
	return ""
}

// passingError is what servers may say when they could not answer within the timeout.
var passingError = regexp.MustCompile(`^-(CLUSTERDOWN|LOADING|TRYAGAIN|READONLY) .*\r\n$`)
