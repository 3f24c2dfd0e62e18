package main

import "testing"

func TestMedianOfOddEvenAndNoValues(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.values, got, c.want)
		}
	}
	values := []float64{3, 1, 2}
	median(values)
	if values[0] != 3 {
		t.Error("median sorted its argument")
	}
}

func TestRatioIsFormedWithinEachRound(t *testing.T) {
	r := &Record{}
	add := func(peer string, round int, rps float64) {
		r.Samples = append(r.Samples, Sample{Workload: "w", Peer: peer, Round: round, Values: map[Metric]float64{Throughput: rps}})
	}
	// The machine is half as fast in the second round; the peer is 1.2 times faster in all.
	add("a", 0, 120)
	add("b", 0, 100)
	add("a", 1, 60)
	add("b", 1, 50)
	add("a", 2, 12) // no partner: does not count
	s := summarize(r)
	if got := s.ratio("w", "a", "b", Throughput); got.n != 2 || got.median != 1.2 || got.low != 1.2 || got.high != 1.2 {
		t.Errorf("got %+v, want 1.2 in 2 rounds", got)
	}
	if got := s.value("w", "a", Throughput); got.n != 3 || got.median != 60 || got.low != 12 || got.high != 120 {
		t.Errorf("value %+v", got)
	}
	if got := s.ratio("w", "a", "nobody", Throughput); got.n != 0 {
		t.Errorf("a ratio to a peer that was not measured: %+v", got)
	}
}

func TestFailedSamplesCountInNoMedian(t *testing.T) {
	s := summarize(&Record{Samples: []Sample{
		{Workload: "w", Peer: "a", Round: 0, Error: "first"},
		{Workload: "w", Peer: "a", Round: 1, Error: "second"},
		{Workload: "w", Peer: "a", Round: 2, Values: map[Metric]float64{Throughput: 7}},
	}})
	if got := s.value("w", "a", Throughput); got.n != 1 || got.median != 7 {
		t.Errorf("got %+v", got)
	}
	if got := s.errors[cell{"w", "a"}]; got != "first" {
		t.Errorf("error %q, want the first", got)
	}
	if !s.measured("w", "a") || s.measured("w", "b") {
		t.Error("measured is wrong")
	}
}

func TestFloorsJudgeBothDirections(t *testing.T) {
	record := func(values map[Metric]float64, err string) summary {
		return summarize(&Record{Samples: []Sample{
			{Workload: "w", Peer: ringmaster, Values: values, Error: err},
			{Workload: "w", Peer: direct, Values: map[Metric]float64{Throughput: 100}},
		}})
	}
	least := floor{workload: "w", metric: Throughput, base: direct, limit: 1, atLeast: true, aim: 1.15}
	most := floor{workload: "w", metric: PerClient, limit: 1536, show: bytesText}
	back := floor{workload: "w", metric: ReturnTime, limit: 150, show: seconds}
	for _, c := range []struct {
		name   string
		floor  floor
		values map[Metric]float64
		err    string
		smoke  bool
		want   string
	}{
		{"below", least, map[Metric]float64{Throughput: 99}, "", false, "**fail**"},
		{"at the floor", least, map[Metric]float64{Throughput: 100}, "", false, "pass"},
		{"at the aim", least, map[Metric]float64{Throughput: 116}, "", false, "pass, aim reached"},
		{"at most, met", most, map[Metric]float64{PerClient: 1536}, "", false, "pass"},
		{"at most, missed", most, map[Metric]float64{PerClient: 1537}, "", false, "**fail**"},
		{"nothing measured", most, map[Metric]float64{Throughput: 1}, "", false, "not measured"},
		{"the sample failed", most, nil, "ERR", false, "**fail**, see below"},
		{"never returned", back, map[Metric]float64{PeakGrowth: 1}, "", false, "**fail**"},
		{"smoke run", least, map[Metric]float64{Throughput: 1}, "", true, "smoke run, not judged"},
	} {
		if got := c.floor.judge(record(c.values, c.err), c.smoke); got.result != c.want {
			t.Errorf("%s: got %+v, want %q", c.name, got, c.want)
		}
	}
}

func TestEveryFloorNamesAWorkload(t *testing.T) {
	known := map[string]bool{}
	for _, w := range workloads {
		if known[w.name] {
			t.Errorf("two workloads are called %s", w.name)
		}
		known[w.name] = true
	}
	for _, f := range floors {
		if !known[f.workload] {
			t.Errorf("no workload %q", f.workload)
		}
	}
}
