package shard

import (
	"strings"
	"testing"
)

func servers(weights ...int) []Server {
	var list []Server
	for i, w := range weights {
		name := "server" + string(rune('a'+i))
		list = append(list, Server{Name: name, Addr: name + ":6379", Weight: w})
	}
	return list
}

func mustNew(t testing.TB, c Config) *Map {
	t.Helper()
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNewRefuses(t *testing.T) {
	twice := servers(1, 1)
	twice[1].Name = twice[0].Name
	unnamed := servers(1, 1)
	unnamed[1].Name = ""
	long := servers(1, 1)
	long[0].Name = strings.Repeat("x", MaxName+1)
	for _, c := range []struct {
		name   string
		config Config
		want   string // part of the error
	}{
		{"no servers", Config{}, "no servers"},
		{"too many servers", Config{Servers: make([]Server, MaxServers+1)}, "4097 servers"},
		{"a weight of 0", Config{Servers: servers(1, 0)}, "weight 0"},
		{"a negative weight", Config{Servers: servers(-1)}, "weight -1"},
		{"weights that overflow", Config{Servers: servers(MaxTotalWeight, 1)}, "2147483647"},
		{"a name used twice", Config{Servers: twice}, "servera:6379 and serverb:6379 have the same name"},
		{"no name", Config{Servers: unnamed}, "has no name"},
		{"a long name", Config{Servers: long}, "name of 256 bytes"},
		{"a tag of one byte", Config{Servers: servers(1), HashTag: "{"}, `hash tag "{"`},
		{"a tag of three bytes", Config{Servers: servers(1), HashTag: "{ }"}, `hash tag "{ }"`},
		{"an unknown hash", Config{Servers: servers(1), Hash: Murmur + 1}, "no such hash"},
		{"an unknown distribution", Config{Servers: servers(1), Distribution: Random + 1}, "no such distribution"},
		{"maglev without room for a light server", Config{Servers: servers(1, 1<<20), Distribution: Maglev}, `"servera" of weight 1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := New(c.config)
			if err == nil || m != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got map %v and error %v, want an error with %q", m, err, c.want)
			}
		})
	}
}

func TestMapKeepsItsServersWhenTheListChanges(t *testing.T) {
	list := servers(1, 2)
	m := mustNew(t, Config{Servers: list})
	list[1].Name = "changed"
	if got := m.Server(1); m.Len() != 2 || got.Name != "serverb" || got.Weight != 2 {
		t.Errorf("%d servers, the second is %+v", m.Len(), got)
	}
}

func TestOneServerHasEveryKey(t *testing.T) {
	for d := range distributionNames {
		m := mustNew(t, Config{Servers: servers(7), Distribution: Distribution(d)})
		for _, key := range []string{"", "a", "{b}"} {
			if got := m.Lookup([]byte(key)); got != 0 {
				t.Errorf("%v: key %q is on shard %d", Distribution(d), key, got)
			}
		}
	}
}

func TestPartIsWhatLiesBetweenTheFirstTagBytes(t *testing.T) {
	for _, c := range []struct{ tag, key, want string }{
		{"{}", "a{b}c", "b"},
		{"{}", "{b}", "b"},
		{"{}", "x{a}{b}", "a"},
		{"{}", "{}{b}", "{}{b}"}, // an empty first tag counts, although a later one is complete
		{"{}", "a{b", "a{b"},
		{"{}", "a}b", "a}b"},
		{"{}", "a}b{c}", "c"},
		{"{}", "{{a}}", "{a"},
		{"{}", "{", "{"},
		{"{}", "", ""},
		{"$$", "a$b$c", "b"},
		{"$$", "a$$b$", "a$$b$"},
		{"$$", "$", "$"},
	} {
		tag, err := newTag(c.tag)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(tag.part([]byte(c.key))); got != c.want {
			t.Errorf("tag %s, key %q: part %q, want %q", c.tag, c.key, got, c.want)
		}
	}
}

func TestTogetherWithAll(t *testing.T) {
	tagged := mustNew(t, Config{Servers: servers(1, 1), HashTag: "{}"})
	apart := "{b}" // a tag on another server than {a}
	for n := 0; tagged.Together([]byte("{a}"), []byte(apart)); n++ {
		apart = "{b" + strings.Repeat("b", n) + "}"
	}
	for pattern, want := range map[string]bool{
		"{a}*": true, "x{a}y*->f": true, "*{a}": false, "{a*}": false, "{*a}": false, "a*": false, "*": false, "{}{a}*": false, "{a}": false,
		apart + "*": false,
	} {
		if got := tagged.TogetherWithAll([]byte("{a}1"), []byte(pattern)); got != want {
			t.Errorf("%s: %t", pattern, got)
		}
	}
	if mustNew(t, Config{Servers: servers(1, 1)}).TogetherWithAll([]byte("{a}1"), []byte("{a}*")) {
		t.Error("without hash tags any key may live elsewhere")
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	key := []byte("user:{1234567890}:profile")
	for d := range distributionNames {
		for h := range hashNames {
			m := mustNew(t, Config{Servers: servers(1, 2, 3), Distribution: Distribution(d), Hash: Hash(h), HashTag: "{}"})
			if n := testing.AllocsPerRun(100, func() { m.Lookup(key) }); n != 0 {
				t.Errorf("%v %v: %v allocations", Distribution(d), Hash(h), n)
			}
		}
	}
	if n := testing.AllocsPerRun(100, func() { Slot(key) }); n != 0 {
		t.Errorf("Slot: %v allocations", n)
	}
}

func FuzzLookupFindsAShardForEveryKey(f *testing.F) {
	for _, key := range []string{"", "a", "{", "{}", "a{b}c", "\x80\xff\x00", strings.Repeat("\xff", 200)} {
		f.Add([]byte(key), "{}")
	}
	f.Add([]byte("$a$"), "$$")
	list := servers(1, 5, 2)
	f.Fuzz(func(t *testing.T, key []byte, tag string) {
		for h := range hashNames {
			for d := range distributionNames {
				m, err := shared(list, Distribution(d), Hash(h), tag)
				if err != nil {
					return
				}
				got := m.Lookup(key)
				if got < 0 || got >= m.Len() {
					t.Fatalf("%v %v tag %q: key %q is on shard %d of %d", m.hash, Distribution(d), tag, key, got, m.Len())
				}
				if again := m.Lookup(key); again != got && Distribution(d) != Random {
					t.Fatalf("%v %v tag %q: key %q is on shard %d, then on %d", m.hash, Distribution(d), tag, key, got, again)
				}
			}
		}
	})
}

// shared is like New, but builds the owners, the slow part, once per distribution.
func shared(list []Server, d Distribution, h Hash, tag string) (*Map, error) {
	m, err := New(Config{Servers: list[:1], Distribution: d, Hash: h, HashTag: tag})
	if err != nil {
		return nil, err
	}
	if builtOwners[d] == nil {
		if builtOwners[d], err = place(d, list); err != nil {
			return nil, err
		}
	}
	m.servers, m.owners = list, builtOwners[d]
	return m, nil
}

var builtOwners [4]placement
