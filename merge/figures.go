package merge

import (
	"strconv"

	"ringmaster/parser"
)

// figures adds up maps of numbers, and nested maps such as "db.0" of MEMORY STATS. Names keep the order in which they
// were first seen.
type figures struct {
	rows []figuresRow
	at   map[string]int
}

type figuresRow struct {
	name []byte
	raw  []byte // the first shard's value
	sum  int64
	sub  *figures // if the value is a map
}

// add takes one shard's map; fold joins two numbers. depth is how deep nested maps are joined.
func (t *figures) add(b []byte, depth int, fold func(a, b int64) int64) bool {
	e, ok := parser.ElementsOf(b)
	if t.at == nil {
		t.at = map[string]int{}
	}
	for e.Left() > 0 && ok {
		var name []byte
		if name, ok = e.Text(); !ok {
			break
		}
		raw := e.Next()
		if raw == nil {
			return false
		}
		i, known := t.at[string(name)]
		if !known {
			i = len(t.rows)
			t.at[string(name)] = i
			t.rows = append(t.rows, figuresRow{name: name, raw: raw})
		}
		ok = t.rows[i].add(raw, known, depth, fold)
	}
	return ok
}

func (r *figuresRow) add(raw []byte, known bool, depth int, fold func(a, b int64) int64) bool {
	switch raw[0] {
	case ':':
		n, ok := parser.Integer(raw)
		if known {
			n = fold(r.sum, n)
		}
		r.sum = n
		return ok
	case '*', '%':
		if depth == 0 {
			return true
		}
		if r.sub == nil {
			r.sub = &figures{}
		}
		return r.sub.add(raw, depth-1, fold)
	}
	return true
}

// figure returns a sum by name, 0 if there is none.
func (t *figures) figure(name string) float64 {
	if i, ok := t.at[name]; ok {
		return float64(t.rows[i].sum)
	}
	return 0
}

// append writes the joined map. ratios, if not nil, returns the two numbers whose ratio a figure is instead of a sum.
func (t *figures) append(dst []byte, like byte, ratios map[string]func(*figures) (float64, float64)) []byte {
	dst = parser.AppendPairs(dst, like, len(t.rows))
	for i := range t.rows {
		r := &t.rows[i]
		dst = parser.AppendBulk(dst, r.name)
		if ratio := ratios[string(r.name)]; ratio != nil {
			if a, b := ratio(t); b > 0 {
				dst = appendRatio(dst, r.raw[0], a/b)
				continue
			}
		}
		switch {
		case r.sub != nil:
			dst = r.sub.append(dst, like, nil)
		case r.raw[0] == ':':
			dst = parser.AppendInt(dst, r.sum)
		default:
			dst = append(dst, r.raw...)
		}
	}
	return dst
}

func appendRatio(dst []byte, like byte, n float64) []byte {
	if like == ':' {
		return parser.AppendInt(dst, int64(n))
	}
	text := strconv.FormatFloat(n, 'f', -1, 64)
	if like == ',' {
		dst = append(dst, ',')
		dst = append(dst, text...)
		return append(dst, "\r\n"...)
	}
	return parser.AppendBulkString(dst, text)
}

// memoryRatios are the figures of MEMORY STATS that compare two others (Redis 7.0, object.c, getMemoryOverheadData).
var memoryRatios = map[string]func(t *figures) (a, b float64){
	"peak.percentage": func(t *figures) (float64, float64) {
		return 100 * t.figure("total.allocated"), t.figure("peak.allocated")
	},
	"dataset.percentage": func(t *figures) (float64, float64) {
		return 100 * t.figure("dataset.bytes"), t.figure("total.allocated") - t.figure("startup.allocated")
	},
	"keys.bytes-per-key": func(t *figures) (float64, float64) {
		return t.figure("total.allocated") - t.figure("startup.allocated"), t.figure("keys.count")
	},
	"allocator-fragmentation.ratio": func(t *figures) (float64, float64) {
		return t.figure("allocator.active"), t.figure("allocator.allocated")
	},
	"allocator-rss.ratio": func(t *figures) (float64, float64) {
		return t.figure("allocator.resident"), t.figure("allocator.active")
	},
	"rss-overhead.ratio": func(t *figures) (float64, float64) {
		return t.figure("rss-overhead.bytes") + t.figure("allocator.resident"), t.figure("allocator.resident")
	},
	"fragmentation": func(t *figures) (float64, float64) {
		return t.figure("fragmentation.bytes") + t.figure("total.allocated"), t.figure("total.allocated")
	},
}

// joinMemory joins MEMORY STATS: it adds figures, and computes ratios from the sums.
func (r *Request) joinMemory(dst []byte) []byte {
	var t figures
	for i := range r.Parts {
		if !t.add(r.Parts[i].Reply, 1, plus) {
			return r.odd(dst)
		}
	}
	r.addMissing(&t)
	return t.append(dst, r.Parts[0].Reply[0], memoryRatios)
}

// joinFunctionStats returns the script that runs on some shard, and the largest number of functions on a shard,
// because all have the same functions.
func (r *Request) joinFunctionStats(dst []byte) []byte {
	var running, engines []byte
	var t figures
	for i := range r.Parts {
		e, ok := parser.ElementsOf(r.Parts[i].Reply)
		for e.Left() > 0 && ok {
			var name []byte
			if name, ok = e.Text(); !ok {
				break
			}
			value := e.Next()
			switch {
			case value == nil:
				ok = false
			case string(name) == "running_script" && (running == nil || parser.IsNull(running)):
				running = value
			case string(name) == "engines":
				engines = value
				ok = t.add(value, 1, most)
			}
		}
		if !ok || running == nil || engines == nil {
			return r.odd(dst)
		}
	}
	like := r.Parts[0].Reply[0]
	dst = parser.AppendPairs(dst, like, 2)
	dst = parser.AppendBulkString(dst, "running_script")
	dst = append(dst, running...)
	dst = parser.AppendBulkString(dst, "engines")
	return t.append(dst, like, nil)
}
