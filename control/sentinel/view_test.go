package sentinel

import (
	"testing"

	"ringmaster/internal/respclient"
)

// described makes a description in the form of a sentinel's answer.
func described(words ...string) respclient.Value {
	v := respclient.Value{Kind: '*'}
	for _, w := range words {
		v.Elems = append(v.Elems, respclient.Value{Kind: '$', Text: w})
	}
	return v
}

func list(elems ...respclient.Value) respclient.Value {
	return respclient.Value{Kind: '*', Elems: elems}
}

func TestWhoIsPrimaryWhileASentinelReplacesIt(t *testing.T) {
	for name, tc := range map[string]struct {
		flags, current, want string
		down                 bool
	}{
		"all is well":                        {"master", "1", "10.0.0.1:6379", false},
		"it is down":                         {"master,s_down,o_down", "1", "10.0.0.1:6379", true},
		"a failover begins":                  {"master,s_down,o_down,failover_in_progress", "1", "10.0.0.1:6379", true},
		"the replica is promoted":            {"master,s_down,o_down,failover_in_progress", "2", "10.0.0.2:6379", false},
		"it changed between the two answers": {"master", "2", "10.0.0.1:6379", false},
	} {
		m, err := parseMaster(described("10.0.0."+tc.current, "6379"), described("ip", "10.0.0.1", "port", "6379", "flags", tc.flags, "config-epoch", "7"))
		if err != nil || m.addr != tc.want || m.down != tc.down || m.epoch != 7 {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func TestReplicasThatCanBeReadFrom(t *testing.T) {
	good := map[string]string{
		"ip": "10.0.0.2", "port": "6379", "flags": "slave", "master-link-status": "ok", "master-host": "10.0.0.1", "master-port": "6379",
	}
	for name, tc := range map[string]struct {
		field, value string
		ok, ready    bool
	}{
		"well":                {"", "", true, true},
		"down":                {"flags", "s_down,slave", true, false},
		"disconnected":        {"flags", "slave,disconnected", true, false},
		"unlinked":            {"master-link-status", "err", true, true},
		"of another":          {"master-host", "10.0.0.9", true, false},
		"of another port":     {"master-port", "6380", true, false},
		"of a name":           {"master-host", "db.example", true, true},
		"not to be announced": {"replica-announced", "0", true, false},
		"the primary itself":  {"ip", "10.0.0.1", false, false},
		"without a port":      {"port", "", false, false},
		"without a host":      {"ip", "", false, false},
		"with a blank":        {"ip", "10.0.0.2 x", false, false},
	} {
		fields := map[string]string{tc.field: tc.value}
		for k, v := range good {
			if k != tc.field {
				fields[k] = v
			}
		}
		r, ok := parseReplica(fields, "10.0.0.1:6379")
		if ok != tc.ok || ok && r.ready != tc.ready {
			t.Errorf("%s: %+v, %v", name, r, ok)
		}
	}
}

func TestAnswersThatMakeNoView(t *testing.T) {
	about := described("ip", "10.0.0.1", "port", "6379", "flags", "master", "config-epoch", "1")
	current, none := described("10.0.0.1", "6379"), list()
	refusal := respclient.Value{Kind: '-', Text: "NOPERM"}
	for name, replies := range map[string][]respclient.Value{
		"refused":               {refusal, about, none, none},
		"no description":        {current, none, none, none},
		"no epoch":              {current, described("ip", "10.0.0.1", "port", "6379", "flags", "master"), none, none},
		"a port out of range":   {current, described("ip", "10.0.0.1", "port", "65536", "config-epoch", "1"), none, none},
		"replicas are refused":  {current, about, refusal, none},
		"sentinels are refused": {current, about, none, refusal},
		"half an address":       {described("10.0.0.1"), about, none, none},
	} {
		v := &view{masters: map[string]*master{}}
		if err := v.read("m", replies); err == nil {
			t.Errorf("%s: %+v", name, v.masters["m"])
		}
	}
	v := &view{masters: map[string]*master{}}
	peer := described("ip", "10.0.0.7", "port", "26379", "runid", "abc")
	if err := v.read("m", []respclient.Value{current, about, none, list(peer, none, refusal)}); err != nil || len(v.peers) != 1 || v.peers[0].addr != "10.0.0.7:26379" {
		t.Errorf("%+v, %v", v, err)
	}
	if err := v.read("unknown", []respclient.Value{{Kind: '*', Null: true}, refusal, refusal, refusal}); err != nil || v.masters["unknown"] != nil {
		t.Errorf("a name it does not know: %v", err)
	}
}
