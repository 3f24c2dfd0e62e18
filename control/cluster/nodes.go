package cluster

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"ringmaster/shard"
)

const (
	// MaxNodes bounds the nodes of a cluster that is followed.
	MaxNodes = shard.MaxServers

	maxID     = 64 // bytes; Redis's have 40
	lineOf    = 8  // fields of a line of CLUSTER NODES before the slots
	noPrimary = "-"
)

// node is what one view says about one node.
type node struct {
	id      string
	primary string // the ID of a replica's primary, "" for a primary
	epoch   uint64 // a replica's is its primary's
	failing bool   // flagged fail or fail?
	away    bool   // failing, or the asked node has no link to it
	loading bool   // a replica that has no data yet
	addr    string // HOST:PORT, or "" if unknown
	origin  origin // of addr
	slots   []shard.SlotRange

	owner *candidate // the same node in the merge
}

// view is a node's answer: the cluster as that node sees it.
type view struct {
	asked string // where it was asked, HOST:PORT
	self  *node
	ok    bool // cluster_state:ok
	nodes map[string]*node
	open  int // slots that self is migrating or importing

	owners *[shard.Slots]*node // made by ownerOf
}

// primary reports whether a primary gave the view.
func (v *view) primary() bool { return v.self.primary == "" }

// ownerOf returns the ID of the node that owns slot in this view, or "".
func (v *view) ownerOf(slot int) string {
	if v.owners == nil {
		v.owners = new([shard.Slots]*node)
		for _, n := range v.nodes {
			for _, r := range n.slots {
				for s := int(r.First); s <= int(r.Last); s++ {
					v.owners[s] = n
				}
			}
		}
	}
	if n := v.owners[slot]; n != nil {
		return n.id
	}
	return ""
}

// parseInfo reads cluster_state in the reply to CLUSTER INFO.
func parseInfo(text string) (ok bool, err error) {
	for line := range strings.Lines(text) {
		if state, found := strings.CutPrefix(line, "cluster_state:"); found {
			return strings.TrimSpace(state) == "ok", nil
		}
	}
	return false, errors.New("CLUSTER INFO has no cluster_state")
}

// parseNodes reads the reply to CLUSTER NODES, given by the node at asked (Redis documentation, "CLUSTER NODES").
// Nodes in a handshake are left out, because their IDs are made up.
func parseNodes(asked, text string) (*view, error) {
	v := &view{asked: asked, nodes: map[string]*node{}}
	taken := new([shard.Slots]bool)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if len(v.nodes) >= MaxNodes {
			return nil, fmt.Errorf("CLUSTER NODES has more than %d nodes", MaxNodes)
		}
		if err := v.line(line, taken); err != nil {
			return nil, fmt.Errorf("CLUSTER NODES: %w in the line %.200q", err, line)
		}
	}
	if v.self == nil {
		return nil, errors.New("CLUSTER NODES does not say which node was asked (myself)")
	}
	return v, nil
}

// line reads one node: id, ip:port@cport,hostname, flags, primary, ping sent, pong received, config
// epoch, link state, slots.
func (v *view) line(line string, taken *[shard.Slots]bool) error {
	fields := strings.Fields(line)
	if len(fields) < lineOf {
		return fmt.Errorf("%d fields instead of %d", len(fields), lineOf)
	}
	n := &node{id: fields[0], away: fields[7] != "connected"}
	if len(n.id) > maxID || v.nodes[n.id] != nil {
		return errors.New("an ID that is too long, or there already")
	}
	var self, unknown bool
	for flag := range strings.SplitSeq(fields[2], ",") {
		switch flag {
		case "myself":
			self = true
		case "handshake":
			return nil
		case "noaddr":
			unknown, n.away = true, true
		case "fail", "fail?":
			n.failing, n.away = true, true
		case "slave", "replica":
			if n.primary = fields[3]; n.primary == noPrimary {
				n.away = true // it follows a primary that this node has forgotten
			}
		}
	}
	var err error
	if n.epoch, err = strconv.ParseUint(fields[6], 10, 64); err != nil {
		return errors.New("a config epoch that is not a number")
	}
	if n.slots, err = v.slots(fields[lineOf:], taken); err != nil {
		return err
	}
	if n.primary != "" {
		n.slots = nil
	}
	if self {
		if v.self != nil {
			return errors.New("a second myself")
		}
		v.self, n.away = n, false
	}
	if !unknown {
		n.addr, n.origin = gossiped(fields[1], v.asked)
	}
	v.nodes[n.id] = n
	return nil
}

// slots reads "0-5460", "7000", and "[77->-ID]" or "[77-<-ID]" for a slot that moves.
func (v *view) slots(fields []string, taken *[shard.Slots]bool) ([]shard.SlotRange, error) {
	if len(fields) == 0 {
		return nil, nil
	}
	ranges := make([]shard.SlotRange, 0, min(len(fields), shard.Slots))
	for _, f := range fields {
		if strings.HasPrefix(f, "[") {
			v.open++
			continue
		}
		low, high, wide := strings.Cut(f, "-")
		if !wide {
			high = low
		}
		first, err1 := strconv.ParseUint(low, 10, 16)
		last, err2 := strconv.ParseUint(high, 10, 16)
		if err1 != nil || err2 != nil || first > last || last >= shard.Slots {
			return nil, fmt.Errorf("slots %.20q", f)
		}
		for s := first; s <= last; s++ {
			if taken[s] {
				return nil, fmt.Errorf("slot %d a second time", s)
			}
			taken[s] = true
		}
		ranges = append(ranges, shard.SlotRange{First: uint16(first), Last: uint16(last)})
	}
	return ranges, nil
}
