package process

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"ringmaster/control/config"
	"ringmaster/control/topology"
	"ringmaster/shard"
)

func TestTopologiesHaveTheNamesOfTheirSettings(t *testing.T) {
	for setting, kind := range map[string]topology.Kind{
		config.Standalone: topology.Standalone, config.Sharded: topology.Sharded, config.Cluster: topology.Cluster, config.Sentinel: topology.Sentinel,
	} {
		if setting != string(kind) {
			t.Errorf("the setting %s is the kind %s", setting, kind)
		}
	}
}

func TestSettingsOfAnUpstream(t *testing.T) {
	c := &config.Config{
		Topology: config.Sentinel, Upstream: []shard.Server{{Addr: "a:1"}, {Addr: "b:2"}}, SentinelMasters: []string{"m"},
		UpstreamUsername: "u", UpstreamPassword: "p", SentinelUsername: "su", SentinelPassword: "sp", HashTag: "{}",
		ReadPolicy: shard.ReadAny, ReplicaMaxLag: time.Second, Zone: "z", DialTimeout: time.Minute,
	}
	got, err := topologyConfig(c, "", slog.Default())
	if err != nil || got.Kind != topology.Sentinel || !slices.Equal(got.Seeds, []string{"a:1", "b:2"}) || !slices.Equal(got.Masters, c.SentinelMasters) ||
		got.Servers != (topology.Login{Username: "u", Password: "p"}) || got.Sentinels != (topology.Login{Username: "su", Password: "sp"}) ||
		got.Placement.HashTag != "{}" || got.Reads != shard.ReadAny || got.MaxLag != time.Second || got.Zone != "z" || got.Timeout != time.Minute || got.Fixed != nil {
		t.Errorf("%+v, %v", got, err)
	}
	c.Topology = config.Sharded
	for i := range c.Upstream {
		c.Upstream[i].Name, c.Upstream[i].Weight = c.Upstream[i].Addr, 1
	}
	if got, err = topologyConfig(c, "", slog.Default()); err != nil || got.Fixed == nil || got.Fixed.Len() != 2 || len(got.Groups) != 2 || got.Seeds != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
