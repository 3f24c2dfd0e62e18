package merge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ringmaster/parser"
)

// fold joins numbers. If one is not a number, the first value stands for all.
func fold(values []string, whole func(a, b int64) int64, f func(a, b float64) float64) string {
	if text, ok := foldWhole(values, whole); ok {
		return text
	}
	var sum float64
	digits := 0
	for i, v := range values {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return values[0]
		}
		if _, frac, ok := strings.Cut(v, "."); ok {
			digits = max(digits, len(frac))
		}
		if i == 0 {
			sum = n
		} else {
			sum = f(sum, n)
		}
	}
	return strconv.FormatFloat(sum, 'f', min(digits, maxDigits), 64)
}

// foldWhole joins whole numbers if they are small enough for an exact sum.
func foldWhole(values []string, f func(a, b int64) int64) (text string, ok bool) {
	const limit = 1 << 50 // there are at most shard.MaxServers values, 1 << 12
	var sum int64
	for i, v := range values {
		n, ok := parser.Int([]byte(v))
		if !ok || n > limit || n < -limit {
			return "", false
		}
		if i == 0 {
			sum = n
		} else {
			sum = f(sum, n)
		}
	}
	return strconv.FormatInt(sum, 10), true
}

// maxDigits bounds the digits after the point of a joined number.
const maxDigits = 17

// pairSections have values such as "keys=1,expires=0,avg_ttl=0".
var pairSections = map[string]bool{"Keyspace": true, "Commandstats": true, "Latencystats": true, "Errorstats": true}

// joinPairs joins values of pairs name by name. Counts are added, averages are computed from the sums, and of
// percentiles the largest is taken, because they can't be added.
func joinPairs(values []string) string {
	columns := make([]column, 0, 8)
	for _, v := range values {
		j := 0
		for kv := range strings.SplitSeq(v, ",") {
			name, text, _ := strings.Cut(kv, "=")
			if j >= len(columns) || columns[j].name != name {
				j = slices.IndexFunc(columns, func(c column) bool { return c.name == name })
			}
			if j < 0 {
				if j = len(columns); j == maxColumns {
					return values[0]
				}
				columns = append(columns, column{name, make([]string, 0, len(values))})
			}
			columns[j].values = append(columns[j].values, text)
			j++
		}
	}
	var out []byte
	for i, c := range columns {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, c.name...), '=')
		out = append(out, c.join(columns)...)
	}
	return string(out)
}

// maxColumns bounds the pairs of a field; servers have seven at most.
const maxColumns = 64

// column is a name of pairs with the values of each server that has it.
type column struct {
	name   string
	values []string
}

func (c *column) join(all []column) string {
	switch {
	case c.name == "usec_per_call":
		return strconv.FormatFloat(average(total(valuesOf(all, "usec")), total(valuesOf(all, "calls"))), 'f', 2, 64)
	case c.name == "avg_ttl":
		return strconv.FormatFloat(weighted(c.values, valuesOf(all, "expires")), 'f', 0, 64)
	case strings.HasPrefix(c.name, "p") && strings.Trim(c.name[1:], "0123456789.") == "":
		return largest(c.values)
	}
	return summed(c.values)
}

func valuesOf(all []column, name string) []string {
	for i := range all {
		if all[i].name == name {
			return all[i].values
		}
	}
	return nil
}

func total(values []string) (sum float64) {
	for _, v := range values {
		n, _ := strconv.ParseFloat(v, 64)
		sum += n
	}
	return sum
}

func average(sum, count float64) float64 {
	if count <= 0 {
		return 0
	}
	return sum / count
}

// weighted returns the mean of values, weighted by weights.
func weighted(values, weights []string) float64 {
	if len(values) != len(weights) {
		return 0
	}
	var sum float64
	for i, v := range values {
		n, _ := strconv.ParseFloat(v, 64)
		w, _ := strconv.ParseFloat(weights[i], 64)
		sum += n * w
	}
	return average(sum, total(weights))
}

// bytesToHuman prints as Redis does (server.c, bytesToHuman).
func bytesToHuman(n float64) string {
	for _, unit := range []string{"B", "K", "M", "G", "T"} {
		if n < 1024 || unit == "T" {
			if unit == "B" {
				return fmt.Sprintf("%.0fB", n)
			}
			return fmt.Sprintf("%.2f%s", n, unit)
		}
		n /= 1024
	}
	return ""
}
