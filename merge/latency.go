package merge

import (
	"cmp"
	"slices"

	"ringmaster/command"
	"ringmaster/parser"
)

// spike is an event's line in LATENCY LATEST: time, latest and longest in ms; Valkey adds a sum and a count.
type spike struct {
	name    []byte
	figures []int64
}

// joinLatest makes a line for each event: the newest time with its latency, the longest of all, and the sums.
func (r *Request) joinLatest(dst []byte) []byte {
	var spikes []spike
	at := map[string]int{}
	for i := range r.Parts {
		e, ok := parser.ElementsOf(r.Parts[i].Reply)
		for b := e.Next(); b != nil && ok; b = e.Next() {
			var s spike
			if s, ok = readSpike(b); !ok {
				break
			}
			if j, known := at[string(s.name)]; known {
				spikes[j].add(s)
				continue
			}
			at[string(s.name)] = len(spikes)
			spikes = append(spikes, s)
		}
		if !ok {
			return r.odd(dst)
		}
	}
	dst = parser.AppendArray(dst, len(spikes))
	for _, s := range spikes {
		dst = parser.AppendArray(dst, 1+len(s.figures))
		dst = parser.AppendBulk(dst, s.name)
		for _, n := range s.figures {
			dst = parser.AppendInt(dst, n)
		}
	}
	return dst
}

func readSpike(b []byte) (s spike, ok bool) {
	e, _ := parser.ElementsOf(b)
	if s.name, ok = e.Text(); !ok {
		return s, false
	}
	for b := e.Next(); b != nil; b = e.Next() {
		n, ok := parser.Integer(b)
		if !ok {
			return s, false
		}
		s.figures = append(s.figures, n)
	}
	return s, len(s.figures) >= 3
}

func (s *spike) add(o spike) {
	if o.figures[0] > s.figures[0] {
		copy(s.figures[:2], o.figures)
	}
	s.figures[2] = max(s.figures[2], o.figures[2])
	for i := 3; i < min(len(s.figures), len(o.figures)); i++ {
		s.figures[i] += o.figures[i]
	}
}

// joinHistory sorts the samples [time, ms] by time, and keeps the longest of each second, as Redis does.
func (r *Request) joinHistory(dst []byte) []byte {
	var samples [][2]int64
	for i := range r.Parts {
		e, ok := parser.ElementsOf(r.Parts[i].Reply)
		for b := e.Next(); b != nil && ok; b = e.Next() {
			sample, _ := parser.ElementsOf(b)
			at, ok1 := sample.Integer()
			ms, ok2 := sample.Integer()
			ok = ok1 && ok2
			samples = append(samples, [2]int64{at, ms})
		}
		if !ok {
			return r.odd(dst)
		}
	}
	slices.SortFunc(samples, func(a, b [2]int64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(b[1], a[1])) })
	samples = slices.CompactFunc(samples, func(a, b [2]int64) bool { return a[0] == b[0] })
	dst = parser.AppendArray(dst, len(samples))
	for _, s := range samples {
		dst = parser.AppendArray(dst, 2)
		dst = parser.AppendInt(dst, s[0])
		dst = parser.AppendInt(dst, s[1])
	}
	return dst
}

// histogram has a command's calls, and for each bucket the number of calls that took at most its microseconds but
// more than the previous bucket's.
type histogram struct {
	name    []byte
	calls   int64
	buckets [][2]int64
}

// joinHistogram adds up the calls in each bucket, but counts a command for all shards once. Servers leave out buckets
// without calls, and each of their buckets includes the counts of those before it.
func (r *Request) joinHistogram(dst []byte) []byte {
	var all []histogram
	at := map[string]int{}
	for i := range r.Parts {
		e, ok := parser.ElementsOf(r.Parts[i].Reply)
		for e.Left() > 0 && ok {
			var h histogram
			if h.name, ok = e.Text(); !ok || !h.read(e.Next()) {
				ok = false
				break
			}
			if j, known := at[string(h.name)]; known {
				if r.everywhere(command.Named(string(h.name))) {
					if h.calls > all[j].calls {
						all[j] = h
					}
					continue
				}
				all[j].calls += h.calls
				all[j].buckets = append(all[j].buckets, h.buckets...)
				continue
			}
			at[string(h.name)] = len(all)
			all = append(all, h)
		}
		if !ok {
			return r.odd(dst)
		}
	}
	like := r.Parts[0].Reply[0]
	dst = parser.AppendPairs(dst, like, len(all))
	for i := range all {
		dst = all[i].append(dst, like)
	}
	return dst
}

func (h *histogram) read(b []byte) bool {
	e, ok := parser.ElementsOf(b)
	for e.Left() > 0 && ok {
		var name []byte
		if name, ok = e.Text(); !ok {
			break
		}
		value := e.Next()
		switch string(name) {
		case "calls":
			h.calls, ok = parser.Integer(value)
		case "histogram_usec":
			ok = h.readBuckets(value)
		}
	}
	return ok
}

func (h *histogram) readBuckets(b []byte) bool {
	e, ok := parser.ElementsOf(b)
	before := int64(0)
	for e.Left() > 0 && ok {
		us, ok1 := e.Integer()
		n, ok2 := e.Integer()
		ok = ok1 && ok2
		h.buckets = append(h.buckets, [2]int64{us, n - before})
		before = n
	}
	return ok
}

func (h *histogram) append(dst []byte, like byte) []byte {
	slices.SortFunc(h.buckets, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	buckets := h.buckets[:0]
	for _, b := range h.buckets {
		if n := len(buckets); n > 0 && buckets[n-1][0] == b[0] {
			buckets[n-1][1] += b[1]
			continue
		}
		buckets = append(buckets, b)
	}
	dst = parser.AppendBulk(dst, h.name)
	dst = parser.AppendPairs(dst, like, 2)
	dst = parser.AppendBulkString(dst, "calls")
	dst = parser.AppendInt(dst, h.calls)
	dst = parser.AppendBulkString(dst, "histogram_usec")
	dst = parser.AppendPairs(dst, like, len(buckets))
	total := int64(0)
	for _, b := range buckets {
		total += b[1]
		dst = parser.AppendInt(dst, b[0])
		dst = parser.AppendInt(dst, total)
	}
	return dst
}
