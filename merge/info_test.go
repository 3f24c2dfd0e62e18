package merge

import (
	"strings"
	"testing"
)

// lines writes INFO in the form in which it is sent, from fields separated by blanks and sections separated by a
// line.
func infoText(sections ...string) []byte {
	var b strings.Builder
	for i, s := range sections {
		title, fields, _ := strings.Cut(s, ": ")
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString("# " + title + "\r\n")
		for _, f := range strings.Fields(fields) {
			b.WriteString(f + "\r\n")
		}
	}
	return []byte(b.String())
}

func TestInfoOfSeveralServers(t *testing.T) {
	for _, c := range []struct {
		name             string
		first, second, w []string
	}{
		{
			"figures add up, times and states do not",
			[]string{"Stats: total_commands_processed:10 instantaneous_input_kbps:0.40 latest_fork_usec:7 expired_stale_perc:1.50 keyspace_hits:1",
				"Persistence: rdb_last_save_time:200 rdb_last_bgsave_status:ok rdb_last_bgsave_time_sec:-1 aof_last_write_status:err"},
			[]string{"Stats: total_commands_processed:5 instantaneous_input_kbps:1.25 latest_fork_usec:9 expired_stale_perc:0.25 keyspace_hits:2",
				"Persistence: rdb_last_save_time:100 rdb_last_bgsave_status:err rdb_last_bgsave_time_sec:3 aof_last_write_status:ok"},
			[]string{"Stats: total_commands_processed:15 instantaneous_input_kbps:1.65 latest_fork_usec:9 expired_stale_perc:1.50 keyspace_hits:3",
				"Persistence: rdb_last_save_time:100 rdb_last_bgsave_status:err rdb_last_bgsave_time_sec:3 aof_last_write_status:err"},
		},
		{
			"ratios are computed anew",
			[]string{"Memory: used_memory:100 used_memory_rss:300 used_memory_peak:200 used_memory_peak_perc:50.00% used_memory_startup:50 used_memory_dataset:10 used_memory_dataset_perc:20.00% allocator_allocated:0 allocator_active:0 allocator_resident:0 allocator_frag_ratio:nan allocator_rss_ratio:0.00 mem_fragmentation_ratio:3.00 mem_fragmentation_bytes:-5 mem_allocator:jemalloc-5.3.0 maxmemory:0 maxmemory_human:0B"},
			[]string{"Memory: used_memory:300 used_memory_rss:300 used_memory_peak:300 used_memory_peak_perc:100.00% used_memory_startup:50 used_memory_dataset:80 used_memory_dataset_perc:32.00% allocator_allocated:0 allocator_active:0 allocator_resident:0 allocator_frag_ratio:nan allocator_rss_ratio:0.00 mem_fragmentation_ratio:1.00 mem_fragmentation_bytes:3 mem_allocator:libc maxmemory:1024 maxmemory_human:1.00K"},
			[]string{"Memory: used_memory:400 used_memory_rss:600 used_memory_peak:500 used_memory_peak_perc:80.00% used_memory_startup:100 used_memory_dataset:90 used_memory_dataset_perc:30.00% allocator_allocated:0 allocator_active:0 allocator_resident:0 allocator_frag_ratio:nan allocator_rss_ratio:0.00 mem_fragmentation_ratio:1.50 mem_fragmentation_bytes:-2 mem_allocator:jemalloc-5.3.0 maxmemory:0 maxmemory_human:0B"},
		},
		{
			"commands, errors, percentiles and keys",
			[]string{"Modules: module:name=a,ver=1 module:name=b,ver=2",
				"Commandstats: cmdstat_get:calls=3,usec=10,usec_per_call=3.33,rejected_calls=0,failed_calls=1",
				"Errorstats: errorstat_ERR:count=5 errorstat_WRONGPASS:count=1",
				"Latencystats: latency_percentiles_usec_get:p50=1.003,p99=7.007,p99.9=7.007",
				"Keyspace: db0:keys=1,expires=0,avg_ttl=0 db10:keys=10,expires=10,avg_ttl=100"},
			[]string{"Modules: module:name=b,ver=2 module:name=c,ver=3",
				"Commandstats: cmdstat_set:calls=1,usec=4,usec_per_call=4.00,rejected_calls=0,failed_calls=0 cmdstat_get:calls=1,usec=2,usec_per_call=2.00,rejected_calls=2,failed_calls=0",
				"Errorstats: errorstat_OOM:count=2 errorstat_ERR:count=1",
				"Latencystats: latency_percentiles_usec_get:p50=2.007,p99=5.023,p99.9=9.023",
				"Keyspace: db2:keys=5,expires=0,avg_ttl=0 db10:keys=30,expires=30,avg_ttl=300"},
			[]string{"Modules: module:name=a,ver=1 module:name=b,ver=2 module:name=c,ver=3",
				"Commandstats: cmdstat_get:calls=4,usec=12,usec_per_call=3.00,rejected_calls=2,failed_calls=1 cmdstat_set:calls=1,usec=4,usec_per_call=4.00,rejected_calls=0,failed_calls=0",
				"Errorstats: errorstat_ERR:count=6 errorstat_OOM:count=2 errorstat_WRONGPASS:count=1",
				"Latencystats: latency_percentiles_usec_get:p50=2.007,p99=7.007,p99.9=9.023",
				"Keyspace: db0:keys=1,expires=0,avg_ttl=0 db2:keys=5,expires=0,avg_ttl=0 db10:keys=40,expires=40,avg_ttl=250"},
		},
		{
			"replicas of all, numbered anew, as far behind as they are",
			[]string{"Replication: role:master connected_slaves:1 slave0:ip=10.0.0.2,port=1,state=online,offset=90,lag=0 master_repl_offset:100"},
			[]string{"Replication: role:master connected_slaves:1 slave0:ip=10.0.0.3,port=1,state=online,offset=1000,lag=1 master_repl_offset:1000"},
			[]string{"Replication: role:master connected_slaves:2 slave0:ip=10.0.0.2,port=1,state=online,offset=990,lag=0 slave1:ip=10.0.0.3,port=1,state=online,offset=1000,lag=1 master_repl_offset:1000"},
		},
		{
			"sections and fields that only a later server has",
			[]string{"Server: redis_version:7.0.15", "Keyspace: "},
			[]string{"Server: redis_version:7.2.0 listener0:name=tcp", "search_index: search_docs:5", "Keyspace: db0:keys=1,expires=0,avg_ttl=0"},
			[]string{"Server: redis_version:7.0.15 listener0:name=tcp", "Keyspace: db0:keys=1,expires=0,avg_ttl=0", "search_index: search_docs:5"},
		},
	} {
		got, want := string(mergeInfo([][]byte{infoText(c.first...), infoText(c.second...)})), string(infoText(c.w...))
		if got != want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, want)
		}
	}
}

func TestInfoOfOneServerStaysAsItIs(t *testing.T) {
	const text = "anything\r\n\r\n\r\nat:all"
	if got := string(mergeInfo([][]byte{[]byte(text)})); got != text {
		t.Errorf("%q", got)
	}
}

// For any input the joined text has whole lines and no field twice.
func TestInfoOfOddServers(t *testing.T) {
	odd := []string{
		"", "\r\n", "# \r\n", "x", "x:1", "# Keyspace\r\ndb0\r\ndb0:\r\ndb0:keys\r\ndb0:keys=x,avg_ttl=,=,,", "# Memory\r\nused_memory:nan\r\nused_memory_human:1\r\nmem_fragmentation_ratio:x",
		"# Memory\r\nused_memory:1e308\r\nused_memory_rss:1e308\r\nused_memory_human:x", "# Replication\r\nslave0:offset=\r\nslave:1\r\nslave1:x,offset=9223372036854775807,y\r\nmaster_repl_offset:-9223372036854775808",
		"# Stats\r\ntotal_x:0." + strings.Repeat("1", 400), "# Commandstats\r\ncmdstat_:usec_per_call=1\r\ncmdstat_x:calls=0,usec=0,usec_per_call=0", "# A\r\na:1\r\na:2\r\n# A\r\na:3",
	}
	for _, a := range odd {
		for _, b := range odd {
			got := string(mergeInfo([][]byte{[]byte(a), []byte(b), []byte(a)}))
			if got != "" && !strings.HasSuffix(got, "\r\n") {
				t.Errorf("%q and %q: %q", a, b, got)
			}
			for _, section := range strings.Split(got, "# ") {
				seen := map[string]bool{}
				for _, line := range strings.Split(section, "\r\n") {
					if name, _, ok := strings.Cut(line, ":"); ok && seen[name] {
						t.Errorf("%q and %q: %s twice in %q", a, b, name, got)
					} else if ok {
						seen[name] = true
					}
				}
			}
		}
	}
}
