package sentinel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"ringmaster/internal/refresh"
	"ringmaster/internal/respclient"
)

// maxPeers bounds the sentinels that are remembered in addition to those of the settings.
const maxPeers = 16

// answer is a sentinel's view, or the reason why there is none.
type answer = refresh.Answer[*view]

// perName is the number of questions about one name.
const perName = 4

// ask gets the view of the sentinel at addr.
func (w *Watcher) ask(ctx context.Context, addr string) (*view, error) {
	cfg := w.config()
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	c, err := respclient.Dial(ctx, addr, cfg.login())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	questions := [][]string{{"SENTINEL", "MYID"}}
	for _, name := range cfg.Names {
		questions = append(questions, []string{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", name}, []string{"SENTINEL", "MASTER", name},
			[]string{"SENTINEL", "REPLICAS", name}, []string{"SENTINEL", "SENTINELS", name})
	}
	replies, err := c.Do(ctx, questions...)
	if err != nil {
		return nil, err
	}
	v := &view{id: addr, masters: map[string]*master{}}
	if replies[0].IsText() { // Redis before 6.2 has no MYID
		v.id = strings.Clone(replies[0].Text)
	}
	for i, name := range cfg.Names {
		if err := v.read(name, replies[1+perName*i:][:perName]); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// login gives the options for a connection to a sentinel.
func (c *Config) login() respclient.Options {
	return respclient.Options{Username: c.Username, Password: c.Password, Timeout: c.Timeout}
}

// survey asks Nodes of the known sentinels, and more of them if most stay silent. Then it asks the sentinels that
// those name, up to Nodes views in all.
func (w *Watcher) survey(ctx context.Context) []answer {
	s, c := refresh.NewSurvey(w.ask), w.config()
	known := slices.Concat(c.Sentinels, addrs(w.peers))
	for s.Round(ctx, known, c.Nodes) && 2*len(distinct(s.Answers)) <= len(s.Asked) && ctx.Err() == nil {
	}
	w.peers = strangers(s.Answers, c.Sentinels, w.peers)
	s.Round(ctx, addrs(w.peers), c.Nodes-len(distinct(s.Answers)))
	w.answering = w.answering[:0:0]
	for _, a := range s.Answers {
		if a.View != nil {
			w.answering = append(w.answering, a.Addr)
		}
	}
	return s.Answers
}

func addrs(peers []peer) (list []string) {
	for _, p := range peers {
		list = append(list, p.addr)
	}
	return list
}

// strangers returns the sentinels that the views name and the settings do not, under any address. Then come those
// known before, which also stay when no sentinel answers.
func strangers(answers []answer, settings []string, before []peer) []peer {
	named := map[string]bool{}
	for _, a := range answers {
		if a.View != nil && slices.Contains(settings, a.Addr) {
			named[a.View.id] = true
		}
	}
	var peers []peer
	add := func(p peer) {
		taken := slices.ContainsFunc(peers, func(o peer) bool { return o.id == p.id || o.addr == p.addr })
		if len(peers) < maxPeers && !taken && !named[p.id] && !slices.Contains(settings, p.addr) {
			peers = append(peers, p)
		}
	}
	for _, v := range distinct(answers) {
		for _, p := range v.peers {
			add(p)
		}
	}
	for _, p := range before {
		add(p)
	}
	return peers
}

// distinct returns the views, one per sentinel.
func distinct(answers []answer) []*view {
	return refresh.Views(answers, func(v *view) string { return v.id })
}

// explain makes an error of what each sentinel answered.
func explain(answers []answer) error {
	return refresh.Explain(answers, func(v *view) string { return fmt.Sprintf("knows %d of the names", len(v.masters)) })
}

// verify asks each new primary for its role. One that is no primary yet is not published yet.
func (w *Watcher) verify(ctx context.Context, t, last *topology) {
	var asking sync.WaitGroup
	for _, s := range t.shards {
		before := last.shard(s.name)
		if before != nil && before.addr == s.addr && !before.doubtful {
			continue
		}
		asking.Add(1)
		go func() {
			defer asking.Done()
			role, err := w.role(ctx, s.addr)
			s.doubtful = err == nil && role != "master"
		}()
	}
	asking.Wait()
	for i, s := range t.shards {
		if before := last.shard(s.name); s.doubtful && before != nil && before.addr != s.addr {
			t.shards[i] = before.expecting(s.addr)
		}
	}
}

// role asks the server at addr for its role.
func (w *Watcher) role(ctx context.Context, addr string) (string, error) {
	cfg := w.config()
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	o := respclient.Options{Username: cfg.ServerUsername, Password: cfg.ServerPassword, Timeout: cfg.Timeout}
	c, err := respclient.Dial(ctx, addr, o)
	if err != nil {
		return "", err
	}
	defer c.Close()
	replies, err := c.Do(ctx, []string{"ROLE"})
	if err != nil {
		return "", err
	}
	if len(replies[0].Elems) == 0 || !replies[0].Elems[0].IsText() {
		return "", errors.New("ROLE is refused")
	}
	return strings.Clone(replies[0].Elems[0].Text), nil
}
