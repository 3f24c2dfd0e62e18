package stats

import "strconv"

// Kind says how a metric behaves.
type Kind uint8

// The kinds, with the meaning they have in Prometheus.
const (
	Counter      Kind = iota // only goes up, until a restart
	Gauge                    // goes up and down
	Distribution             // a histogram
)

// String returns the kind in the words of a Prometheus TYPE line. Any goroutine.
func (k Kind) String() string {
	return [...]string{"counter", "gauge", "histogram"}[k]
}

// Metric is one row of the table of metrics.
type Metric struct {
	Name   string
	Kind   Kind
	Unit   string // seconds, bytes, or what is counted
	Labels []string
	Help   string // one sentence
	Source string // the field it is read from
	read   collect
}

// Samples calls emit with every value of m in v. Any goroutine.
func (m *Metric) Samples(v *View, emit func(Sample)) { m.read(v, emit) }

// Metrics is the table of everything that ringmaster measures about itself, in the order of display. It must not be
// changed. Any goroutine.
func Metrics() []Metric { return table }

// eachError calls f for every code counted for command id.
func (l *Loop) eachError(id uint16, f func(code string, n uint64)) {
	c := l.Command(id)
	if c == nil {
		return
	}
	for i, n := range c.errors {
		if n > 0 && i < len(l.codes) {
			f(l.codes[i], n)
		}
	}
}

// Command returns the counters of a command, nil if it was never called.
func (l *Loop) Command(id uint16) *Command {
	if int(id) >= len(l.commands) {
		return nil
	}
	return l.commands[id]
}

func nameOf(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return itoa(i)
}

func itoa(i int) string { return strconv.Itoa(i) }
