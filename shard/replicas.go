package shard

import (
	"fmt"
	"slices"
)

// ReadPolicy says which servers of a shard answer commands that only read.
type ReadPolicy uint8

// The policies, the default first.
const (
	// ReadPrimary: the primary, always.
	ReadPrimary ReadPolicy = iota
	// ReadPreferPrimary: the primary, and replicas while it is down.
	ReadPreferPrimary
	// ReadReplica: replicas, never the primary.
	ReadReplica
	// ReadPreferReplica: replicas, and the primary if no replica can be read from.
	ReadPreferReplica
	// ReadAny: the primary and replicas alike.
	ReadAny
	// ReadNearest: the primary and replicas alike, those of the proxy's own zone first.
	ReadNearest
)

var policyNames = []string{"primary", "prefer-primary", "replica", "prefer-replica", "any", "nearest"}

// String returns the policy's name as in the settings.
func (p ReadPolicy) String() string { return name(int(p), policyNames) }

// ReadPolicies returns the names that [ParseReadPolicy] knows, the default first.
func ReadPolicies() []string { return slices.Clone(policyNames) }

// ParseReadPolicy returns the policy called s.
func ParseReadPolicy(s string) (ReadPolicy, error) {
	i, err := position("read policy", s, policyNames)
	return ReadPolicy(i), err
}

// Replicas returns the numbers of the replicas of server i, which hold the same keys and are not among Shards(). The
// list must not be changed. Any goroutine.
func (m *Map) Replicas(i int) []int {
	if i >= len(m.replicas) {
		return nil
	}
	return m.replicas[i]
}

// Attach gives m the replicas of groups, which are m's servers by number. Replicas are numbered after m's servers and
// keep their numbers from call to call, if m always has the same number of servers. A list that changes needs
// [Numbers.Fixed]. An address that is already in m is left out, and so are groups without a server in m. Numbers that
// attach are not used for Map of groups without names. The error says that there are too many.
func (n *Numbers) Attach(m *Map, groups []Group) (*Map, error) {
	wanted := map[string]bool{}
	known := map[string]bool{}
	for _, s := range m.servers {
		known[s.Addr] = true
	}
	for _, g := range groups {
		for _, s := range g.Replicas {
			wanted[s.Addr] = !known[s.Addr]
		}
	}
	delete(wanted, "")
	at, err := n.keep(wanted)
	if err != nil {
		return nil, err
	}
	out := *m
	behind := len(m.servers)
	out.replicas = make([][]int, behind)
	for i, g := range groups[:min(len(groups), behind)] {
		for _, s := range g.Replicas {
			if wanted[s.Addr] {
				out.replicas[i] = append(out.replicas[i], behind+n.number(s, at))
				wanted[s.Addr] = false // if two primaries claim it, the first gets it
			}
		}
	}
	out.servers = slices.Concat(m.servers, n.servers)
	return &out, nil
}

// keep frees the numbers of servers that are no longer wanted, and returns those of the others by address.
func (n *Numbers) keep(wanted map[string]bool) (at map[string]int, err error) {
	count := 0
	for _, is := range wanted {
		if is {
			count++
		}
	}
	if count > MaxNodes {
		return nil, fmt.Errorf("shard: %d servers: at most %d are possible", count, MaxNodes)
	}
	at = map[string]int{}
	for i, s := range n.servers {
		switch {
		case s.Addr == "":
		case wanted[s.Addr]:
			at[s.Addr] = i
		default:
			n.servers[i] = Server{}
			n.freed = append(n.freed, i)
			n.forsake(i)
		}
	}
	return at, nil
}

// number returns the number of s, a new one unless at has it.
func (n *Numbers) number(s Server, at map[string]int) int {
	i, known := at[s.Addr]
	if !known {
		i = n.take(s)
		at[s.Addr] = i
	}
	return i
}
