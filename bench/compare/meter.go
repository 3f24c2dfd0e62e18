package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringmaster/bench/proc"
)

// meter knows what an instance had used and done when it was started.
type meter struct {
	in           *instance
	own, servers time.Duration // of CPU
	did          *proc.Activity
	loops        loops
	hasLoops     bool
}

// loops is what the loops of a ringmaster have counted themselves.
type loops struct {
	turns float64
	sends float64 // writes to sockets by a call that the kernel does not count; 0 in earlier versions
}

// startMeter reads the loops' counts first, because reading them is work for the instance.
func startMeter(in *instance) (meter, error) {
	m := meter{in: in}
	m.loops, m.hasLoops = in.loops()
	m.did = in.activity()
	var err error
	m.own, m.servers, err = m.cpu()
	return m, err
}

func (m meter) cpu() (own, servers time.Duration, err error) {
	if m.in.proc != nil {
		if own, err = proc.CPU(m.in.proc.PID()); err != nil {
			return 0, 0, m.in.proc.Describe(err)
		}
	}
	for _, s := range m.in.servers {
		d, err := proc.CPU(s.proc.PID())
		if err != nil {
			return 0, 0, err
		}
		servers += d
	}
	return own, servers, nil
}

// stop adds what was used and done since startMeter, divided by commands, to v.
func (m meter) stop(commands int, v map[Metric]float64) error {
	own, servers, err := m.cpu()
	if err != nil {
		return err
	}
	m.stopCounts(commands, v)
	perCommand := func(d time.Duration) float64 { return float64(d) / 1e3 / float64(commands) }
	if len(m.in.servers) > 0 {
		v[ServerCPU] = perCommand(servers - m.servers)
	}
	if m.in.proc == nil {
		return nil
	}
	v[CPU] = perCommand(own - m.own)
	rss, err := proc.RSS(m.in.proc.PID())
	v[RSS] = float64(rss)
	return err
}

// stopCounts adds what was counted. Counts that are not to be had are left out: they say why a peer costs what it costs,
// and a sample is good without them.
func (m meter) stopCounts(commands int, v map[Metric]float64) {
	perThousand := func(n float64) float64 { return n * 1000 / float64(commands) }
	loops, hasLoops := m.in.loops()
	hasLoops = hasLoops && m.hasLoops
	if did := m.in.activity(); did != nil && m.did != nil {
		if !m.in.peer.sockets {
			v[Reads] = perThousand(float64(did.Reads - m.did.Reads))
			v[Writes] = perThousand(float64(did.Writes-m.did.Writes) + loops.sends - m.loops.sends)
		}
		v[Switches] = perThousand(float64(did.SwitchesSince(*m.did)))
	}
	if hasLoops {
		v[Turns] = perThousand(loops.turns - m.loops.turns)
	}
}

// activity returns what the kernel has counted, nil if it does not count.
func (in *instance) activity() *proc.Activity {
	a, err := proc.ActivityOf(in.subject().PID())
	if err != nil {
		return nil
	}
	return &a
}

// loops asks for what all loops have counted; false: the instance does not count.
func (in *instance) loops() (loops, bool) {
	if in.admin == "" {
		return loops{}, false
	}
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := c.Get("http://" + in.admin + "/metrics")
	if err != nil {
		return loops{}, false
	}
	defer answer.Body.Close()
	sums, err := sumsOf(answer.Body, "ringmaster_loop_turns_total", "ringmaster_loop_writes_total")
	turns, ok := sums["ringmaster_loop_turns_total"]
	return loops{turns, sums["ringmaster_loop_writes_total"]}, ok && err == nil && answer.StatusCode == http.StatusOK
}

// sumsOf adds the values of each metric's series in Prometheus's text format. A metric without series has no sum.
func sumsOf(text io.Reader, metrics ...string) (map[string]float64, error) {
	sums := map[string]float64{}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		series, value, ok := strings.Cut(lines.Text(), " ")
		if name, _, _ := strings.Cut(series, "{"); ok && slices.Contains(metrics, name) {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", series, err)
			}
			sums[name] += v
		}
	}
	return sums, lines.Err()
}
