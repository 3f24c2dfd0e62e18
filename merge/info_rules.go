package merge

import "strings"

// infoRule joins the fields of INFO with these names; a trailing '*' matches any ending.
type infoRule struct {
	join  func(values []string) string
	names []string
}

var infoRules = []infoRule{
	{largest, []string{
		"uptime_in_seconds", "uptime_in_days", "client_recent_max_*", "async_loading", "loading_eta_seconds",
		"rdb_bgsave_in_progress", "rdb_last_bgsave_time_sec", "rdb_current_bgsave_time_sec",
		"aof_rewrite_in_progress", "aof_rewrite_scheduled", "aof_pending_rewrite", "aof_last_rewrite_time_sec",
		"aof_current_rewrite_time_sec", "module_fork_in_progress", "current_fork_perc", "current_cow_peak", "current_cow_size_age",
		"latest_fork_usec", "expired_stale_perc", "active_defrag_running", "io_threads_active",
		"current_eviction_exceeded_time", "current_active_defrag_time", "instantaneous_eventloop_duration_usec", "used_memory_peak_time",
		"master_repl_offset", "repl_backlog_active", "mem_clients_max*",
		// Scripts, functions, patterns and prefixes are the same on every shard.
		"number_of_*", "pubsub_patterns", "tracking_total_prefixes",
		// A client that tracks keys does so on every shard.
		"tracking_clients", "tracking_total_prefixes",
	}},
	{smallest, []string{
		"rdb_last_save_time",
		"loading", // clients that wait for its end would wait for all shards, though the others answer (servers_loading)
	}},
	{worst, []string{"rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status"}},
	{unlimited, []string{"maxmemory"}},
	{summed, []string{
		"connected_clients", "cluster_connections", "blocked_clients", "pubsub_clients", "watching_clients",
		"clients_in_timeout_table", "total_*", "maxclients",
		"used_memory", "used_memory_*", "allocator_*", "rss_overhead_bytes", "mem_*", "lazyfree*",
		"rdb_changes_since_last_save", "rdb_saves", "rdb_last_cow_size", "rdb_last_load_keys_*", "current_cow_size",
		"current_save_keys_*", "module_fork_last_cow_size", "loading_total_bytes", "loading_loaded_bytes", "loading_rdb_used_mem",
		"aof_rewrites*", "aof_last_cow_size", "aof_current_size", "aof_base_size", "aof_buffer_length", "aof_pending_bio_fsync",
		"aof_delayed_fsync", "expire_cycle_*",
		"instantaneous_*", "rejected_*", "sync_*", "expired_*", "evicted_*", "keyspace_*", "pubsub*",
		"tracking_*", "unexpected_error_replies", "dump_payload_sanitizations",
		"acl_access_denied_*", "reply_buffer_*", "client_query_buffer_limit_disconnections", "client_output_buffer_limit_disconnections",
		"io_threaded_*", "eventloop_*", "used_cpu_*", "connected_slaves", "slave_expires_tracked_keys",
		"migrate_cached_sockets", "active_defrag_*", "repl_backlog_size", "repl_backlog_histlen",
	}},
}

// exactRules and stemRules are infoRules by whole name, and by the text before the '*'.
var exactRules, stemRules = splitRules()

type stemRule struct {
	stem string
	join func([]string) string
}

func splitRules() (exact map[string]func([]string) string, stems []stemRule) {
	exact = map[string]func([]string) string{}
	for _, r := range infoRules {
		for _, name := range r.names {
			if stem, ok := strings.CutSuffix(name, "*"); ok {
				stems = append(stems, stemRule{stem, r.join})
			} else {
				exact[name] = r.join
			}
		}
	}
	return exact, stems
}

// infoRuleOf returns how the field's values are joined; nil: the first stands for all. A whole name wins over a stem.
func infoRuleOf(name string) func([]string) string {
	if join := exactRules[name]; join != nil {
		return join
	}
	for _, r := range stemRules {
		if strings.HasPrefix(name, r.stem) {
			return r.join
		}
	}
	return nil
}

func summed(values []string) string {
	return fold(values, plus, func(a, b float64) float64 { return a + b })
}

func largest(values []string) string {
	return fold(values, most, func(a, b float64) float64 { return max(a, b) })
}

func smallest(values []string) string {
	return fold(values, least, func(a, b float64) float64 { return min(a, b) })
}

// worst returns the first value that is not ok.
func worst(values []string) string {
	for _, v := range values {
		if v != "ok" {
			return v
		}
	}
	return values[0]
}

// unlimited returns the sum of limits, in which 0 means no limit.
func unlimited(values []string) string {
	for _, v := range values {
		if v == "0" {
			return v
		}
	}
	return summed(values)
}

// infoRatio is a field that compares two others: times * of / (by - less).
type infoRatio struct {
	of, by, less string
	times        float64
	format       string
}

// infoRatios are computed from the joined fields (Redis 7.0, server.c, genRedisInfoString).
var infoRatios = map[string]infoRatio{
	"mem_fragmentation_ratio":  {"used_memory_rss", "used_memory", "", 1, "%.2f"},
	"allocator_frag_ratio":     {"allocator_active", "allocator_allocated", "", 1, "%.2f"},
	"allocator_rss_ratio":      {"allocator_resident", "allocator_active", "", 1, "%.2f"},
	"rss_overhead_ratio":       {"used_memory_rss", "allocator_resident", "", 1, "%.2f"},
	"used_memory_peak_perc":    {"used_memory", "used_memory_peak", "", 100, "%.2f%%"},
	"used_memory_dataset_perc": {"used_memory_dataset", "used_memory", "used_memory_startup", 100, "%.2f%%"},
	"loading_loaded_perc":      {"loading_loaded_bytes", "loading_total_bytes", "", 100, "%.2f"},
}
