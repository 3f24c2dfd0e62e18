package cluster

import (
	"fmt"
	"strings"
	"testing"

	"ringmaster/internal/respclient"
	"ringmaster/shard"
)

// largeCluster returns a node's answers to NODES and SHARDS in a cluster of 500 primaries and as many replicas.
func largeCluster(self int) (string, []byte) {
	const primaries = 500
	id := func(n int) string { return fmt.Sprintf("%040x", n) }
	var nodes strings.Builder
	var shards []any
	for i := range primaries {
		flags := "master"
		if i == self {
			flags = "myself,master"
		}
		first, last := i*shard.Slots/primaries, (i+1)*shard.Slots/primaries-1
		fmt.Fprintf(&nodes, "%s 10.0.%d.%d:6379@16379 %s - 0 1795655827306 %d connected %d-%d\n", id(i), i/256, i%256, flags, i+1, first, last)
		fmt.Fprintf(&nodes, "%s 10.1.%d.%d:6379@16379 slave %s 0 1795655827306 %d connected\n", id(i+primaries), i/256, i%256, id(i), i+1)
		member := func(n, net int, role string) []any {
			ip := fmt.Sprintf("10.%d.%d.%d", net, i/256, i%256)
			return []any{"id", id(n), "port", 6379, "ip", ip, "endpoint", ip, "role", role, "replication-offset", 1, "health", "online"}
		}
		shards = append(shards, []any{"slots", []any{first, last}, "nodes", []any{member(i, 0, "master"), member(i+primaries, 1, "replica")}})
	}
	return nodes.String(), resp(nil, shards)
}

func BenchmarkViewOfAThousandNodes(b *testing.B) {
	nodes, shards := largeCluster(0)
	b.ReportAllocs()
	for b.Loop() {
		largeView(b, nodes, shards)
	}
}

func largeView(b *testing.B, nodes string, shards []byte) *view {
	reply, err := respclient.Parse(string(shards))
	if err != nil {
		b.Fatal(err)
	}
	v, err := parseView("10.0.0.1:6379", respclient.Value{Kind: '$', Text: "cluster_state:ok\r\n"}, respclient.Value{Kind: '$', Text: nodes}, reply, (*view).locateByShards)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

func BenchmarkMergeOfFiveViewsOfAThousandNodes(b *testing.B) {
	var views []*view
	for i := range 5 {
		nodes, shards := largeCluster(i)
		views = append(views, largeView(b, nodes, shards))
	}
	last, _ := merge(views, nil, true)
	if len(last.groups) != 500 || len(last.replicas()) != 500 {
		b.Fatalf("%d groups, %d replicas", len(last.groups), len(last.replicas()))
	}
	b.ReportAllocs()
	for b.Loop() {
		merge(views, last, true)
	}
}
