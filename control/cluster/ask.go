package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ringmaster/internal/refresh"
	"ringmaster/internal/respclient"
)

var (
	askInfo   = []string{"CLUSTER", "INFO"}
	askNodes  = []string{"CLUSTER", "NODES"}
	askShards = []string{"CLUSTER", "SHARDS"}
	askSlots  = []string{"CLUSTER", "SLOTS"}
)

// answer is a node's view, or why there is none.
type answer = refresh.Answer[*view]

// ask gets the view of the node at addr.
func (w *Watcher) ask(ctx context.Context, addr string) (*view, error) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	c, err := respclient.Dial(ctx, addr, respclient.Options{Username: w.cfg.Username, Password: w.cfg.Password, Timeout: w.cfg.Timeout})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	replies, err := c.Do(ctx, askInfo, askNodes, askShards)
	if err != nil {
		return nil, err
	}
	info, nodes, endpoints := replies[0], replies[1], replies[2]
	if err := errors.Join(info.Err("CLUSTER INFO"), nodes.Err("CLUSTER NODES")); err != nil {
		return nil, firstOf(err)
	}
	locate := (*view).locateByShards
	if endpoints.Err("") != nil { // Redis before 7.0 has no SHARDS
		locate = (*view).locateBySlots
		if replies, err = c.Do(ctx, askSlots); err != nil {
			return nil, err
		}
		endpoints = replies[0]
		if err := endpoints.Err("CLUSTER SLOTS"); err != nil {
			return nil, err
		}
	}
	return parseView(addr, info, nodes, endpoints, locate)
}

// parseView makes a view of the three replies.
func parseView(addr string, info, nodes, endpoints respclient.Value, locate func(*view, respclient.Value) error) (*view, error) {
	if !info.IsText() || !nodes.IsText() {
		return nil, errors.New("CLUSTER INFO or CLUSTER NODES is no text")
	}
	v, err := parseNodes(addr, nodes.Text)
	if err != nil {
		return nil, err
	}
	if v.ok, err = parseInfo(info.Text); err != nil {
		return nil, err
	}
	return v, locate(v, endpoints)
}

// firstOf is the first of joined errors.
func firstOf(err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()[0]
	}
	return err
}

// survey asks Nodes of known. When most of those stay silent, or none says ok, it asks as many again, and seeds until
// one says ok. What the views name is asked too while there is room.
func (w *Watcher) survey(ctx context.Context, known []string) []answer {
	var answers []answer
	asked := map[string]bool{}
	round := func(from []string, room int) bool {
		var addrs []string
		for _, addr := range from {
			if len(addrs) < room && !asked[addr] {
				asked[addr] = true
				addrs = append(addrs, addr)
			}
		}
		answers = append(answers, refresh.All(ctx, addrs, w.ask)...)
		return len(addrs) > 0
	}
	round(known, w.cfg.Nodes)
	if 2*len(distinct(answers)) <= len(asked) || !healthy(answers) {
		round(known, w.cfg.Nodes)
		for round(w.cfg.Seeds, w.cfg.Nodes) && !healthy(answers) {
		}
	}
	if n := len(distinct(answers)); n > 0 && n < w.cfg.Nodes {
		round(newcomers(answers, asked), w.cfg.Nodes-n)
	}
	return answers
}

// healthy reports whether a view says cluster_state:ok.
func healthy(answers []answer) bool {
	return slices.ContainsFunc(answers, func(a answer) bool { return a.View != nil && a.View.ok })
}

// distinct are the views, one of each node: a node may be asked under two names.
func distinct(answers []answer) []*view {
	var views []*view
	seen := map[string]bool{}
	for _, a := range answers {
		if a.View != nil && !seen[a.View.self.id] {
			seen[a.View.self.id] = true
			views = append(views, a.View)
		}
	}
	return views
}

// newcomers are the addresses in the views that were not asked, those of primaries in front.
func newcomers(answers []answer, asked map[string]bool) []string {
	views := distinct(answers)
	heard := map[string]bool{}
	for _, v := range views {
		heard[v.self.id] = true
	}
	var primaries, replicas []string
	for _, v := range views {
		for id, n := range v.nodes {
			switch {
			case n.addr == "" || n.away || asked[n.addr] || heard[id]:
			case n.primary == "":
				primaries = append(primaries, n.addr)
			default:
				replicas = append(replicas, n.addr)
			}
		}
	}
	slices.Sort(primaries)
	slices.Sort(replicas)
	return append(primaries, replicas...) // what occurs twice is asked once
}

// explain says what each node answered, for an error.
func explain(answers []answer) error {
	texts := make([]string, 0, len(answers))
	for _, a := range answers {
		switch {
		case a.Err != nil:
			texts = append(texts, fmt.Sprintf("%s: %v", a.Addr, a.Err))
		case !a.View.ok:
			texts = append(texts, fmt.Sprintf("%s: cluster_state:fail, it knows %d nodes", a.Addr, len(a.View.nodes)))
		default:
			texts = append(texts, fmt.Sprintf("%s: knows no node that owns slots and can be reached", a.Addr))
		}
	}
	return errors.New(strings.Join(texts, "; "))
}
