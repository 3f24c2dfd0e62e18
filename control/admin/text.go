package admin

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/VictoriaMetrics/metrics"

	"ringmaster/stats"
)

// The bounds shown of a histogram: the powers of two from 16 µs to 17 s. Inside it is
// four times as fine.
const (
	firstBound = 14
	lastBound  = 34
)

// writeMetrics writes the table's metrics, then those of the process, in Prometheus's text format.
func writeMetrics(b *bytes.Buffer, v *stats.View) {
	table := stats.Metrics()
	for i := range table {
		writeMetric(b, &table[i], v)
	}
	metrics.WriteProcessMetrics(b)
}

// writeMetric writes one metric; one without values is left out whole.
func writeMetric(b *bytes.Buffer, m *stats.Metric, v *stats.View) {
	headed := false
	m.Samples(v, func(s stats.Sample) {
		if !headed {
			fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", m.Name, helpText.Replace(m.Help), m.Name, m.Kind)
			headed = true
		}
		labels := pairs(m.Labels, s.Labels)
		switch m.Kind {
		case stats.Counter:
			metrics.WriteCounterUint64(b, series(m.Name, labels), s.Value)
		case stats.Gauge:
			metrics.WriteGaugeUint64(b, series(m.Name, labels), s.Value)
		case stats.Distribution:
			writeHistogram(b, m.Name, labels, s.Histogram)
		}
	})
}

func writeHistogram(w io.Writer, name string, labels []string, h *stats.Histogram) {
	bucket := func(le string, n uint64) {
		all := append(labels[:len(labels):len(labels)], `le="`+le+`"`)
		metrics.WriteCounterUint64(w, series(name+"_bucket", all), n)
	}
	for exp := firstBound; exp <= lastBound; exp++ {
		bucket(strconv.FormatFloat(float64(uint64(1)<<exp)/1e9, 'g', -1, 64), h.Below(exp))
	}
	count := h.Count()
	bucket("+Inf", count)
	metrics.WriteCounterFloat64(w, series(name+"_sum", labels), float64(h.Sum)/1e9)
	metrics.WriteCounterUint64(w, series(name+"_count", labels), count)
}

var (
	labelText = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	helpText  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
)

// pairs is name="value" for each label, the values escaped.
func pairs(names, values []string) []string {
	out := make([]string, 0, len(names)+1)
	for i, name := range names {
		out = append(out, name+`="`+labelText.Replace(values[i])+`"`)
	}
	return out
}

func series(name string, labels []string) string {
	if len(labels) == 0 {
		return name
	}
	return name + "{" + strings.Join(labels, ",") + "}"
}
