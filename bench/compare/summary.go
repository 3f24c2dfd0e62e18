package main

// cell addresses the samples of one workload on one peer.
type cell struct{ workload, peer string }

// summary is a record in another order: for each workload, peer and metric the values by round.
type summary struct {
	values map[cell]map[Metric]map[int]float64
	errors map[cell]string // the first error
}

func summarize(r *Record) summary {
	s := summary{values: map[cell]map[Metric]map[int]float64{}, errors: map[cell]string{}}
	for _, x := range r.Samples {
		at := cell{x.Workload, x.Peer}
		if x.Error != "" {
			if s.errors[at] == "" {
				s.errors[at] = x.Error
			}
			continue
		}
		if s.values[at] == nil {
			s.values[at] = map[Metric]map[int]float64{}
		}
		for m, v := range x.Values {
			if s.values[at][m] == nil {
				s.values[at][m] = map[int]float64{}
			}
			s.values[at][m][x.Round] = v
		}
	}
	return s
}

// measured reports whether the workload has any sample, good or bad, of the peer.
func (s summary) measured(workload, peer string) bool {
	at := cell{workload, peer}
	return s.values[at] != nil || s.errors[at] != ""
}

// figure is a median over rounds with its range. It is absent when n is 0.
type figure struct {
	median, low, high float64
	n                 int
}

func newFigure(values []float64) figure {
	f := figure{n: len(values), median: median(values)}
	for i, v := range values {
		if i == 0 || v < f.low {
			f.low = v
		}
		if i == 0 || v > f.high {
			f.high = v
		}
	}
	return f
}

// value is the metric of a peer over all rounds.
func (s summary) value(workload, peer string, m Metric) figure {
	var all []float64
	for _, v := range s.values[cell{workload, peer}][m] {
		all = append(all, v)
	}
	return newFigure(all)
}

// ratio is the peer's metric divided by that of base. It divides within each round, between samples taken seconds
// apart, and takes the median of the quotients.
func (s summary) ratio(workload, peer, base string, m Metric) figure {
	var all []float64
	below := s.values[cell{workload, base}][m]
	for round, v := range s.values[cell{workload, peer}][m] {
		if b := below[round]; b > 0 {
			all = append(all, v/b)
		}
	}
	return newFigure(all)
}
