package command

import (
	"errors"
	"slices"
	"testing"
)

func reply(name string, arity int64, flags []any, first, last, step int64, tips, keys, subs []any) []any {
	return []any{name, arity, flags, first, last, step, []any{}, tips, keys, subs}
}

func TestNewSpecRoutesACommandTheTableDoesNotKnow(t *testing.T) {
	infos, err := ParseInfo([]any{
		nil, // COMMAND INFO of a name that the server does not know
		reply("JSON.GET", -2, []any{"readonly", "module"}, 1, 1, 1, nil, nil, nil),
		reply("json.mget", -3, []any{"readonly", "module"}, 1, -2, 1, nil, nil, nil),
		reply("ft.list", 1, []any{"module"}, 0, 0, 0, []any{"request_policy:all_shards"}, nil, nil),
		reply("box", -2, nil, 0, 0, 0, nil, nil, []any{reply("box|open", 3, nil, 2, 2, 1, nil, nil, nil)}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		name  string
		class Class
		merge Merge
		keys  []int
	}{
		{"json.get", ClassSingle, MergePass, []int{1}},
		{"json.mget", ClassSameShard, MergePass, []int{1, 2}},
		{"ft.list", ClassAllShards, MergeConcat, nil},
		{"box", ClassAnyShard, MergePass, nil},
		{"box|open", ClassSingle, MergePass, []int{2}},
	} {
		s := NewSpec(infos[i])
		keys, err := s.AppendKeys(nil, split("NAME a b c"))
		if s.Name != want.name || s.Class != want.class || s.Merge != want.merge || !slices.Equal(keys, want.keys) || err != nil {
			t.Errorf("%s: %s %v %v, keys at %v, %v", want.name, s.Name, s.Class, s.Merge, keys, err)
		}
		if s.ID != NoID || s.HasSubs() || s.Sub([]byte("open")) != nil {
			t.Errorf("%s: ID %d, subs %d", want.name, s.ID, s.Subs)
		}
	}
}

func TestParseInfoRefusesOtherShapes(t *testing.T) {
	keySpec := func(begin, find []any) []any {
		return []any{[]any{"flags", []any{}, "begin_search", begin, "find_keys", find}}
	}
	index := []any{"type", "index", "spec", []any{"index", int64(1)}}
	rng := func(step int64) []any {
		return []any{"type", "range", "spec", []any{"lastkey", int64(0), "keystep", step, "limit", int64(0)}}
	}
	for name, bad := range map[string]any{
		"no list":          "OK",
		"element no list":  []any{"get"},
		"too short":        []any{[]any{"get", int64(2), []any{}, int64(1), int64(1)}},
		"name no string":   []any{[]any{int64(1), int64(2), nil, int64(0), int64(0), int64(0), nil, nil, nil, nil}},
		"arity no integer": []any{[]any{"x", "2", nil, int64(0), int64(0), int64(0), nil, nil, nil, nil}},
		"huge position":    []any{reply("x", 2, nil, 1<<40, 1, 1, nil, nil, nil)},
		"step zero":        []any{reply("x", 2, nil, 1, 1, 1, nil, keySpec(index, rng(0)), nil)},
		"key spec without": []any{reply("x", 2, nil, 1, 1, 1, nil, []any{[]any{}}, nil)},
		"negative count": []any{reply("x", 2, nil, 1, 1, 1, nil, keySpec(index, []any{"type", "keynum", "spec",
			[]any{"keynumidx", int64(-9), "firstkey", int64(1), "keystep", int64(1)}}), nil)},
	} {
		if infos, err := ParseInfo(bad); !errors.Is(err, ErrInfo) || infos != nil {
			t.Errorf("%s: %v, %v", name, infos, err)
		}
	}
	redis6 := []any{"X", int64(2), []any{"write"}, int64(1), int64(1), int64(1), []any{"@dangerous"}}
	if infos, err := ParseInfo([]any{redis6, redis6[:6]}); err != nil || len(infos) != 2 || infos[0].Name != "x" || infos[0].First != 1 || len(infos[0].ACL) != 1 {
		t.Errorf("Redis 6: %v, %v", infos, err)
	}
	if infos, err := ParseInfo([]any{reply("x", 2, nil, 1, 1, 1, nil, keySpec(index, rng(1)), nil)}); err != nil || len(infos[0].Keys) != 1 {
		t.Errorf("a good one: %v, %v", infos, err)
	}
}
