package shard

import (
	"cmp"
	"crypto/md5"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// A server of average weight has pointsPerServer points on the hash ring, pointsPerDigest
// of them from each md5 digest.
const (
	pointsPerServer = 160
	pointsPerDigest = 4
)

// ketama is a hash ring: a hash belongs to the owner of the first point at or after it,
// the last stretch to the first point's.
//
// Invariant: points is sorted, len(owners) == len(points), and for every hash h the first
// point at or after h is not before start[h>>shift].
type ketama struct {
	points []uint32
	owners []uint16
	start  []uint32
	shift  uint
}

func newKetama(servers []Server) *ketama {
	type point struct {
		value uint32
		owner uint16
	}
	total := 0
	for _, s := range servers {
		total += s.Weight
	}
	ring := make([]point, 0, len(servers)*pointsPerServer)
	// If two points are equal, the first one wins, hence the order and the stable sort.
	for _, i := range nameOrder(servers) {
		s := servers[i]
		for n := range digests(s.Weight, total, len(servers)) {
			digest := md5.Sum([]byte(s.Name + "-" + strconv.Itoa(n)))
			for at := 0; at < len(digest); at += 4 {
				ring = append(ring, point{binary.LittleEndian.Uint32(digest[at:]), uint16(i)})
			}
		}
	}
	slices.SortStableFunc(ring, func(a, b point) int { return cmp.Compare(a.value, b.value) })

	k := &ketama{points: make([]uint32, len(ring)), owners: make([]uint16, len(ring))}
	for i, p := range ring {
		k.points[i], k.owners[i] = p.value, p.owner
	}
	k.index()
	return k
}

// digests returns how many digests a server's weight is worth. The order and the width of
// each step decide where it is rounded down, so they are twemproxy's: C's float
// throughout, but for one addition in double. The conversions keep the compiler from
// fusing steps.
func digests(weight, total, servers int) int {
	share := float32(weight) / float32(total)
	n := float32(share * pointsPerServer)
	n = float32(n / pointsPerDigest)
	n = float32(n * float32(servers))
	n = float32(float64(n) + 0.0000000001)
	return int(math.Floor(float64(n)))
}

// index cuts the range of hashes into one to two pieces per point, and remembers where each piece starts among the
// points. A lookup then compares about one point instead of log2(n).
func (k *ketama) index() {
	width := bits.Len(uint(len(k.points)))
	k.shift = uint(32 - width)
	k.start = make([]uint32, 1<<width)
	at := 0
	for piece := range k.start {
		for at < len(k.points) && k.points[at] < uint32(piece)<<k.shift {
			at++
		}
		k.start[piece] = uint32(at)
	}
}

func (k *ketama) renumbered(to []int) placement {
	out := *k
	out.owners = renumbered(k.owners, to)
	return &out
}

func (k *ketama) equal(o placement) bool {
	other, is := o.(*ketama)
	return is && slices.Equal(k.points, other.points) && slices.Equal(k.owners, other.owners)
}

func (k *ketama) owner(hash uint32) int {
	i := int(k.start[hash>>k.shift])
	for i < len(k.points) && k.points[i] < hash {
		i++
	}
	if i == len(k.points) {
		i = 0
	}
	return int(k.owners[i])
}
