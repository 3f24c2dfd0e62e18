package shard

import (
	"net/netip"
	"path"
	"strconv"
	"strings"
)

// One server may have several names. With ketama that gives it a larger share, or keeps the keys of a removed server
// together. Commands for all servers must reach it once, and the commands that a client sends to it must keep their
// order, so it has only one number, that of its first name. The other names hold no keys and are no servers.

// merge gives servers with one address the number of the first of them.
func (m *Map) merge() {
	first := map[string]int{}
	to := make([]int, len(m.servers))
	m.shards = m.shards[:0]
	for i, s := range m.servers {
		at := sameAddr(s.Addr)
		n, known := first[at]
		if !known || s.Addr == "" {
			n = i
			first[at] = i
			m.shards = append(m.shards, i)
		} else {
			m.servers[i] = Server{}
		}
		to[i] = n
	}
	if len(m.shards) < len(m.servers) {
		m.owners = m.owners.renumbered(to)
	}
}

func renumbered(owners []uint16, to []int) []uint16 {
	out := make([]uint16, len(owners))
	for i, n := range owners {
		out[i] = uint16(to[n])
	}
	return out
}

// SameAddr reports whether two addresses are the same, apart from spelling: letters of any case, leading zeros of a
// port, localhost for 127.0.0.1. Names are not looked up. Any goroutine.
func SameAddr(a, b string) bool { return a == b || sameAddr(a) == sameAddr(b) }

// sameAddr returns the common form of all spellings of an address. Names are not looked up, except localhost.
func sameAddr(addr string) string {
	if file, ok := strings.CutPrefix(addr, "unix://"); ok {
		return "unix://" + path.Clean(file)
	}
	colon := strings.LastIndexByte(addr, ':')
	if colon < 0 {
		return addr
	}
	host, port := strings.Trim(addr[:colon], "[]"), addr[colon+1:]
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		port = strconv.FormatUint(n, 10)
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
	}
	return host + "|" + port
}
