package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

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
	profile         string // file for a CPU profile of ringmaster
	command         string
	dir             string // for binaries, configurations and logs of this run
	openFiles       uint64
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
		note := ""
		if part == "client" {
			note = "; it binds redis-benchmark, our own load generator runs where bench-compare does"
		}
		f.Func("pin-"+part, "taskset `list` for the "+part+", such as 0 or 0-1 (default: none)"+note, func(s string) error {
			o.pins[part] = s
			return nil
		})
	}
	f.StringVar(&o.out, "out", "", "raw `file` to write (default bench/results/DATE-COMMIT.json; - for none; a quick run writes none unless told)")
	f.StringVar(&o.profile, "profile", "", "`file` for a CPU profile of ringmaster during all samples of redis-benchmark, for cmd/ringmaster/default.pgo")
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
	if o.profile != "" {
		o.ringmasterFlags = append(o.ringmasterFlags, "--pprof")
	}
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

// commandLine returns the command line with files reduced to their names, so that a raw file says nothing about the
// directories of the machine.
func commandLine(f *flag.FlagSet) string {
	words := []string{"scripts/bench-compare"}
	f.Visit(func(g *flag.Flag) {
		value := g.Value.String()
		switch g.Name {
		case "ringmaster", "out", "profile":
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
