package shard

import (
	"fmt"
	"slices"
	"testing"
)

// One server under several names has one number, with any distribution. Each key still belongs to the same name.
func TestOneAddressHasOneNumber(t *testing.T) {
	list := func(text string) []Server {
		servers, err := ParseServers(text)
		if err != nil {
			t.Fatal(err)
		}
		return servers
	}
	for _, d := range []Distribution{Ketama, Modula, Maglev} {
		one, err := New(Config{Servers: list("h:1@m1,h:2@m2,h:1@m3,h:3@m4,h:2@m5"), Distribution: d, Hash: MD5})
		if err != nil {
			t.Fatal(err)
		}
		apart, err := New(Config{Servers: list("h:1@m1,h:2@m2,h:4@m3,h:3@m4,h:5@m5"), Distribution: d, Hash: MD5})
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{0, 1, 3}; !slices.Equal(one.Shards(), want) || one.Len() != 5 {
			t.Errorf("%s: shards %v of %d, want %v", d, one.Shards(), one.Len(), want)
		}
		number, met := []int{0, 1, 0, 3, 1}, map[int]bool{}
		for i := range 1000 {
			key := fmt.Append(nil, "key", i)
			was := apart.Lookup(key)
			met[was] = true
			if got := one.Lookup(key); got != number[was] {
				t.Fatalf("%s: %s is at %d, want %d, which has name %s", d, key, got, number[was], apart.Server(was).Name)
			}
		}
		if len(met) != 5 {
			t.Errorf("%s: the keys are at %d names only", d, len(met))
		}
	}
	random, err := New(Config{Servers: list("h:1@m1,h:2@m2,h:1@m3"), Distribution: Random})
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if random.Lookup(nil) == 2 {
			t.Fatal("random draws a name that has no number")
		}
	}
}

// If all names lead to one server, there is one server.
func TestOneAddressAloneIsOneShard(t *testing.T) {
	m, err := New(Config{Servers: []Server{{"a", "h:1", 1}, {"b", "h:1", 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Shards()) != 1 || m.Lookup([]byte("x")) != 0 || m.Lookup([]byte("y")) != 0 {
		t.Errorf("shards %v", m.Shards())
	}
}

func TestWaysToWriteAnAddress(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"localhost:6379", "127.0.0.1:6379", true},
		{"LocalHost.:6379", "127.0.0.1:06379", true},
		{"Redis-1.example.com:6379", "redis-1.example.com:6379", true},
		{"[::1]:6379", "[0:0::1]:6379", true},
		{"[::ffff:10.0.0.1]:6379", "10.0.0.1:6379", true},
		{"unix:///run/redis.sock", "unix:///run/./redis.sock", true},
		{"unix:///run/redis.sock", "unix:///run/Redis.sock", false},
		{"127.0.0.1:6379", "127.0.0.1:6380", false},
		{"127.0.0.1:6379", "127.0.0.2:6379", false},
		{"[::1]:6379", "127.0.0.1:6379", false}, // may be two servers
	} {
		if same := sameAddr(c.a) == sameAddr(c.b); same != c.same {
			t.Errorf("%s and %s are the same: %t, want %t", c.a, c.b, same, c.same)
		}
	}
}
