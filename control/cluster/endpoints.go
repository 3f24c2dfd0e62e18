package cluster

import (
	"errors"
	"net"
	"strconv"
	"strings"

	"ringmaster/internal/respclient"
)

// origin ranks the sources of an address. A higher one wins, whatever the number of views.
type origin uint8

const (
	// ipOnly is the IP that the nodes know of each other, for a node that SHARDS and SLOTS lack.
	ipOnly origin = iota
	// sameHost is the host at which the view was asked, because the node does not know its own address, or is
	// configured to give none (cluster-preferred-endpoint-type unknown-endpoint).
	sameHost
	// announced is the endpoint that the cluster prefers.
	announced
)

// endpoint is where a node can be reached according to CLUSTER SHARDS or CLUSTER SLOTS.
type endpoint struct {
	host string // "" or null: the host that was asked; "?": a hostname is required, but not set
	ip   string
	port int // 0: there is only a port for TLS
	tls  int
}

// address makes HOST:PORT, with the port for TLS if there is no other.
func (e endpoint) address(asked string) (string, origin) {
	host, from := e.host, announced
	if host == "?" {
		host = e.ip
	}
	if host == "" || host == "?" {
		host, from = hostOf(asked), sameHost
	}
	port := e.port
	if port == 0 {
		port = e.tls
	}
	return respclient.Address(host, port), from
}

// hostOf returns the host of HOST:PORT, or "".
func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	return host
}

// gossiped reads ip:port@cport[,hostname...] of CLUSTER NODES. The IP is empty for a node that does not know its own
// IP.
func gossiped(field, asked string) (string, origin) {
	field, _, _ = strings.Cut(field, ",")
	field, _, _ = strings.Cut(field, "@")
	colon := strings.LastIndexByte(field, ':')
	if colon < 0 {
		return "", ipOnly
	}
	port, err := strconv.Atoi(field[colon+1:])
	if err != nil {
		return "", ipOnly
	}
	host := strings.Trim(field[:colon], "[]")
	if host == "" {
		return respclient.Address(hostOf(asked), port), sameHost
	}
	return respclient.Address(host, port), ipOnly
}

// locate puts the endpoint into the view. It ignores a node that CLUSTER NODES lacks, because that came up in
// between, and the next refresh has it.
func (v *view) locate(id string, e endpoint) *node {
	n := v.nodes[id]
	if n == nil {
		return nil
	}
	if addr, from := e.address(v.asked); addr != "" {
		n.addr, n.origin = addr, from
	}
	return n
}

// locateByShards reads the reply to CLUSTER SHARDS (Redis 7.0).
func (v *view) locateByShards(reply respclient.Value) error {
	if reply.Kind != '*' || reply.Null {
		return errors.New("CLUSTER SHARDS is not an array")
	}
	for _, s := range reply.Elems {
		s.Pairs(func(key string, value respclient.Value) bool {
			if key == "nodes" {
				for _, n := range value.Elems {
					v.locateByShard(n)
				}
			}
			return true
		})
	}
	return nil
}

func (v *view) locateByShard(reply respclient.Value) {
	var e endpoint
	var id, health string
	reply.Pairs(func(key string, value respclient.Value) bool {
		switch key {
		case "id":
			id = value.Text
		case "endpoint":
			e.host = value.Text // "" for null
		case "ip":
			e.ip = value.Text
		case "port":
			e.port = portIn(value)
		case "tls-port":
			e.tls = portIn(value)
		case "health":
			health = value.Text
		}
		return true
	})
	if n := v.locate(id, e); n != nil {
		n.loading = health == "loading"
	}
}

// locateBySlots reads the reply to CLUSTER SLOTS: [first, last, [endpoint, port, id, metadata], replicas...]. Before
// Redis 4.0 it has no IDs; then the addresses of CLUSTER NODES stay.
func (v *view) locateBySlots(reply respclient.Value) error {
	if reply.Kind != '*' || reply.Null {
		return errors.New("CLUSTER SLOTS is not an array")
	}
	for _, entry := range reply.Elems {
		for _, n := range entry.Elems[min(2, len(entry.Elems)):] {
			if len(n.Elems) < 3 {
				continue
			}
			e := endpoint{host: n.Elems[0].Text, port: portIn(n.Elems[1])}
			if len(n.Elems) > 3 {
				n.Elems[3].Pairs(func(key string, value respclient.Value) bool {
					if key == "ip" {
						e.ip = value.Text
					}
					return true
				})
			}
			v.locate(n.Elems[2].Text, e)
		}
	}
	return nil
}

func portIn(v respclient.Value) int {
	n, ok := v.Int()
	if !ok || n < 1 || n > 65535 {
		return 0
	}
	return int(n)
}
