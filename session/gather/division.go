package gather

import (
	"slices"

	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/shard"
)

// division groups the keys of one command by server. A loop has one for all commands, which use it in turn. A command with very many keys
// has its own.
type division struct {
	order   []int32 // the group of each key
	groups  []group
	groupAt []int32 // by bucket: the number of its group from 1; 0: no group yet
	build   []byte  // for each group a command with its keys; connections copy it
}

// group is the keys of one bucket. A bucket is a server, or a hash slot in front of a cluster, whose nodes refuse commands with keys of
// several hash slots.
type group struct {
	server, bucket int32
	keys           int32
	// Where its command is in division.build. First end is the length of the keys. Then it is where the next key is written.
	start, end int
}

// commandOf returns the command with the group's keys. Valid until the division is used again.
func (d *division) commandOf(g *group) []byte { return d.build[g.start:g.end] }

// buckets is how many groups there can be.
func buckets(e *session.Env) int {
	if e.Map.Slotted() {
		return shard.Slots
	}
	return e.Map.Len()
}

// clear forgets the keys and groups of the last command.
func (d *division) clear() { d.order, d.groups = d.order[:0], d.groups[:0] }

// assign finds the group of each key among the words from up to to.
func (d *division) assign(env *session.Env, req *parser.Request, words, from, to int) {
	slotted := env.Map.Slotted()
	for i := from; i < to; i += words {
		var server, bucket int
		if slotted {
			slot := shard.Slot(req.Args[i])
			server, bucket = env.Map.SlotServer(slot), int(slot)
		} else {
			server = env.Map.Lookup(req.Args[i])
			bucket = server
		}
		n := d.groupAt[bucket]
		if n == 0 {
			d.groups = append(d.groups, group{server: int32(server), bucket: int32(bucket)})
			n = int32(len(d.groups))
			d.groupAt[bucket] = n
		}
		g := &d.groups[n-1]
		g.keys++
		g.end += len(req.Bulks(i, i+words))
		d.order = append(d.order, n-1)
	}
}

// clearGroupAt makes groupAt fit for the next command, at the cost of its groups.
func (d *division) clearGroupAt() {
	for i := range d.groups {
		d.groupAt[d.groups[i].bucket] = 0
	}
}

// beginCommands writes the beginning of each group's command into build and makes room there for its keys. writeKeys writes the keys.
func (d *division) beginCommands(req *parser.Request, words int) {
	b, name := d.build[:0], req.Args[0]
	b = slices.Grow(b, len(req.Raw)+len(d.groups)*(len(name)+maxHead))
	for i := range d.groups {
		g := &d.groups[i]
		keys := g.end
		g.start = len(b)
		b = parser.AppendArray(b, 1+int(g.keys)*words)
		b = parser.AppendBulk(b, name)
		g.end = len(b)
		b = b[:len(b)+keys]
	}
	d.build = b
}

// maxHead is the most that a command has before its keys besides its name, bytes.
const maxHead = 64

// writeKeys writes the keys from up to to into the commands of their groups.
func (d *division) writeKeys(req *parser.Request, words, from, to int) {
	for i := from; i < to; i++ {
		at := &d.groups[d.order[i]]
		at.end += copy(d.build[at.end:], req.Bulks(1+i*words, 1+(i+1)*words))
	}
}
