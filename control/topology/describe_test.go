package topology

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ringmaster/stats"
)

func asJSON(t *testing.T, d *Description) string {
	t.Helper()
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFixedServersAsJSON(t *testing.T) {
	top, _ := begin(t, fixed(t, "10.0.0.1:6379@red,10.0.0.2:6379:2"))
	const want = `{
  "Topology": "sharded",
  "Servers": [
    {
      "Name": "red",
      "Addr": "10.0.0.1:6379",
      "Weight": 1
    },
    {
      "Name": "10.0.0.2:6379",
      "Addr": "10.0.0.2:6379",
      "Weight": 2,
      "Unescaped": [
        "scripts",
        "modules"
      ]
    }
  ]
}`
	if diff := cmp.Diff(want, asJSON(t, top.Describe([][]string{nil, {"scripts", "modules"}, {"scripts"}}))); diff != "" {
		t.Error(diff)
	}
}

func TestAClusterAsJSON(t *testing.T) {
	n := startNode(t)
	top, _ := begin(t, Config{Kind: Cluster, Seeds: []string{n.Addr}})
	d := top.Describe(nil)
	const want = `{
  "Topology": "cluster",
  "Servers": [
    {
      "Name": "NODE",
      "Addr": "NODE",
      "Weight": 1
    }
  ],
  "Cluster": {
    "Refreshes": 1,
    "Failures": 0,
    "Changes": 1,
    "Asked": 1,
    "Silent": 0,
    "Outvoted": 0,
    "LastGood": TIME,
    "Covered": 16384,
    "Open": 0,
    "Remembered": false,
    "Groups": [
      {
        "Name": "",
        "Primary": {
          "Name": "NODE",
          "Addr": "NODE",
          "Weight": 1
        },
        "Replicas": null,
        "Slots": [
          {
            "First": 0,
            "Last": 16383
          }
        ]
      }
    ],
    "Nodes": [
      {
        "ID": "a",
        "Addr": "NODE",
        "Primary": "",
        "Epoch": 1,
        "Failing": false
      }
    ]
  }
}`
	when, err := json.Marshal(d.Cluster.LastGood)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.NewReplacer("NODE", n.Addr, "TIME", string(when)).Replace(want), asJSON(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatOneLoopFindsUnescapedCounts(t *testing.T) {
	one, two := stats.NewLoop(1), stats.NewLoop(1)
	one.AddUpstream("other", 1).Servers[0].UnescapedScripts = true
	a, gone, b := one.AddUpstream("this", 2), two.AddUpstream("this", 4), two.AddUpstream("this", 3) // each loop has it at another place
	gone.Gone, gone.Servers[1].UnescapedScripts = true, true
	a.Servers[0].UnescapedScripts = true
	b.Servers[0].UnescapedModules = true
	b.Servers[2].UnescapedModules = true
	if got := fmt.Sprint(Unescaped([]stats.Loop{*one, *two}, "this")); got != "[[scripts modules] [] [modules]]" {
		t.Errorf("%s", got)
	}
	if got := Unescaped(nil, "this"); got != nil {
		t.Errorf("no loop has answered: %v", got)
	}
}
