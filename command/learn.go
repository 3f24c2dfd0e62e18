package command

import (
	"errors"
	"fmt"
	"strings"
)

// Info is what one server says about one command, in its own words.
type Info struct {
	Name  string    `json:"name"` // lowercase; "config|get"
	Arity int       `json:"arity"`
	Flags []string  `json:"flags,omitempty"`
	First int       `json:"first,omitempty"`
	Last  int       `json:"last,omitempty"`
	Step  int       `json:"step,omitempty"`
	Tips  []string  `json:"tips,omitempty"`
	Keys  []KeySpec `json:"keys,omitempty"`
	// ACL holds the categories, Group and Since are from COMMAND DOCS.
	ACL   []string `json:"acl,omitempty"`
	Group string   `json:"group,omitempty"`
	Since string   `json:"since,omitempty"`
}

// NewSpec makes a Spec of what servers say, with the decisions of this package applied. Its ID is
// NoID and it has no subcommands. It is for the commands of the table; see Learn for others. Any goroutine.
func NewSpec(in Info) Spec {
	s, tips := describe(in)
	s.Find = finder(&s)
	if f, ok := keywordFinders[s.Name]; ok {
		s.Find = f
	}
	s.Class, s.Merge = classify(&s, tips)
	if s.Class == ClassSplit {
		s.WordsPerKey = s.Step
	}
	decide(&s)
	s.Traits = traitsOf(s.Name)
	return s
}

// describe copies a server's description.
func describe(in Info) (Spec, tipSet) {
	s := Spec{
		ID: NoID, Name: in.Name, Arity: in.Arity, FirstKey: in.First, LastKey: in.Last,
		Step: in.Step, Keys: in.Keys, Group: in.Group, Since: in.Since,
	}
	for _, f := range in.Flags {
		s.Flags |= parseFlag(f)
	}
	tips := parseTips(in.Tips)
	if tips.allNodes {
		s.Flags |= FlagAllNodes
	}
	if tips.nondeterministic {
		s.Flags |= FlagNondeterministic
	}
	return s, tips
}

// finder picks the rule for the keys. If a command's keys have fixed places, the triple has all of them.
func finder(s *Spec) Finder {
	switch {
	case s.FirstKey > 0 && s.Step > 0 && !s.Flags.Has(FlagMovableKeys):
		return FindRange
	case len(s.Keys) > 0:
		return FindSpecs
	}
	return FindNone
}

type tipSet struct {
	multiShard, allShards, allNodes, special, nondeterministic bool
	merge                                                      Merge
	hasMerge                                                   bool
}

var mergeTips = map[string]Merge{
	"all_succeeded":   MergeAllEqual,
	"one_succeeded":   MergeOneOK,
	"agg_sum":         MergeSum,
	"agg_min":         MergeMin,
	"agg_logical_and": MergeAnd,
	"special":         MergeSpecial,
}

// parseTips reads the tips (https://redis.io/docs/latest/develop/reference/command-tips/).
func parseTips(tips []string) (t tipSet) {
	for _, tip := range tips {
		name, value, _ := strings.Cut(tip, ":")
		switch name {
		case "request_policy":
			t.multiShard = value == "multi_shard"
			t.allNodes = value == "all_nodes"
			t.allShards = value == "all_shards" || t.allNodes
			t.special = value == "special"
		case "response_policy":
			t.merge, t.hasMerge = mergeTips[value]
		case "nondeterministic_output", "nondeterministic_output_order":
			t.nondeterministic = true
		}
	}
	return t
}

// classify derives the route from flags, keys and tips alone.
func classify(s *Spec, t tipSet) (Class, Merge) {
	keyed := s.Find != FindNone
	switch {
	case s.Flags.Has(FlagPubSub):
		return ClassPubSub, MergePass
	case s.Flags.Has(FlagBlocking) && s.Find != FindStreams:
		return ClassBlocking, t.merge
	case keyed && t.multiShard:
		return ClassSplit, t.mergeOr(MergeInKeyOrder)
	case keyed && s.Find == FindRange && s.FirstKey == s.LastKey:
		return ClassSingle, MergePass
	case keyed:
		return ClassSameShard, MergePass
	case t.allShards:
		return ClassAllShards, t.mergeOr(MergeConcat)
	}
	return ClassAnyShard, MergePass
}

func (t tipSet) mergeOr(m Merge) Merge {
	if t.hasMerge {
		return t.merge
	}
	return m
}

// ErrInfo says that a COMMAND reply does not have the shape that Redis 6 and later document.
var ErrInfo = errors.New("command: reply to COMMAND has an unknown shape")

// ParseInfo reads the reply of COMMAND or COMMAND INFO in RESP2, decoded as []any, string and int64. Subcommands come
// directly after their container. Unknown commands (nil) are left out. Any goroutine.
func ParseInfo(reply any) (infos []Info, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(shapeError); !ok {
				panic(r)
			}
			infos, err = nil, fmt.Errorf("%w: %v", ErrInfo, r)
		}
	}()
	for _, e := range list(reply) {
		if e != nil {
			infos = appendInfo(infos, list(e), true)
		}
	}
	return infos, nil
}

// shapeError travels from the readers below to ParseInfo.
type shapeError string

// appendInfo reads one command and its subcommands, which have none themselves.
func appendInfo(infos []Info, e []any, subs bool) []Info {
	if len(e) < 6 {
		panic(shapeError(fmt.Sprintf("%d elements for a command, want 6 to 10", len(e))))
	}
	if len(e) < 10 { // Redis 6 has no tips, key specs and subcommands
		e = append(e[:len(e):len(e)], make([]any, 10-len(e))...)
	}
	in := Info{
		Name: strings.ToLower(text(e[0])), Arity: number(e[1]), Flags: texts(e[2]),
		First: number(e[3]), Last: number(e[4]), Step: number(e[5]),
		ACL: texts(e[6]), Tips: texts(e[7]),
	}
	for _, k := range list(e[8]) {
		if spec, ok := keySpec(list(k)); ok {
			in.Keys = append(in.Keys, spec)
		}
	}
	infos = append(infos, in)
	for _, sub := range list(e[9]) {
		if subs {
			infos = appendInfo(infos, list(sub), false)
		}
	}
	return infos
}

// keySpec reads one key spec; false: the server calls it unknown.
func keySpec(flat []any) (k KeySpec, ok bool) {
	m := pairs(flat)
	for _, f := range texts(m["flags"]) {
		k.NotKey = k.NotKey || f == "not_key"
	}
	begin, find := pairs(list(m["begin_search"])), pairs(list(m["find_keys"]))
	at, how := pairs(list(begin["spec"])), pairs(list(find["spec"]))
	switch text(begin["type"]) {
	case "index":
		k.Start = number(at["index"])
	case "keyword":
		k.Keyword, k.Start = text(at["keyword"]), number(at["startfrom"])
	default:
		return k, false
	}
	switch text(find["type"]) {
	case "range":
		k.Last, k.Step, k.Limit = number(how["lastkey"]), number(how["keystep"]), number(how["limit"])
	case "keynum":
		k.ByCount = true
		k.Count, k.First, k.Step = number(how["keynumidx"]), number(how["firstkey"]), number(how["keystep"])
	default:
		return k, false
	}
	if k.Step < 1 || k.Count < 0 || k.First < 0 || k.Limit < 0 {
		panic(shapeError(fmt.Sprintf("key spec %+v", k)))
	}
	return k, true
}

func list(v any) []any {
	l, ok := v.([]any)
	if !ok && v != nil {
		panic(shapeError(fmt.Sprintf("%T, want a list", v)))
	}
	return l
}

func text(v any) string {
	s, ok := v.(string)
	if !ok {
		panic(shapeError(fmt.Sprintf("%T, want a string", v)))
	}
	return s
}

// number reads an arity or a position; none is near the limit.
func number(v any) int {
	const limit = 1 << 16
	n, ok := v.(int64)
	if !ok || n < -limit || n > limit {
		panic(shapeError(fmt.Sprintf("%T %v, want a small integer", v, v)))
	}
	return int(n)
}

func texts(v any) []string {
	var out []string
	for _, e := range list(v) {
		out = append(out, text(e))
	}
	return out
}

func pairs(flat []any) map[string]any {
	m := make(map[string]any, len(flat)/2)
	for i := 0; i+1 < len(flat); i += 2 {
		m[text(flat[i])] = flat[i+1]
	}
	return m
}
