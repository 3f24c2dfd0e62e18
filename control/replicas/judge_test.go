package replicas

import (
	"testing"
	"time"

	"ringmaster/pool"
	"ringmaster/shard"
)

var begin = time.Unix(1000, 0)

// after returns the time that is d after the beginning.
func after(d time.Duration) time.Time { return begin.Add(d) }

// recorded makes a primary that was asked every second, n times, and wrote 100 bytes before each.
func recorded(n int) *primary {
	p := &primary{}
	for i := range n {
		p.record(info{history: "one", offset: int64(100 * (i + 1))}, after(time.Duration(i)*time.Second), time.Minute)
	}
	return p
}

func TestAReplicaIsJudgedByWhatItHas(t *testing.T) {
	follows := func(offset int64) info { return info{replica: true, linked: true, history: "one", offset: offset} }
	cut := func(offset int64) info { return info{replica: true, history: "one", offset: offset} }
	for _, c := range []struct {
		name   string
		in     info
		silent bool
		reads  pool.Reads
		lag    time.Duration
		bytes  int64
	}{
		{"it has everything", follows(1000), false, pool.ReadsAlways, 0, 0},
		{"it has more than was asked for yet", follows(1100), false, pool.ReadsAlways, 0, 0},
		{"it lacks the last second", follows(999), false, pool.ReadsAlways, time.Second, 1},
		{"it is as far behind as may be", follows(700), false, pool.ReadsAlways, 3 * time.Second, 300},
		{"it is further behind", follows(699), false, pool.ReadsNever, 4 * time.Second, 301},
		{"it has nothing that is remembered", follows(50), false, pool.ReadsNever, 0, 950},
		{"its link is down", cut(1000), false, pool.ReadsAlone, 0, 0},
		{"its link has been down for long", cut(600), false, pool.ReadsNever, 4 * time.Second, 400},
		{"its link is down since the primary does not answer", cut(1000), true, pool.ReadsAlways, 0, 0},
		{"its link went down long before the primary", cut(600), true, pool.ReadsNever, 4 * time.Second, 400},
		{"it lags, and the primary does not answer", follows(600), true, pool.ReadsNever, 4 * time.Second, 400},
		{"it is filled anew", info{replica: true, syncing: true, history: "one", offset: 1000}, true, pool.ReadsNever, 0, 0},
		{"its link is down, and it has no offset", cut(1), true, pool.ReadsNever, 0, 0},
		{"it follows another", info{replica: true, linked: true, history: "two", offset: 1000}, false, pool.ReadsNever, 0, 0},
		{"it follows another, and the primary does not answer", info{replica: true, linked: true, history: "two", offset: 1000}, true, pool.ReadsNever, 0, 0},
		{"it is a primary itself", info{history: "one", offset: 1000}, false, pool.ReadsNever, 0, 0},
		{"it was promoted, and the old primary does not answer", info{history: "two", before: "one", offset: 1200}, true, pool.ReadsAlways, 0, 0},
		{"it was promoted, and the old primary is back", info{history: "two", before: "one", offset: 1200}, false, pool.ReadsNever, 0, 0},
	} {
		p := recorded(10)
		if c.silent {
			p.markSilent()
		}
		v := p.judge(c.in, false, 3*time.Second)
		if v.reads != c.reads || v.lag != c.lag || v.bytes != c.bytes || (v.why == "") != (c.reads == pool.ReadsAlways) {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

func TestThereIsNoBoundWithoutMaxLag(t *testing.T) {
	if v := recorded(10).judge(info{replica: true, linked: true, history: "one", offset: 3}, false, 0); v.reads != pool.ReadsAlways {
		t.Errorf("%+v", v)
	}
}

// A primary without writes has an offset of 0 or 1, and so has a replica without data.
func TestAReplicaWithoutOffsetMustHaveBeenFit(t *testing.T) {
	p := &primary{}
	p.record(info{history: "one"}, begin, time.Minute)
	p.markSilent()
	for _, fit := range []bool{true, false} {
		if v := p.judge(info{replica: true, history: "one", offset: 1}, fit, time.Second); (v.reads == pool.ReadsAlways) != fit {
			t.Errorf("fit before: %t: %+v", fit, v)
		}
	}
}

func TestNothingIsReadFromReplicasOfAnUnknownPrimary(t *testing.T) {
	var p primary
	for range 2 {
		if v := p.judge(info{replica: true, linked: true, offset: 1000}, false, time.Second); v.reads != pool.ReadsNever {
			t.Errorf("%+v", v)
		}
		p.markSilent()
	}
}

func TestAPrimaryThatStartsAnewIsMeasuredAnew(t *testing.T) {
	p := recorded(10)
	p.record(info{history: "two", offset: 5}, after(10*time.Second), time.Minute)
	if v := p.judge(info{replica: true, linked: true, history: "one", offset: 1000}, false, time.Minute); v.reads != pool.ReadsNever {
		t.Errorf("what has its old data: %+v", v)
	}
	if v := p.judge(info{replica: true, linked: true, history: "two", offset: 5}, false, time.Minute); v.reads != pool.ReadsAlways || v.lag != 0 {
		t.Errorf("what has its new data: %+v", v)
	}
}

func TestSamplesAreForgotten(t *testing.T) {
	p := &primary{}
	for i := range 1000 {
		p.record(info{history: "one", offset: int64(i)}, after(time.Duration(i)*time.Second), 20*time.Second)
	}
	if n := len(p.samples); n > 23 {
		t.Errorf("%d samples are kept", n)
	}
	if lag, ok := p.lag(979); !ok || lag != 20*time.Second {
		t.Errorf("lag %v, %t", lag, ok)
	}
}

func TestInfoIsRead(t *testing.T) {
	primary := "# Replication\r\nrole:master\r\nconnected_slaves:4\r\nslave0:ip=10.0.0.4,port=6379,state=online,offset=14,lag=0\r\n" +
		"slave1:ip=10.0.0.5,port=6379,state=wait_bgsave,offset=0,lag=0\r\nslave2:ip=127.0.0.1,port=6380,state=online,offset=14,lag=0\r\n" +
		"slave3:ip=::1,port=6381,state=online,offset=14,lag=0\r\nslave4:ip=10.0.0.4,port=6379,state=online,offset=3,lag=9\r\n" +
		"slave_x:ip=9.9.9.9,port=1,state=online\r\nslave5:ip=,port=0,state=online\r\nslave6:ip=a\"b,port=6379,state=online\r\n" +
		"master_failover_state:no-failover\r\nmaster_replid:abc\r\nmaster_replid2:def\r\nmaster_repl_offset:14\r\n\r\n# Server\r\navailability_zone:eu-1a\r\n"
	in, ok := parseInfo("10.0.0.1:6379", primary)
	if !ok || in.replica || in.offset != 14 || in.history != "abc" || in.before != "def" || in.zone != "eu-1a" {
		t.Errorf("%+v, %t", in, ok)
	}
	want := []string{"10.0.0.4:6379", "10.0.0.1:6380", "10.0.0.1:6381"}
	if len(in.replicas) != len(want) {
		t.Fatalf("%v", in.replicas)
	}
	for i, w := range want {
		if in.replicas[i] != (shard.Server{Name: w, Addr: w, Weight: 1}) {
			t.Errorf("replica %d is %v", i, in.replicas[i])
		}
	}
	replica := "role:slave\r\nmaster_link_status:up\r\nmaster_sync_in_progress:0\r\nslave_read_repl_offset:99\r\nslave_repl_offset:98\r\n" +
		"master_replid:abc\r\nmaster_repl_offset:100\r\n"
	if in, ok := parseInfo("x:1", replica); !ok || !in.replica || !in.linked || in.syncing || in.offset != 98 {
		t.Errorf("%+v, %t", in, ok)
	}
	if in, ok := parseInfo("x:1", "role:slave\r\nmaster_link_status:down\r\nmaster_sync_in_progress:1\r\nmaster_replid:abc\r\n"); !ok || in.linked || !in.syncing {
		t.Errorf("%+v, %t", in, ok)
	}
	for _, bad := range []string{"", "role:master\r\n", "role:sentinel\r\nmaster_replid:abc\r\n", "master_replid:abc\r\n"} {
		if in, ok := parseInfo("x:1", bad); ok {
			t.Errorf("%q: %+v", bad, in)
		}
	}
}
