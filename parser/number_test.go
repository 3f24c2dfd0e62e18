package parser

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// strictInt is Int by means of strconv: only the canonical spelling of a number is valid.
func strictInt(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s {
		return 0, false
	}
	return n, true
}

var numbers = []string{
	"0", "1", "9", "10", "123456789", "-1", "-9", "-10",
	"9223372036854775807", "-9223372036854775808",
	"", "-", "--1", "-0", "00", "01", "-01", "+1", "+0", " 1", "1 ", "1\n", "1\r", "1a", "a", "0x1", "1e3", "1.0", "1_0",
	"9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
	"99999999999999999999", "-9999999999999999999", "100000000000000000000", "-1000000000000000000000",
	"\x00", "1\x00", "\xff", "１", strings.Repeat("1", 100), strings.Repeat("0", 100),
}

func TestIntTakesOnlyTheCanonicalSpelling(t *testing.T) {
	for _, s := range numbers {
		n, ok := Int([]byte(s))
		if want, wantOK := strictInt(s); n != want || ok != wantOK {
			t.Errorf("Int(%q) = %d, %t; want %d, %t", s, n, ok, want, wantOK)
		}
	}
}

func TestIntAtTheEdgesOfEveryLength(t *testing.T) {
	for v := uint64(1); v < math.MaxInt64/10; v *= 10 {
		for _, n := range []int64{int64(v) - 1, int64(v), int64(v) + 1, -int64(v), -int64(v) - 1} {
			if got, ok := Int(strconv.AppendInt(nil, n, 10)); got != n || !ok {
				t.Errorf("Int of %d = %d, %t", n, got, ok)
			}
		}
	}
}

func FuzzInt(f *testing.F) {
	for _, s := range numbers {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := Int([]byte(s))
		if want, wantOK := strictInt(s); n != want || ok != wantOK {
			t.Fatalf("Int(%q) = %d, %t; want %d, %t", s, n, ok, want, wantOK)
		}
	})
}
