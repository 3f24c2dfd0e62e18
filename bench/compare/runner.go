package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/google/pprof/profile"
)

// runner makes the samples of a run.
type runner struct {
	opts   *options
	arena  *arena
	out    io.Writer // progress
	pace   map[string]float64
	filled map[string]bool
	peak   float64 // direct's commands per second with 50 clients, once known
	record *Record
	// profiles are those of ringmaster, with -profile.
	profiles []*profile.Profile
}

// run measures every chosen workload on every peer, round by round: A B C A B C …, so
// that a slower minute of the machine falls on all of them.
func (r *runner) run(ctx context.Context, chosen []peer) {
	for i := range workloads {
		w := &workloads[i]
		if !r.opts.wants(w) {
			continue
		}
		rounds := r.opts.rounds
		if w.once {
			rounds = 1
		}
		fmt.Fprintf(r.out, "%s: %s\n", w.name, w.title)
		clear(r.filled) // the previous workload may have left values of another size
		for round := range rounds {
			for p := range chosen {
				if ctx.Err() != nil {
					return
				}
				if _, no := w.skip[chosen[p].name]; !no {
					r.sample(ctx, w, &chosen[p], round)
				}
			}
		}
	}
}

func (r *runner) sample(ctx context.Context, w *workload, p *peer, round int) {
	s, err := w.measure(r, ctx, w, p)
	if ctx.Err() != nil {
		return // an interrupted sample says nothing about the peer
	}
	s.Workload, s.Peer, s.Round = w.name, p.name, round
	if err != nil {
		s.Error = strings.ReplaceAll(err.Error(), r.opts.dir+"/", "")
		fmt.Fprintf(r.out, "  %-11s %d  failed: %s\n", p.name, round, s.Error)
	} else {
		fmt.Fprintf(r.out, "  %-11s %d  %s\n", p.name, round, brief(s.Values))
	}
	r.record.Samples = append(r.record.Samples, s)
}

// brief is one line of progress.
func brief(v map[Metric]float64) string {
	switch {
	case v[PerClient] != 0 || v[Clients] != 0:
		return fmt.Sprintf("%.0f clients, %.0f B each", v[Clients], v[PerClient])
	case v[ValueSize] != 0:
		return fmt.Sprintf("SET %.2f s, GET %.2f s, RSS +%s, after %s", v[SetDuration], v[GetDuration], megabytes(v[PeakGrowth]), megabytes(v[AfterGrowth]))
	}
	line := fmt.Sprintf("%8.0f/s  p50 %.3f ms  p99 %.3f ms", v[Throughput], v[P50], v[P99])
	if cpu, ok := v[CPU]; ok {
		line += fmt.Sprintf("  proxy CPU %.2f µs", cpu)
	}
	return line
}

// ready returns the peer's shared instance with the workload's keys set through it.
func (r *runner) ready(ctx context.Context, w *workload, p *peer) (*instance, error) {
	in, err := r.arena.shared(ctx, p, w.servers)
	if err != nil {
		return nil, err
	}
	if !r.filled[p.name] {
		if err := fill(in.addr, w.load.keyspace, w.load.size); err != nil {
			return nil, err
		}
		r.filled[p.name] = true
	}
	return in, nil
}

// commands returns how many commands fill a sample of this workload on this peer, by the rate of the last run.
// rehearse makes a first, short run, which is also the warm-up.
func (r *runner) commands(w *workload, p *peer, rehearse func(n int) (float64, error)) (int, error) {
	key := w.name + "/" + p.name
	if r.pace[key] == 0 {
		rate, err := rehearse(w.load.first)
		if err != nil {
			return 0, err
		}
		r.pace[key] = rate
	}
	return max(100, int(r.pace[key]*r.opts.seconds)), nil
}
