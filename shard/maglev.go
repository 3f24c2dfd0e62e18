package shard

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
)

// maglevSize is the number of table entries: a prime, and the smaller of the two sizes
// in the paper.
const maglevSize = 65537

// maglev is the lookup table of section 3.4 of "Maglev: A Fast and Reliable Software
// Network Load Balancer" (NSDI 2016): each server walks the table in an order of its own
// and takes the next free entry when it is its turn.
type maglev struct {
	table [maglevSize]uint16
}

// walker is one server's permutation of the table: (offset + k*skip) mod maglevSize.
type walker struct {
	next, skip uint32
	server     uint16
	weight     uint64
	turns      uint64 // entries taken
}

// newMaglev builds the table. The paper leaves weights open; here a server has had
// floor(round*weight/heaviest) turns after each round, so that the heaviest has one in
// every round and the others have theirs spread evenly.
func newMaglev(servers []Server) (*maglev, error) {
	walkers, heaviest := newWalkers(servers)
	m := &maglev{}
	var taken [maglevSize]bool
	filled := 0
	for round := uint64(1); filled < maglevSize; round++ {
		for i := range walkers {
			w := &walkers[i]
			if round*w.weight < (w.turns+1)*heaviest || filled == maglevSize {
				continue
			}
			for taken[w.next] {
				w.step()
			}
			taken[w.next] = true
			m.table[w.next] = w.server
			w.turns++
			filled++
		}
	}
	for _, w := range walkers {
		if w.turns == 0 {
			s := servers[w.server]
			return nil, fmt.Errorf("shard: maglev: server %q of weight %d gets none of the %d table entries: raise its weight or lower the others'", s.Name, s.Weight, maglevSize)
		}
	}
	return m, nil
}

// newWalkers starts one walker per server, in the order of the names, so that the order
// in which the servers are listed moves no key.
func newWalkers(servers []Server) (walkers []walker, heaviest uint64) {
	for _, i := range nameOrder(servers) {
		digest := md5.Sum([]byte(servers[i].Name))
		weight := uint64(servers[i].Weight)
		heaviest = max(heaviest, weight)
		walkers = append(walkers, walker{
			next:   uint32(binary.LittleEndian.Uint64(digest[:8]) % maglevSize),
			skip:   uint32(binary.LittleEndian.Uint64(digest[8:])%(maglevSize-1)) + 1,
			server: uint16(i),
			weight: weight,
		})
	}
	return walkers, heaviest
}

func (w *walker) step() { w.next = (w.next + w.skip) % maglevSize }

func (m *maglev) renumbered(to []int) placement {
	out := new(maglev)
	for i, n := range m.table {
		out.table[i] = uint16(to[n])
	}
	return out
}

func (m *maglev) equal(o placement) bool {
	other, is := o.(*maglev)
	return is && m.table == other.table
}

func (m *maglev) owner(hash uint32) int { return int(m.table[hash%maglevSize]) }
