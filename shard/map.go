package shard

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
)

const (
	// MaxServers bounds the servers of one map.
	MaxServers = 4096
	// MaxTotalWeight bounds the sum of the servers' weights.
	MaxTotalWeight = math.MaxInt32
	// MaxName bounds the length of a server's name, in bytes. nutcracker overruns its
	// own buffer at 273 with the point's number.
	MaxName = 255
)

// Server is one place that keys can live.
type Server struct {
	// Name is what ketama and maglev hash, and what modula sorts by. Where none is
	// given it is twemproxy's: see [ParseServers].
	Name string
	// Addr is host:port, or unix:///path.
	Addr string
	// Weight is the server's share of the keys relative to the others', from 1.
	Weight int
}

// Config says how keys are placed. Its zero Distribution and Hash are the defaults,
// ketama and fnv1a_64.
type Config struct {
	Servers      []Server
	Distribution Distribution
	Hash         Hash
	// HashTag is empty, or the byte that opens and the byte that closes the part of a
	// key that is hashed, such as "{}". The two may be the same.
	HashTag string
}

// Map places keys on servers. It is immutable: a change is a new Map.
type Map struct {
	servers  []Server // by number; without an address: the place is empty
	shards   []int    // the numbers of the servers that hold keys
	replicas [][]int  // by number: the numbers of its replicas
	random   bool
	hash     Hash
	tag      tag
	owners   placement // nil for one server, or where slots are set
	slots    *[Slots]uint16
	// channels is the server of a channel by the hash slot of its name; nil: a channel has the server of the key with
	// its name.
	channels *[Slots]uint16
}

// placement turns a key's hash into a server's position in Config.Servers.
type placement interface {
	owner(hash uint32) int
	// renumbered is a copy in which to[i] owns what i owned.
	renumbered(to []int) placement
	// equal reports whether the other gives each hash to the same owner.
	equal(other placement) bool
}

// New builds a map, or says which setting is wrong. Control plane only.
func New(c Config) (*Map, error) {
	if err := check(c.Servers); err != nil {
		return nil, err
	}
	m := &Map{
		servers: slices.Clone(c.Servers),
		shards:  make([]int, len(c.Servers)),
		random:  c.Distribution == Random,
		hash:    c.Hash,
	}
	for i := range m.shards {
		m.shards[i] = i
	}
	var err error
	if m.tag, err = newTag(c.HashTag); err != nil {
		return nil, err
	}
	if int(c.Hash) >= len(hashNames) {
		return nil, fmt.Errorf("shard: no such hash: %d", c.Hash)
	}
	if int(c.Distribution) >= len(distributionNames) {
		return nil, fmt.Errorf("shard: no such distribution: %d", c.Distribution)
	}
	if len(m.servers) > 1 {
		m.owners, err = place(c.Distribution, m.servers)
	}
	if err != nil {
		return nil, err
	}
	m.merge()
	return m, nil
}

// Lookup returns the server that holds key, one of Shards(). Any goroutine. Borrows key until return.
func (m *Map) Lookup(key []byte) int {
	if m.slots != nil {
		return int(m.slots[Slot(key)])
	}
	if m.owners == nil {
		return m.shards[0]
	}
	if m.random {
		return m.owners.owner(0)
	}
	if m.tag.set {
		key = m.tag.part(key)
	}
	return m.owners.owner(m.hash.sum(key))
}

// Shards returns the numbers of the servers that hold keys, ascending. There is at least one. The list must not be
// changed. Any goroutine.
func (m *Map) Shards() []int { return m.shards }

// Len returns a number above every server's number. Any goroutine.
func (m *Map) Len() int { return len(m.servers) }

// Server returns server i, 0 <= i < Len(). If it has no address, the place is empty. Any goroutine.
func (m *Map) Server(i int) Server { return m.servers[i] }

// ChannelServer returns the server where messages to a channel are published and subscribed to. The nodes of a Redis
// Cluster pass messages on to each other. There it is the first server of the name's hash slot, until that server is
// removed, because slots move, and messages that are published at two nodes have no order. Any goroutine. Borrows
// name until return.
func (m *Map) ChannelServer(name []byte) int {
	if m.channels != nil {
		return int(m.channels[Slot(name)])
	}
	return m.Lookup(name)
}

// Together reports whether one command may have both keys: they are on one server or, in front of a Redis Cluster, in
// one hash slot. Any goroutine. Borrows the keys until return.
func (m *Map) Together(a, b []byte) bool {
	if m.slots != nil {
		return Slot(a) == Slot(b)
	}
	return m.Lookup(a) == m.Lookup(b)
}

// TogetherWithAll reports whether Together holds for key and every key that has other text in place of pattern's
// first '*'. That is so if the pattern's hash tag ends before the '*'. Any goroutine. Borrows both until return.
func (m *Map) TogetherWithAll(key, pattern []byte) bool {
	t := m.tag
	if m.slots != nil {
		t = slotTag
	}
	star := bytes.IndexByte(pattern, '*')
	return t.set && star >= 0 && len(t.part(pattern[:star])) < star && m.Together(key, pattern)
}

// Slotted reports whether the servers are a Redis Cluster's nodes, each of which refuses commands with keys of two slots.
// Any goroutine.
func (m *Map) Slotted() bool { return m.slots != nil }

// SlotServer returns the server of a hash slot of a Slotted map. Any goroutine.
func (m *Map) SlotServer(slot uint16) int { return int(m.slots[slot]) }

func place(d Distribution, servers []Server) (placement, error) {
	switch d {
	case Ketama:
		return newKetama(servers), nil
	case Maglev:
		return newMaglev(servers)
	case Modula:
		return newModula(servers), nil
	default:
		return newRandom(servers), nil
	}
}

func check(servers []Server) error {
	if len(servers) == 0 {
		return errors.New("shard: no servers: at least one is needed")
	}
	if len(servers) > MaxServers {
		return fmt.Errorf("shard: %d servers: at most %d are possible", len(servers), MaxServers)
	}
	names := make(map[string]string, len(servers))
	total := 0
	for _, s := range servers {
		if s.Name == "" {
			return fmt.Errorf("shard: server %q has no name", s.Addr)
		}
		if len(s.Name) > MaxName {
			return fmt.Errorf("shard: server %q has a name of %d bytes: at most %d are possible", s.Addr, len(s.Name), MaxName)
		}
		if s.Weight < 1 {
			return fmt.Errorf("shard: server %q has weight %d: it must be 1 or more", s.Name, s.Weight)
		}
		if s.Weight > MaxTotalWeight-total {
			return fmt.Errorf("shard: the weights up to server %q add up to more than %d: use smaller ones", s.Name, MaxTotalWeight)
		}
		if other, used := names[s.Name]; used {
			return fmt.Errorf("shard: servers %s and %s have the same name %q: give each its own name with @NAME", other, s.Addr, s.Name)
		}
		names[s.Name] = s.Addr
		total += s.Weight
	}
	return nil
}

// tag finds the part of a key that is hashed.
type tag struct {
	set         bool
	open, close byte
}

var slotTag = tag{set: true, open: '{', close: '}'}

func newTag(s string) (tag, error) {
	if s == "" {
		return tag{}, nil
	}
	if len(s) != 2 {
		return tag{}, fmt.Errorf("shard: hash tag %q: want two bytes, the opening and the closing one, such as {}", s)
	}
	return tag{set: true, open: s[0], close: s[1]}, nil
}

// part returns what lies between the first opening byte and the first closing byte after
// it, or all of key where that is missing or empty. twemproxy 0.5 and Redis Cluster agree.
func (t tag) part(key []byte) []byte {
	from := bytes.IndexByte(key, t.open)
	if from < 0 {
		return key
	}
	from++
	if n := bytes.IndexByte(key[from:], t.close); n > 0 {
		return key[from : from+n]
	}
	return key
}

// Random reports whether keys have no fixed server, because Lookup draws one each time. Any goroutine.
func (m *Map) Random() bool { return m.random }
