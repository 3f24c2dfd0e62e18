package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const usage = `Measure ringmaster beside its peers.

  bench-compare [flags]            run, print the tables, write a raw file
  bench-compare report FILE        print the report of a raw file: BENCHMARKS.md

Peers: direct, limit, ringmaster, nutcracker, haproxy; predixy when $PREDIXY and envoy
when $ENVOY names the program. limit is a server of our own that answers from memory:
what serving the clients alone costs. Only when -peers names them: ringmaster-cluster,
in front of a Redis Cluster, and earlier, which is the ringmaster that $EARLIER names.
All run with one thread.

Flags:
`

func main() {
	if len(os.Args) > 1 && os.Args[1] == "report" {
		exit(reportCommand(os.Args[2:], os.Stdout))
		return
	}
	opts, err := parseFlags(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = compare(opts, os.Stdout, os.Stderr)
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-compare:", err)
		os.Exit(1)
	}
}

func reportCommand(args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("report takes one raw file")
	}
	r, err := readRecord(args[0])
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, report(r, args[0]))
	return err
}

// compare makes a whole run.
func compare(o *options, out, progress io.Writer) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.dir, err = os.MkdirTemp("", "bench-compare-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.dir)
	r := &Record{Command: o.command, Started: time.Now().UTC().Truncate(time.Second), Quick: o.quick, Rounds: o.rounds, Seconds: o.seconds, Pins: o.pins}
	r.Machine = describeMachine()
	o.openFiles = r.Machine.OpenFiles
	r.Commit, r.Changed = commit()
	chosen, binaries, err := findPeers(o, r)
	if err != nil {
		return err
	}
	for name, why := range r.Skipped {
		fmt.Fprintf(progress, "without %s: %s\n", name, why)
	}
	a, err := newArena(ctx, o, binaries)
	if err != nil {
		return err
	}
	defer a.stop()
	run := &runner{opts: o, arena: a, out: progress, pace: map[string]float64{}, filled: map[string]bool{}, record: r}
	run.run(ctx, chosen)
	if err := run.writeProfile(); err != nil {
		return err
	}
	r.Ended, r.Interrupted = time.Now().UTC().Truncate(time.Second), ctx.Err() != nil
	r.Machine.LoadEnd = loadAverage()
	return finish(r, o, out, progress)
}

// finish writes the raw file, prints the tables, and fails when ringmaster did.
func finish(r *Record, o *options, out, progress io.Writer) error {
	path := o.out
	if path == "" {
		path = r.freshPath("bench/results")
	}
	if path != "-" {
		if err := r.write(path); err != nil {
			return err
		}
		fmt.Fprintln(progress, "raw file:", path)
	}
	if _, err := io.WriteString(out, tables(r)); err != nil {
		return err
	}
	if r.failed(ringmaster) {
		return errors.New("ringmaster failed a workload, see above")
	}
	return nil
}
