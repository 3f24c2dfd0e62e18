package e2e

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"ringmaster/internal/testkit"
)

// judge says whether two replies agree that are not equal byte for byte. The zero judge
// never does.
type judge struct {
	name string
	near int64  // of "near": how far integers may be apart
	but  string // of "but": the map entry that may differ
}

func parseJudge(s string) (judge, error) {
	name, arg, _ := strings.Cut(s, ":")
	j := judge{name: name}
	switch name {
	case "unordered", "pairs", "scan", "kind", "size", "errno":
		return j, nil
	case "but":
		j.but = arg
		return j, nil
	case "near":
		n, err := strconv.ParseInt(arg, 10, 64)
		j.near = n
		return j, err
	}
	return j, fmt.Errorf("no comparison %q", s)
}

const notADouble = "-ERR One or more scores can't be converted into double\r\n"

// agree reports whether the replies a and b are the same to this judge.
func (j judge) agree(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if j.name == "errno" {
		return string(a) == notADouble || string(b) == notADouble
	}
	if j.name == "" || len(a) == 0 || len(b) == 0 || a[0] == '-' || b[0] == '-' {
		return false
	}
	x, errA := testkit.ParseValue(a)
	y, errB := testkit.ParseValue(b)
	if errA != nil || errB != nil {
		return false
	}
	switch j.name {
	case "unordered":
		return x.Sorted().String() == y.Sorted().String()
	case "pairs":
		return paired(x).String() == paired(y).String()
	case "scan":
		return distinct(x) == distinct(y)
	case "near":
		return near(x, y, j.near)
	case "kind":
		return x.Kind == y.Kind && x.Null == y.Null && len(x.Elems) == len(y.Elems)
	case "size":
		return x.Kind == y.Kind && x.Null == y.Null && len(x.Text) == len(y.Text)
	case "but":
		return masked(x, j.but).String() == masked(y, j.but).String()
	}
	return false
}

// paired sorts by pairs, also inside the reply of a SCAN.
func paired(v testkit.Value) testkit.Value {
	if len(v.Elems) == 2 && v.Elems[1].Kind == '*' {
		v.Elems[1] = v.Elems[1].SortedPairs()
		return v
	}
	return v.SortedPairs()
}

// distinct is a SCAN's reply, sorted, with each element once.
func distinct(v testkit.Value) string {
	v = v.Sorted()
	for i := range v.Elems {
		v.Elems[i].Elems = compact(v.Elems[i].Elems)
	}
	return v.String()
}

func compact(list []testkit.Value) []testkit.Value {
	out := list[:0]
	for i, e := range list {
		if i == 0 || e.String() != list[i-1].String() {
			out = append(out, e)
		}
	}
	return out
}

func near(x, y testkit.Value, by int64) bool {
	if x.Kind != y.Kind || x.Null != y.Null || len(x.Elems) != len(y.Elems) {
		return false
	}
	for i := range x.Elems {
		if !near(x.Elems[i], y.Elems[i], by) {
			return false
		}
	}
	if x.Text == y.Text {
		return true
	}
	a, errA := strconv.ParseInt(x.Text, 10, 64)
	b, errB := strconv.ParseInt(y.Text, 10, 64)
	return x.Kind == ':' && errA == nil && errB == nil && a >= 0 && b >= 0 && max(a, b)-min(a, b) <= by
}

// masked is a map, or in RESP2 an array of pairs, without the value of name.
func masked(v testkit.Value, name string) testkit.Value {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		if v.Elems[i].Text == name {
			v.Elems[i+1].Text = ""
		}
	}
	return v
}
