package facade

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/texts"
	"ringmaster/shard"
)

// node is one proxy, as a node of the cluster that clients see.
type node struct {
	addr, host  string
	port        int
	first, last int // its slots
	self        bool
}

// Handlers are the handlers of CLUSTER's subcommands that a cluster-aware client may send to any node, by
// command.Spec.ID.
var Handlers = map[uint16]session.Handler{
	command.IDClusterSlots:               clusterSlots,
	command.IDClusterShards:              clusterShards,
	command.IDClusterNodes:               clusterNodes,
	command.IDClusterInfo:                clusterInfo,
	command.IDClusterMyid:                clusterMyID,
	command.IDClusterMyshardid:           clusterMyID,
	command.IDClusterKeyslot:             clusterKeySlot,
	command.IDClusterCountkeysinslot:     clusterKeysInSlot,
	command.IDClusterGetkeysinslot:       clusterKeysInSlot,
	command.IDClusterReplicas:            clusterReplicas,
	command.IDClusterSlaves:              clusterReplicas,
	command.IDClusterLinks:               answerNone,
	command.IDClusterCountFailureReports: clusterFailures,
}

// nodes returns the proxies as the client sees them, in the order of their slots.
func nodes(s *session.Session) []node {
	addrs := s.Door.Config.Cluster.Announce
	if len(addrs) == 0 {
		_, local := s.Socket.Addr()
		addrs = []string{local}
	}
	self := addrs[0]
	// Every proxy must find the same order, whatever its own place in the list is.
	addrs = slices.Sorted(slices.Values(addrs))
	nodes := make([]node, len(addrs))
	for i, addr := range addrs {
		host, port := splitAddr(addr)
		nodes[i] = node{
			addr: addr, host: host, port: port, self: addr == self,
			first: i * shard.Slots / len(addrs), last: (i+1)*shard.Slots/len(addrs) - 1,
		}
	}
	return nodes
}

// id returns the node's name: 40 hex digits, the same from every proxy and after a restart.
func (n *node) id() string {
	sum := sha1.Sum([]byte("ringmaster " + n.addr))
	return hex.EncodeToString(sum[:])
}

// splitAddr splits HOST:PORT. Another form, such as the path of a unix socket, gives "" and 0.
func splitAddr(addr string) (host string, port int) {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 {
		return "", 0
	}
	port, err := strconv.Atoi(addr[i+1:])
	if err != nil {
		return "", 0
	}
	return strings.Trim(addr[:i], "[]"), port
}

// ip returns the host if it is an IP address, otherwise "".
func (n *node) ip() string {
	if _, err := netip.ParseAddr(n.host); err == nil {
		return n.host
	}
	return ""
}

// hostname returns the host if it is not an IP address, otherwise "".
func (n *node) hostname() string {
	if n.ip() == "" {
		return n.host
	}
	return ""
}

// busPort returns the port of the cluster bus. No proxy has one, but clients expect a number.
func (n *node) busPort() int {
	if n.port > 0 && n.port+10000 <= math.MaxUint16 {
		return n.port + 10000
	}
	return 0
}

func clusterSlots(s *session.Session, _ *command.Spec, _ *parser.Request) {
	nodes := nodes(s)
	b := parser.AppendArray(s.Door.Scratch[:0], len(nodes))
	for i := range nodes {
		n := &nodes[i]
		b = parser.AppendArray(b, 3)
		b = parser.AppendInt(b, int64(n.first))
		b = parser.AppendInt(b, int64(n.last))
		b = parser.AppendArray(b, 4)
		b = parser.AppendBulkString(b, n.host)
		b = parser.AppendInt(b, int64(n.port))
		b = parser.AppendBulkString(b, n.id())
		b = parser.AppendArray(b, 0) // metadata
	}
	answerScratch(s, b)
}

func clusterShards(s *session.Session, _ *command.Spec, _ *parser.Request) {
	nodes := nodes(s)
	b := parser.AppendArray(s.Door.Scratch[:0], len(nodes))
	for i := range nodes {
		n := &nodes[i]
		b = appendMap(s, b, 2)
		b = parser.AppendBulkString(b, "slots")
		b = parser.AppendArray(b, 2)
		b = parser.AppendInt(b, int64(n.first))
		b = parser.AppendInt(b, int64(n.last))
		b = parser.AppendBulkString(b, "nodes")
		b = parser.AppendArray(b, 1)
		fields := []string{"ip", n.ip(), "endpoint", n.host, "role", "master", "health", "online"}
		if n.hostname() != "" {
			fields = append(fields, "hostname", n.hostname())
		}
		b = appendMap(s, b, 3+len(fields)/2)
		b = parser.AppendBulkString(b, "id")
		b = parser.AppendBulkString(b, n.id())
		b = parser.AppendBulkString(b, "port")
		b = parser.AppendInt(b, int64(n.port))
		for _, f := range fields {
			b = parser.AppendBulkString(b, f)
		}
		b = parser.AppendBulkString(b, "replication-offset")
		b = parser.AppendInt(b, 0)
	}
	answerScratch(s, b)
}

// clusterNodes answers in the format of nodes.conf, one line per node.
func clusterNodes(s *session.Session, _ *command.Spec, _ *parser.Request) {
	var b strings.Builder
	for i, n := range nodes(s) {
		flags := "master"
		if n.self {
			flags = "myself,master"
		}
		fmt.Fprintf(&b, "%s %s:%d@%d", n.id(), n.ip(), n.port, n.busPort())
		if n.hostname() != "" {
			fmt.Fprintf(&b, ",%s", n.hostname())
		}
		fmt.Fprintf(&b, " %s - 0 0 %d connected %d-%d\n", flags, i+1, n.first, n.last)
	}
	answerScratch(s, parser.AppendVerbatim(s.Door.Scratch[:0], int(s.Protocol), []byte(b.String())))
}

func clusterInfo(s *session.Session, _ *command.Spec, _ *parser.Request) {
	n := max(1, len(s.Door.Config.Cluster.Announce))
	text := fmt.Sprintf("cluster_state:ok\r\ncluster_slots_assigned:%d\r\ncluster_slots_ok:%d\r\ncluster_slots_pfail:0\r\n"+
		"cluster_slots_fail:0\r\ncluster_known_nodes:%d\r\ncluster_size:%d\r\ncluster_current_epoch:%d\r\ncluster_my_epoch:%d\r\n"+
		"cluster_stats_messages_sent:0\r\ncluster_stats_messages_received:0\r\ntotal_cluster_links_buffer_limit_exceeded:0\r\n",
		shard.Slots, shard.Slots, n, n, n, n)
	answerScratch(s, parser.AppendVerbatim(s.Door.Scratch[:0], int(s.Protocol), []byte(text)))
}

func clusterMyID(s *session.Session, _ *command.Spec, _ *parser.Request) {
	nodes := nodes(s)
	i := slices.IndexFunc(nodes, func(n node) bool { return n.self })
	s.AnswerBulk([]byte(nodes[i].id()))
}

func clusterKeySlot(s *session.Session, _ *command.Spec, req *parser.Request) {
	answerScratch(s, parser.AppendInt(s.Door.Scratch[:0], int64(shard.Slot(req.Args[2]))))
}

// clusterReplicas answers that a node has no replicas, and refuses a name that is no node's.
func clusterReplicas(s *session.Session, spec *command.Spec, req *parser.Request) {
	for _, n := range nodes(s) {
		if n.id() == string(req.Args[2]) {
			answerNone(s, spec, req)
			return
		}
	}
	s.Refuse(texts.UnknownNode(req.Args[2]))
}

func answerNone(s *session.Session, _ *command.Spec, _ *parser.Request) { s.AnswerString("*0\r\n") }

func clusterFailures(s *session.Session, _ *command.Spec, _ *parser.Request) {
	s.AnswerString(":0\r\n")
}

// NodeState answers READONLY, READWRITE and ASKING. They have no effect, because no node has replicas and no slot
// moves. Without --cluster-facade they are refused, as by a Redis that is no cluster; Valkey refuses only ASKING then.
func NodeState(s *session.Session, spec *command.Spec, _ *parser.Request) {
	if s.Door.Config.Cluster.Enabled || spec.ID != command.IDAsking && s.Door.Valkey(8) {
		s.AnswerString("+OK\r\n")
		return
	}
	s.Refuse(texts.NoCluster)
}

// RedisMode returns the redis_mode of HELLO and INFO.
func RedisMode(d *session.Door) string {
	if d.Config.Cluster.Enabled {
		return "cluster"
	}
	return "standalone"
}

// appendMap begins a map of n pairs, or in RESP2 an array of 2n.
func appendMap(s *session.Session, b []byte, n int) []byte {
	if s.Protocol == 3 {
		return parser.AppendMap(b, n)
	}
	return parser.AppendArray(b, 2*n)
}

// answerScratch answers b, which was built in the loop's scratch buffer, and keeps the buffer.
func answerScratch(s *session.Session, b []byte) {
	s.Door.Scratch = b
	s.Answer(b)
}
