package e2e

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	table "ringmaster/command"
)

// form is one line of testdata/differential.txt: how a command may look.
type form struct {
	line   string
	weight int
	bend   bend
	seqs   []node // the commands, usually one
	judge  judge
}

// bend says how a form may be made wrong on purpose.
type bend byte

const (
	bendFreely bend = iota
	bendTimeless
	bendNever
)

// node is a part of a form; it appends arguments.
type node interface {
	emit(g *generator, dst []string) []string
}

type (
	literal  string
	fromPool struct{ pool func(*generator) string }
	sequence []node
	choice   []node
	optional struct{ node }
	repeated struct{ node }
)

func (l literal) emit(g *generator, dst []string) []string {
	return append(dst, g.oddCase(string(l)))
}

func (p fromPool) emit(g *generator, dst []string) []string { return append(dst, p.pool(g)) }

func (s sequence) emit(g *generator, dst []string) []string {
	for _, n := range s {
		dst = n.emit(g, dst)
	}
	return dst
}

func (c choice) emit(g *generator, dst []string) []string {
	return c[g.rand.IntN(len(c))].emit(g, dst)
}

func (o optional) emit(g *generator, dst []string) []string {
	if g.rand.IntN(3) == 0 {
		return o.node.emit(g, dst)
	}
	return dst
}

func (r repeated) emit(g *generator, dst []string) []string {
	for range 1 + min(g.rand.IntN(4), g.rand.IntN(4)) {
		dst = r.node.emit(g, dst)
	}
	return dst
}

// grammar is the parsed testdata/differential.txt.
type grammar struct {
	forms    []form
	total    int               // sum of the weights
	excluded map[string]string // command, or "container|*", to the reason
	commands map[string]bool   // of the server
}

// pick returns a form by weight.
func (gr *grammar) pick(r *rand.Rand) *form {
	n := r.IntN(gr.total)
	for i := range gr.forms {
		if n -= gr.forms[i].weight; n < 0 {
			return &gr.forms[i]
		}
	}
	panic("weights do not add up")
}

// loadGrammar reads the forms for a server that has these commands.
func loadGrammar(t *testing.T, commands map[string]bool) *grammar {
	t.Helper()
	f, err := os.Open("testdata/differential.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gr := &grammar{excluded: map[string]string{}, commands: commands}
	for s, n := bufio.NewScanner(f), 1; s.Scan(); n++ {
		if err := gr.addLine(strings.TrimSpace(s.Text())); err != nil {
			t.Fatalf("testdata/differential.txt:%d: %v", n, err)
		}
	}
	return gr
}

func (gr *grammar) addLine(line string) error {
	if line == "" || line[0] == '#' || skipped(line) {
		return nil
	}
	if rest, ok := strings.CutPrefix(line, "exclude "); ok {
		return gr.exclude(rest)
	}
	f := form{line: line, weight: 20}
	first, rest, _ := strings.Cut(line, " ")
	if n, err := strconv.Atoi(first); err == nil {
		f.weight, line = n, rest
	}
	line, newer := strings.CutPrefix(line, "?")
	switch line[0] {
	case '!':
		f.bend, line = bendNever, line[1:]
	case '@':
		f.bend, line = bendTimeless, line[1:]
	}
	if at := strings.LastIndex(line, " ="); at >= 0 && !strings.ContainsAny(line[at+2:], "|)") {
		var err error
		if f.judge, err = parseJudge(line[at+2:]); err != nil {
			return err
		}
		line = line[:at]
	}
	for _, part := range strings.Split(line, " ; ") {
		p := formParser{words: strings.Fields(spaced.Replace(part))}
		n, err := p.alternatives("")
		if err != nil {
			return err
		}
		f.seqs = append(f.seqs, n)
	}
	if newer {
		words := leading(f.seqs[0])
		name := strings.ToLower(words[0])
		spec := table.Lookup([]byte(name))
		if spec != nil && spec.HasSubs() {
			name += "|" + strings.ToLower(words[1])
			spec = spec.Sub([]byte(words[1]))
		}
		if spec == nil {
			return fmt.Errorf("no server is known to have %q", name)
		}
		if !gr.commands[name] {
			return nil
		}
	}
	gr.forms = append(gr.forms, f)
	gr.total += f.weight
	return nil
}

// skipped reports whether DIFF_SKIP, a regular expression, leaves out the forms of line,
// to look past a difference that is known.
func skipped(line string) bool {
	skip := os.Getenv("DIFF_SKIP")
	return skip != "" && regexp.MustCompile(skip).MatchString(line)
}

// exclude parses "a, b, c the reason".
func (gr *grammar) exclude(s string) error {
	for {
		name, rest, ok := strings.Cut(s, " ")
		if !ok {
			return fmt.Errorf("exclusion of %q without a reason", s)
		}
		more := strings.HasSuffix(name, ",")
		gr.excluded[strings.TrimSuffix(name, ",")] = rest
		if !more {
			return nil
		}
		s = rest
	}
}

// excludes reports whether a command, "get" or "config|get", is excluded.
func (gr *grammar) excludes(name string) bool {
	if gr.excluded[name] != "" {
		return true
	}
	container, _, sub := strings.Cut(name, "|")
	return sub && gr.excluded[container+"|*"] != ""
}

// spaced makes every bracket a word of its own; a plus stays with its bracket.
var spaced = strings.NewReplacer("[", " [ ", "]", " ] ", "(", " ( ", ")+", " )+ ", ")", " ) ", "|", " | ")

type formParser struct{ words []string }

// alternatives parses up to the closing word end.
func (p *formParser) alternatives(end string) (node, error) {
	var alts choice
	var seq sequence
	for len(p.words) > 0 {
		w := p.words[0]
		p.words = p.words[1:]
		switch {
		case w == "|":
			alts, seq = append(alts, seq), nil
		case end != "" && strings.HasPrefix(w, end):
			alts = append(alts, seq)
			if w == ")+" {
				return repeated{alts}, nil
			}
			return alts, nil
		default:
			n, err := p.item(w)
			if err != nil {
				return nil, err
			}
			seq = append(seq, n)
		}
	}
	if end != "" {
		return nil, fmt.Errorf("missing %q", end)
	}
	return append(alts, seq), nil
}

func (p *formParser) item(w string) (node, error) {
	switch {
	case w == "[":
		n, err := p.alternatives("]")
		return optional{n}, err
	case w == "(":
		return p.alternatives(")")
	case len(w) > 2 && w[0] == '<':
		name, plus := strings.CutSuffix(w, "+")
		pool := pools[strings.Trim(name, "<>")]
		if pool == nil {
			return nil, fmt.Errorf("no pool %s", name)
		}
		if plus {
			return repeated{fromPool{pool}}, nil
		}
		return fromPool{pool}, nil
	}
	return literal(w), nil
}
