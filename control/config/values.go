package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// value says how the value of a setting gets into a Config, and where it is there.
type value struct {
	// apply parses the values given by one source (one value unless the setting is a list) into c.
	apply func(c *Config, values []string) error
	// field points to the field of c that has the value in force.
	field func(c *Config) any
}

// of makes a value's field of a function with the field's type.
func of[T any](field func(*Config) *T) func(*Config) any {
	return func(c *Config) any { return field(c) }
}

// last adapts a parser of one value: if a source gives a setting twice, the last value counts.
func last(parse func(c *Config, value string) error) func(*Config, []string) error {
	return func(c *Config, values []string) error { return parse(c, values[len(values)-1]) }
}

// number reads a whole number from lo to hi.
func number(field func(*Config) *int, lo, hi int) value {
	return value{last(func(c *Config, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < lo || n > hi {
			return fmt.Errorf("want a whole number from %d to %d", lo, hi)
		}
		*field(c) = n
		return nil
	}), of(field)}
}

// size reads a number of bytes from lo to hi, with Redis's units.
func size(field func(*Config) *int, lo, hi int) value {
	return value{last(func(c *Config, value string) error {
		n, err := ParseSize(value)
		if err != nil {
			return err
		}
		if n < lo || n > hi {
			return fmt.Errorf("want a size from %s to %s", FormatSize(lo), FormatSize(hi))
		}
		*field(c) = n
		return nil
	}), of(field)}
}

var units = []struct {
	suffix string
	bytes  int
}{ // longest first; factors as in Redis's memtoull
	{"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30},
	{"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"b", 1}, {"", 1},
}

// ParseSize reads a size in the form of redis.conf: digits and a unit in any case, where 1k = 1000, 1kb = 1024, and
// so on for m, mb, g, gb. No unit, or b, means bytes.
func ParseSize(s string) (int, error) {
	lower := strings.ToLower(s)
	for _, u := range units {
		digits, ok := strings.CutSuffix(lower, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil || n > uint64(math.MaxInt64/u.bytes) {
			break
		}
		return int(n) * u.bytes, nil
	}
	return 0, errors.New("want a size: digits and a unit, such as 512mb, 64kb or 1gb")
}

// FormatSize writes a size so that [ParseSize] reads it back, in the largest binary unit
// that divides it.
func FormatSize(n int) string {
	for _, u := range []int{2, 1, 0} {
		if n > 0 && n%units[u].bytes == 0 {
			return strconv.Itoa(n/units[u].bytes) + units[u].suffix
		}
	}
	return strconv.Itoa(n) + "b"
}

// duration reads a duration from lo to hi.
func duration(field func(*Config) *time.Duration, lo, hi time.Duration) value {
	return value{last(func(c *Config, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil {
			return errors.New("want a duration: a number and a unit, such as 500ms, 5s or 2m")
		}
		if d < lo || d > hi {
			return fmt.Errorf("want a duration from %s to %s", short(lo), short(hi))
		}
		*field(c) = d
		return nil
	}), of(field)}
}

// short writes whole hours and minutes without their zeros: 1h, not 1h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// boolean reads the words that YAML and Redis use for yes and no.
func boolean(field func(*Config) *bool) value {
	return value{last(func(c *Config, value string) error {
		switch strings.ToLower(value) {
		case "true", "yes", "on", "1":
			*field(c) = true
		case "false", "no", "off", "0":
			*field(c) = false
		default:
			return errors.New("want true or false")
		}
		return nil
	}), of(field)}
}

// word reads one of the setting's words, which Setting.set has checked.
func word[T any](field func(*Config) *T, parse func(w string) T) value {
	return value{last(func(c *Config, value string) error { *field(c) = parse(value); return nil }), of(field)}
}

// known makes a parser of one that fails for words that are not in the table.
func known[T any](parse func(string) (T, error)) func(string) T {
	return func(w string) T {
		v, _ := parse(w)
		return v
	}
}

// text takes any value.
func text(field func(*Config) *string) value {
	return value{last(func(c *Config, value string) error { *field(c) = value; return nil }), of(field)}
}

func secret(field func(*Config) *Secret) value {
	return value{last(func(c *Config, value string) error { *field(c) = Secret(value); return nil }), of(field)}
}
