package main

import (
	"context"
	"fmt"
	"runtime"
	"sort"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ringmaster/bench/load"
	"ringmaster/bench/redisbench"
)

// closedLoop is a sample made by redis-benchmark.
func (r *runner) closedLoop(ctx context.Context, w *workload, p *peer) (Sample, error) {
	in, err := r.ready(ctx, w, p)
	if err != nil {
		return Sample{}, err
	}
	n, err := r.commands(w, p, func(n int) (float64, error) {
		res, err := r.redisBenchmark(ctx, w, in, n)
		return res.RPS, err
	})
	if err != nil {
		return Sample{}, err
	}
	m, err := startMeter(in)
	if err != nil {
		return Sample{}, err
	}
	profiled := r.profile(ctx, in)
	res, err := r.redisBenchmark(ctx, w, in, n)
	if err == nil {
		err = profiled()
	}
	if err != nil {
		return Sample{Commands: n}, err
	}
	r.pace[w.name+"/"+p.name] = res.RPS
	v := map[Metric]float64{Throughput: res.RPS, P50: res.P50, P99: res.P99, P999: res.P999}
	v[ClientCPU] = float64(res.CPU) / 1e3 / float64(n)
	if err := m.stop(n, v); err != nil {
		return Sample{Commands: n}, err
	}
	v[Ceiling] = ceiling(v, w.servers)
	return Sample{Commands: n, Values: v}, nil
}

// ceiling returns the commands per second that the CPU time of one command allows, if the machine's cores never idle,
// and redis-benchmark and a server have one core each.
func ceiling(v map[Metric]float64, servers int) float64 {
	busiest := max(v[ClientCPU], v[ServerCPU]/float64(servers))
	return 1e6 / max(busiest, (v[ClientCPU]+v[CPU]+v[ServerCPU])/float64(runtime.NumCPU()))
}

func (r *runner) redisBenchmark(ctx context.Context, w *workload, in *instance, n int) (redisbench.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration((20+10*r.opts.seconds)*float64(time.Second)))
	defer cancel()
	l := w.load
	return redisbench.Run(ctx, redisbench.Spec{
		Addr: in.addr, Test: l.test, Command: l.command, Clients: l.clients, Pipeline: l.pipeline,
		ValueBytes: l.size, Keyspace: l.keyspace, Requests: n, CPUs: r.opts.pins["client"],
	})
}

// fineLoop is a sample of one client by our own generator.
func (r *runner) fineLoop(ctx context.Context, w *workload, p *peer) (Sample, error) {
	in, err := r.ready(ctx, w, p)
	if err != nil {
		return Sample{}, err
	}
	gets := requests(w.load.keyspace)
	n, err := r.commands(w, p, func(n int) (float64, error) {
		res, err := load.Closed(ctx, in.addr, gets, n)
		return float64(res.Answered) / res.Elapsed.Seconds(), err
	})
	if err != nil {
		return Sample{}, err
	}
	m, err := startMeter(in)
	if err != nil {
		return Sample{}, err
	}
	res, err := load.Closed(ctx, in.addr, gets, n)
	if err != nil {
		return Sample{Commands: n}, err
	}
	v := percentiles(res.Latency)
	v[Throughput] = float64(res.Answered) / res.Elapsed.Seconds()
	return Sample{Commands: n, Values: v}, m.stop(n, v)
}

// openLoop is a sample at a constant rate, the same for all peers.
func (r *runner) openLoop(ctx context.Context, w *workload, p *peer) (Sample, error) {
	in, err := r.ready(ctx, w, p)
	if err != nil {
		return Sample{}, err
	}
	rate, err := r.halfOfPeak(ctx, w)
	if err != nil {
		return Sample{}, err
	}
	m, err := startMeter(in)
	if err != nil {
		return Sample{}, err
	}
	warmup := time.Duration(r.opts.seconds / 4 * float64(time.Second))
	res, err := load.Open(ctx, load.Options{
		Addr: in.addr, Connections: w.load.clients, Rate: rate, Warmup: warmup,
		Length:   warmup + time.Duration(2*r.opts.seconds*float64(time.Second)),
		Requests: requests(w.load.keyspace),
	})
	if err != nil {
		return Sample{Commands: res.Answered}, fmt.Errorf("at %.0f commands/s: %w", rate, err)
	}
	v := percentiles(res.Latency)
	v[Rate] = rate
	v[Throughput] = float64(res.Answered) / res.Elapsed.Seconds()
	v[SendLag] = milliseconds(res.SendLag.ValueAtQuantile(99))
	return Sample{Commands: res.Answered, Values: v}, m.stop(res.Answered, v)
}

// halfOfPeak returns the rate of the open loop: the requested one, otherwise half of direct's rate with 50 clients in
// this run, otherwise half of its rate now.
func (r *runner) halfOfPeak(ctx context.Context, w *workload) (float64, error) {
	if r.opts.rate > 0 {
		return r.opts.rate, nil
	}
	if r.peak == 0 {
		r.peak = r.directPeak()
	}
	if r.peak == 0 {
		in, err := r.arena.shared(ctx, &peers[0], 1)
		if err != nil {
			return 0, err
		}
		n := w.load
		n.pipeline = 1
		probe := *w
		probe.load = n
		res, err := r.redisBenchmark(ctx, &probe, in, int(40_000*max(1, r.opts.seconds)))
		if err != nil {
			return 0, err
		}
		r.peak = res.RPS
	}
	return float64(int(r.peak / 2)), nil
}

func (r *runner) directPeak() float64 {
	var seen []float64
	for _, s := range r.record.Samples {
		if s.Workload == "get-c50" && s.Peer == direct && s.Error == "" {
			seen = append(seen, s.Values[Throughput])
		}
	}
	return median(seen)
}

// requests are GETs of keys spread over the keyspace, few enough to stay in the cache.
func requests(keyspace int) [][]byte {
	const different = 1000
	var out [][]byte
	for i := range different {
		out = append(out, command("GET", key(i*7919%keyspace)))
	}
	return out
}

func percentiles(h *hdrhistogram.Histogram) map[Metric]float64 {
	return map[Metric]float64{
		P50:  milliseconds(h.ValueAtQuantile(50)),
		P99:  milliseconds(h.ValueAtQuantile(99)),
		P999: milliseconds(h.ValueAtQuantile(99.9)),
	}
}

func milliseconds(ns int64) float64 { return float64(ns) / 1e6 }

// median of values, 0 for none; the mean of the middle two for an even number.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := append([]float64(nil), values...)
	sort.Float64s(sorted)
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
