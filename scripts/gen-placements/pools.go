package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// pool is one setting of nutcracker.
type pool struct {
	distribution, hash, tag string
	servers                 []server
}

// server is one line of a pool. host is an address, or the path of a Unix socket.
type server struct {
	host   string
	port   int
	weight int
	name   string
}

var (
	distributions = []string{"ketama", "modula"}
	hashes        = []string{
		"one_at_a_time", "md5", "crc16", "crc32", "crc32a", "fnv1_64", "fnv1a_64",
		"fnv1_32", "fnv1a_32", "hsieh", "murmur", "jenkins",
	}
	tags = []string{"", "{}", "$$"}
)

const lo = "127.0.0.1"

// Every hash and distribution is asked with these servers. Neither list is in the order
// that nutcracker sorts it into.
var (
	plain = []server{{lo, 27103, 1, ""}, {lo, 27101, 1, ""}, {lo, 27102, 1, ""}}
	named = []server{{lo, 27101, 3, "delta"}, {lo, 27102, 1, "b"}, {lo, 27103, 5, "alpha"}, {lo, 27104, 2, "charlie"}}
)

// special has one trait of how servers are named or weighed in each list.
var special = [][]server{
	{{lo, 27101, 7, "only"}},
	{{lo, 27101, 1, ""}, {lo, 27102, 1, "27101"}, {"localhost", 27103, 1, ""}},
	{{lo, 11211, 1, ""}, {lo, 27101, 2, ""}, {lo, 27102, 1, "x:11211"}}, // memcached's port is not in the name
	{{"::1", 27101, 1, ""}, {lo, 27103, 1, ""}, {"::1", 27102, 2, "v6"}},
	{{socketOf(27101), 0, 1, ""}, {socketOf(27102), 0, 2, ""}, {socketOf(27103), 0, 1, "sock"}},
	{{lo, 27101, 29, "a"}, {lo, 27102, 30, "b"}, {lo, 27103, 1, "c"}},         // 29/60 of 120 digests is 57 in C's float, 58 by sums
	{{lo, 27101, 1, "tiny"}, {lo, 27102, 100000, "vast"}, {lo, 27103, 1, ""}}, // the light ones have no point at all
	{{lo, 27101, 1, "s705"}, {lo, 27102, 1, "s272"}, {lo, 27103, 1, "s1"}},    // s272 and s705 share the point 4287979131
	{{lo, 27101, 1, strings.Repeat("n", 255)}, {lo, 27102, 1, strings.Repeat("m", 254)}},
	{
		{lo, 27101, 13, "s6"}, {lo, 27102, 1, "s0"}, {lo, 27103, 5, "s3"}, {lo, 27104, 11, "s5"},
		{lo, 27105, 2, "s01"}, {lo, 27106, 7, "s4"}, {lo, 27107, 3, "s02"},
	},
}

func pools() []pool {
	var all []pool
	for _, d := range distributions {
		for _, h := range hashes {
			for _, t := range tags {
				all = append(all, pool{d, h, t, plain}, pool{d, h, t, named})
			}
		}
		for _, servers := range special {
			all = append(all, pool{d, "md5", "", servers})
		}
	}
	return all
}

// String is the pool's heading in the golden file.
func (p pool) String() string {
	var list []string
	for _, s := range p.servers {
		list = append(list, s.ours())
	}
	tag := p.tag
	if tag == "" {
		tag = "-"
	}
	return fmt.Sprintf("%s %s %s %s", p.distribution, p.hash, tag, strings.Join(list, ","))
}

// yaml is the pool in nutcracker's configuration.
func (p pool) yaml(name, listen string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:\n  listen: %s\n  redis: true\n  distribution: %s\n  hash: %s\n", name, listen, p.distribution, p.hash)
	if p.tag != "" {
		fmt.Fprintf(&b, "  hash_tag: %q\n", p.tag)
	}
	b.WriteString("  servers:\n")
	for _, s := range p.servers {
		fmt.Fprintf(&b, "   - %q\n", s.theirs())
	}
	return b.String()
}

func (s server) ours() string {
	text := "unix://" + s.host
	if s.port != 0 {
		text = net.JoinHostPort(s.host, strconv.Itoa(s.port))
	}
	if s.weight != 1 {
		text += fmt.Sprintf(":%d", s.weight)
	}
	if s.name != "" {
		text += "@" + s.name
	}
	return text
}

func (s server) theirs() string {
	text := s.host
	if s.port != 0 {
		text += fmt.Sprintf(":%d", s.port)
	}
	text += fmt.Sprintf(":%d", s.weight)
	if s.name != "" {
		text += " " + s.name
	}
	return text
}
