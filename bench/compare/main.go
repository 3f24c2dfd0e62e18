package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const usage = `Measure ringmaster beside its peers.

  bench-compare [flags]            run, print the tables, write a raw file
  bench-compare report FILE        print the report of a raw file: BENCHMARKS.md

Peers: direct, ringmaster, nutcracker, haproxy; predixy when $PREDIXY and envoy when
$ENVOY names the program. All run with one thread.

Flags:
`

// options are the flags and what follows from them.
type options struct {
	rounds          int
	seconds         float64
	only            *regexp.Regexp
	peers           []string
	quick           bool
	rate            float64
	idle            int
	huge            int
	returnLimit     time.Duration
	ringmaster      string
	ringmasterFlags []string
	pins            map[string]string
	out             string
	command         string
	dir             string // for binaries, configurations and logs of this run
	openFiles       uint64
}

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

func parseFlags(args []string, out io.Writer) (*options, error) {
	o := &options{pins: map[string]string{}}
	f := flag.NewFlagSet("bench-compare", flag.ContinueOnError)
	f.SetOutput(out)
	f.Usage = func() { fmt.Fprint(out, usage); f.PrintDefaults() }
	f.IntVar(&o.rounds, "rounds", 5, "samples of each workload on each peer, interleaved")
	only := f.String("only", "", "regular `expression`: workloads to run, of "+workloadNames())
	chosen := f.String("peers", "", "comma-separated `list` of peers; a peer named here must be there")
	f.BoolVar(&o.quick, "quick", false, "a smoke run of about half a minute: fewer workloads, one round, short samples, smaller memory loads; its figures mean little")
	scale := f.Float64("scale", 1, "`factor` on the length of a sample (2.5 s)")
	f.Float64Var(&o.rate, "rate", 0, "commands per second of the open loop, 0 for half of direct's peak")
	f.StringVar(&o.ringmaster, "ringmaster", "", "`program` to measure instead of building ./cmd/ringmaster")
	extra := f.String("ringmaster-flags", "", "further `flags` for ringmaster, separated by spaces")
	for _, part := range []string{"proxy", "servers", "client"} {
		f.Func("pin-"+part, "taskset `list` for the "+part+", such as 0 or 0-1 (default: none)", func(s string) error {
			o.pins[part] = s
			return nil
		})
	}
	f.StringVar(&o.out, "out", "", "raw `file` to write (default bench/results/DATE-COMMIT.json; - for none; a quick run writes none unless told)")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q; flags only, or: report FILE", f.Arg(0))
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	if o.rounds < 1 || *scale <= 0 || o.rate < 0 {
		return nil, errors.New("-rounds must be at least 1, -scale above 0, -rate not negative")
	}
	if *chosen != "" {
		o.peers = strings.Split(*chosen, ",")
	}
	o.ringmasterFlags = strings.Fields(*extra)
	o.command = commandLine(f)
	o.size(*scale)
	return o, nil
}

// size sets how much is done.
func (o *options) size(scale float64) {
	o.seconds, o.idle, o.huge, o.returnLimit = 2.5*scale, 10_000, 100_000_000, 150*time.Second
	if o.quick {
		o.rounds, o.seconds, o.idle, o.huge, o.returnLimit = 1, 0.25*scale, 500, 10_000_000, time.Second
		if o.out == "" {
			o.out = "-"
		}
	}
}

// wants reports whether w is part of this run.
func (o *options) wants(w *workload) bool {
	return o.only.MatchString(w.name) && (w.quick || !o.quick || o.only.String() != "")
}

// commandLine is what was typed, with files reduced to their names: a raw file says
// nothing about the directories of the machine.
func commandLine(f *flag.FlagSet) string {
	words := []string{"scripts/bench-compare"}
	f.Visit(func(g *flag.Flag) {
		value := g.Value.String()
		switch g.Name {
		case "ringmaster", "out":
			value = filepath.Base(value)
		case "pin-proxy", "pin-servers", "pin-client":
			return // in the record on their own
		}
		if strings.ContainsAny(value, " |()*$?") {
			value = "'" + value + "'"
		}
		words = append(words, "-"+g.Name+"="+value)
	})
	return strings.Join(words, " ")
}

func workloadNames() string {
	var names []string
	for _, w := range workloads {
		names = append(names, w.name)
	}
	return strings.Join(names, ", ")
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

// findPeers looks for every peer's program and notes versions and absences in r.
func findPeers(o *options, r *Record) (chosen []peer, binaries map[string]string, err error) {
	named := map[string]bool{}
	for _, n := range o.peers {
		named[n] = true
	}
	binaries = map[string]string{}
	r.Skipped = map[string]string{}
	r.Versions = map[string]string{"redis-server": versionLine("redis-server", "--version"), "redis-benchmark": versionLine("redis-benchmark", "--version")}
	for _, p := range peers {
		if len(o.peers) > 0 && !named[p.name] {
			continue
		}
		delete(named, p.name)
		if p.find != nil {
			binary, err := p.find(o)
			if err != nil && len(o.peers) > 0 {
				return nil, nil, fmt.Errorf("%s: %w", p.name, err)
			}
			if err != nil {
				r.Skipped[p.name] = firstLine(err.Error())
				continue
			}
			binaries[p.name] = binary
			r.Versions[p.name] = p.version(binary)
		}
		chosen = append(chosen, p)
		r.Peers = append(r.Peers, p.name)
	}
	for n := range named {
		if n != "" {
			return nil, nil, fmt.Errorf("there is no peer %q", n)
		}
	}
	return chosen, binaries, nil
}
