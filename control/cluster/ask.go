package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ringmaster/internal/refresh"
	"ringmaster/internal/respclient"
)

var (
	askInfo   = []string{"CLUSTER", "INFO"}
	askNodes  = []string{"CLUSTER", "NODES"}
	askShards = []string{"CLUSTER", "SHARDS"}
	askSlots  = []string{"CLUSTER", "SLOTS"}
)

// answer is a node's view, or the reason why there is none.
type answer = refresh.Answer[*view]

// ask gets the view of the node at addr.
func (w *Watcher) ask(ctx context.Context, addr string) (*view, error) {
	cfg := w.config()
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	c, err := respclient.Dial(ctx, addr, respclient.Options{Username: cfg.Username, Password: cfg.Password, Timeout: cfg.Timeout})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	replies, err := c.Do(ctx, askInfo, askNodes, askShards)
	if err != nil {
		return nil, err
	}
	info, nodes, endpoints := replies[0], replies[1], replies[2]
	if err := errors.Join(respclient.Refused("CLUSTER INFO", info), respclient.Refused("CLUSTER NODES", nodes)); err != nil {
		return nil, firstOf(err)
	}
	locate := (*view).locateByShards
	if respclient.Refused("", endpoints) != nil { // Redis before 7.0 has no SHARDS
		locate = (*view).locateBySlots
		if replies, err = c.Do(ctx, askSlots); err != nil {
			return nil, err
		}
		endpoints = replies[0]
		if err := respclient.Refused("CLUSTER SLOTS", endpoints); err != nil {
			return nil, err
		}
	}
	return parseView(addr, info, nodes, endpoints, locate)
}

// parseView makes a view of the three replies.
func parseView(addr string, info, nodes, endpoints respclient.Value, locate func(*view, respclient.Value) error) (*view, error) {
	if !info.IsText() || !nodes.IsText() {
		return nil, errors.New("CLUSTER INFO or CLUSTER NODES is not a text")
	}
	v, err := parseNodes(addr, nodes.Text)
	if err != nil {
		return nil, err
	}
	if v.ok, err = parseInfo(info.Text); err != nil {
		return nil, err
	}
	if err := locate(v, endpoints); err != nil {
		return nil, err
	}
	return v, nil
}

// firstOf returns the first of joined errors.
func firstOf(err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()[0]
	}
	return err
}

// survey asks Nodes of known. If most of those stay silent, or none says ok, it asks as many again, and then seeds
// until one says ok. Then it asks nodes that the views name, up to Nodes views in all.
func (w *Watcher) survey(ctx context.Context, known []string) []answer {
	s, c := refresh.NewSurvey(w.ask), w.config()
	s.Round(ctx, known, c.Nodes)
	if 2*len(distinct(s.Answers)) <= len(s.Asked) || !healthy(s.Answers) {
		s.Round(ctx, known, c.Nodes)
		for s.Round(ctx, c.Seeds, c.Nodes) && !healthy(s.Answers) {
		}
	}
	if n := len(distinct(s.Answers)); n > 0 && n < c.Nodes {
		s.Round(ctx, newcomers(s.Answers, s.Asked), c.Nodes-n)
	}
	return s.Answers
}

// healthy reports whether a view says cluster_state:ok.
func healthy(answers []answer) bool {
	return slices.ContainsFunc(answers, func(a answer) bool { return a.View != nil && a.View.ok })
}

// distinct returns the views, one per node.
func distinct(answers []answer) []*view {
	return refresh.Views(answers, func(v *view) string { return v.self.id })
}

// newcomers returns the addresses in the views that were not asked, primaries first.
func newcomers(answers []answer, asked map[string]bool) []string {
	views := distinct(answers)
	viewed := map[string]bool{}
	for _, v := range views {
		viewed[v.self.id] = true
	}
	var primaries, replicas []string
	for _, v := range views {
		for id, n := range v.nodes {
			switch {
			case n.addr == "" || n.away || asked[n.addr] || viewed[id]:
			case n.primary == "":
				primaries = append(primaries, n.addr)
			default:
				replicas = append(replicas, n.addr)
			}
		}
	}
	slices.Sort(primaries)
	slices.Sort(replicas)
	return append(primaries, replicas...) // Round asks duplicates once
}

// explain makes an error of what each node answered.
func explain(answers []answer) error {
	return refresh.Explain(answers, func(v *view) string {
		if !v.ok {
			return fmt.Sprintf("cluster_state:fail, and it knows %d nodes", len(v.nodes))
		}
		return "knows no node that owns slots and can be reached"
	})
}
