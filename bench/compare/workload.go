package main

import (
	"context"
	"strings"
)

// workload is one kind of load that is measured on each peer in turn.
type workload struct {
	name    string
	title   string
	note    string // how it is made, for the report
	servers int    // redis-servers behind the peer
	once    bool   // one round is enough, because it measures memory or takes minutes
	quick   bool   // part of a quick run
	skip    map[string]string
	load    closedLoad // for the closed loops
	measure func(*runner, context.Context, *workload, *peer) (Sample, error)
}

// closedLoad has the parameters of redis-benchmark.
type closedLoad struct {
	test     string
	command  []string
	clients  int
	pipeline int
	size     int // bytes of a value
	keyspace int
	first    int // commands of the first run, which finds out how many fill a sample
}

// workloads in the order of a run. Names are what -only matches.
var workloads = []workload{
	closed("get-c50", "50 clients, GET 64 B, no pipeline", true, closedLoad{test: "get", clients: 50}),
	closed("set-c50", "50 clients, SET 64 B, no pipeline", true, closedLoad{test: "set", clients: 50}),
	closed("get-c50-p32", "50 clients, GET 64 B, pipeline 32", true, closedLoad{test: "get", clients: 50, pipeline: 32, first: 150_000}),
	closed("set-c50-p32", "50 clients, SET 64 B, pipeline 32", true, closedLoad{test: "set", clients: 50, pipeline: 32, first: 150_000}),
	closed("get-c1", "1 client, GET 64 B", true, closedLoad{test: "get", clients: 1, first: 4000}),
	closed("set-c1", "1 client, SET 64 B", false, closedLoad{test: "set", clients: 1, first: 4000}),
	{
		name: "get-c1-fine", title: "1 client, GET 64 B, latency to the nanosecond", servers: 1, quick: true,
		note:    "own load generator, closed loop on one connection; redis-benchmark rounds to 8 µs",
		load:    closedLoad{test: "get", clients: 1, size: 64, keyspace: 10_000, first: 4000},
		measure: (*runner).fineLoop,
	},
	closed("get-c200", "200 clients, GET 64 B, no pipeline", false, closedLoad{test: "get", clients: 200}),
	closed("set-c200", "200 clients, SET 64 B, no pipeline", false, closedLoad{test: "set", clients: 200}),
	closed("get-16k", "50 clients, GET 16 KB, no pipeline", false, closedLoad{test: "get", clients: 50, size: 16 << 10, keyspace: 1000, first: 5000}),
	closed("set-16k", "50 clients, SET 16 KB, no pipeline", false, closedLoad{test: "set", clients: 50, size: 16 << 10, keyspace: 1000, first: 5000}),
	spread(closed("get-c50-s3", "50 clients, GET 64 B over three servers, no pipeline", false, closedLoad{test: "get", clients: 50})),
	spread(closed("set-c50-s3", "50 clients, SET 64 B over three servers, no pipeline", false, closedLoad{test: "set", clients: 50})),
	spread(closed("get-c50-p32-s3", "50 clients, GET 64 B over three servers, pipeline 32", false, closedLoad{test: "get", clients: 50, pipeline: 32, first: 150_000})),
	mget(),
	{
		name: "open-half", title: "Open loop, 50 connections, GET 64 B, at half of the direct peak", servers: 1, quick: true,
		note:    "own load generator, constant schedule, latency from the intended send time (coordinated omission counted); the peak is direct's with 50 clients",
		load:    closedLoad{test: "get", clients: 50, size: 64, keyspace: 10_000, first: 20_000},
		measure: (*runner).openLoop,
	},
	{
		name: "idle-silent", title: "Idle clients that never sent anything", servers: 1, once: true,
		note:    "growth of a fresh process's resident memory, divided by the clients; direct is Redis's own",
		skip:    map[string]string{limit: nothingKept},
		measure: (*runner).idleSilent,
	},
	{
		name: "idle-used", title: "Idle clients after one GET each", servers: 1, once: true, quick: true,
		note:    "growth of a fresh process's resident memory, divided by the clients; direct is Redis's own",
		skip:    map[string]string{limit: nothingKept},
		measure: (*runner).idleUsed,
	},
	{
		name: "huge", title: "One huge value, SET then GET", servers: 1, once: true, quick: true,
		note:    "resident memory of a fresh process: highest growth meanwhile, and how long until at most a tenth of the value is still held; the client stays connected",
		skip:    map[string]string{limit: nothingKept},
		measure: (*runner).huge,
	},
}

// nothingKept is why the limit has no figures for memory.
const nothingKept = "it keeps no values, and nothing for a client that waits"

// closed is a workload of redis-benchmark before one server. Zero fields of l get the
// usual values: no pipeline, 64 bytes, 10,000 keys.
func closed(name, title string, quick bool, l closedLoad) workload {
	l.pipeline = max(l.pipeline, 1)
	if l.size == 0 {
		l.size = 64
	}
	if l.keyspace == 0 {
		l.keyspace = 10_000
	}
	if l.first == 0 {
		l.first = 20_000
	}
	return workload{name: name, title: title, note: "redis-benchmark", servers: 1, quick: quick, load: l, measure: (*runner).closedLoop}
}

func mget() workload {
	w := closed("mget100", "50 clients, MGET of 100 keys of 64 B over three servers", true,
		closedLoad{command: strings.Fields("mget" + strings.Repeat(" key:__rand_int__", 100)), clients: 50, first: 2000})
	w = spread(w)
	w.skip = map[string]string{direct: "one command, three servers", "haproxy": "cannot split a command"}
	return w
}

// spread puts the workload before three servers.
func spread(w workload) workload {
	w.servers = shards
	w.skip = map[string]string{direct: "a client of one server", "haproxy": "does not spread keys"}
	return w
}
