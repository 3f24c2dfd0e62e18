package replicas

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"ringmaster/internal/refresh"
	"ringmaster/internal/respclient"
	"ringmaster/pool"
	"ringmaster/shard"
)

const (
	// remembered is how long a found replica stays after its primary has stopped listing it.
	remembered = time.Minute
	// quiet is the least time between two log lines about the same replica.
	quiet = 5 * time.Second
	// grace is the least time that a round waits for the replicas.
	grace = 100 * time.Millisecond
)

// group is a watched primary and its replicas. One goroutine owns it, except for the fields that Watcher.mu guards.
type group struct {
	w       *Watcher
	hints   chan struct{}
	cancel  context.CancelFunc // nil: it does not run yet
	primary *peer
	writes  primary

	toldNone bool // it is logged that there are no replicas

	// Guarded by Watcher.mu.
	named    bool // the replicas were given, not found
	replicas []*peer
	gone     []*peer // to be disconnected
	silent   bool
}

// peer is a server that the watcher asks.
type peer struct {
	addr    string             // that is dialled: server's address, perhaps in an earlier spelling
	conn    *respclient.Conn   // nil: none now
	login   respclient.Options // with which conn was made
	refused bool               // the server refused the latest question over conn
	listed  time.Time          // when its primary listed it last

	// Of a replica.
	asking   chan answer // gets its answer; nil: no question is open
	fit      bool        // it was fit at the latest verdict, and its connection has not been lost since
	logged   verdict
	loggedAt time.Time

	// Guarded by Watcher.mu.
	server shard.Server // its name and the spelling of its address may change
	finding
}

func newPeer(s shard.Server, f finding) *peer { return &peer{addr: s.Addr, server: s, finding: f} }

// finding is the latest result about a server.
type finding struct {
	verdict verdict
	zone    string
	asked   time.Time // when it was asked the question that it has answered
	heard   time.Time // when it answered last
}

func (w *Watcher) newGroup(g shard.Group) *group {
	return &group{w: w, hints: make(chan struct{}, 1), primary: newPeer(g.Primary, finding{})}
}

// setReplicas takes the given replicas. If none are given and Discover is set, the found ones stay. Under Watcher.mu.
func (g *group) setReplicas(replicas []shard.Server) {
	if g.named = len(replicas) > 0 || !g.w.cfg.Discover; g.named {
		g.replace(replicas)
	}
}

// replace switches to another list of replicas. It keeps the state of those that were in the old list. Under
// Watcher.mu.
func (g *group) replace(list []shard.Server) {
	before := g.replicas
	g.replicas = nil
	for _, s := range list {
		i := slices.IndexFunc(before, func(p *peer) bool { return shard.SameAddr(p.server.Addr, s.Addr) })
		if i < 0 {
			g.replicas = append(g.replicas, newPeer(s, finding{verdict: verdict{why: unasked}}))
			continue
		}
		before[i].server = s
		g.replicas = append(g.replicas, before[i])
		before = slices.Delete(before, i, i+1)
	}
	g.gone = append(g.gone, before...)
}

// peers returns the current replicas, and disconnects removed ones that have no open question.
func (g *group) peers() []*peer {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	gone := g.gone
	g.gone = nil
	for _, p := range gone {
		if p.asking != nil && len(p.asking) == 0 {
			g.gone = append(g.gone, p)
		} else {
			p.disconnect()
		}
	}
	return slices.Clone(g.replicas)
}

// unasked is why a replica is not read from at first.
const unasked = "it has not been asked yet"

// run begins a round every Interval, or soon after a hint, until ctx ends.
func (g *group) run(ctx context.Context) {
	defer g.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-g.hints:
			if !refresh.Sleep(ctx, g.w.config().Interval/4) {
				return
			}
		}
		interval := g.w.config().Interval
		g.round(ctx, max(grace, interval/4))
		timer.Reset(interval)
	}
}

// close waits for open questions, which end with the context, and disconnects all servers.
func (g *group) close() {
	g.w.mu.Lock()
	all := slices.Concat(g.replicas, g.gone, []*peer{g.primary})
	g.gone = nil
	g.w.mu.Unlock()
	for _, p := range all {
		if p.asking != nil {
			<-p.asking
		}
		p.disconnect()
	}
}

// round asks the primary, then the replicas, and takes all answers at once, because half of them may look as if no
// replica could be read from. A replica that has not answered when patience ends keeps its last result, and the next
// round takes its answer. So one that hangs does not delay the others.
func (g *group) round(ctx context.Context, patience time.Duration) {
	first := g.askPrimary(ctx)
	if ctx.Err() != nil {
		return
	}
	replicas := g.peers()
	answers := g.askReplicas(ctx, replicas, patience)
	verdicts := g.judge(replicas, answers)
	if !slices.ContainsFunc(verdicts, verdict.isFit) {
		// The primary may have gone or come back meanwhile, and that changes the verdicts.
		if again := g.askPrimary(ctx); again.err == nil || first.err == nil {
			first = again
			verdicts = g.judge(replicas, answers)
		}
	}
	if ctx.Err() != nil {
		return
	}
	g.w.mu.Lock()
	g.silent = g.writes.silent
	if first.err == nil {
		g.primary.take(first, verdict{})
	}
	for i, r := range replicas {
		if a := answers[i]; a != nil {
			r.take(*a, verdicts[i])
			r.fit = verdicts[i].isFit()
		}
	}
	g.w.mu.Unlock()
	g.tellNone(len(replicas) == 0, first.err)
	g.tell(replicas)
	g.w.wake()
}

// answer is a server's answer about its replication.
type answer struct {
	asked, heard time.Time
	in           info
	err          error // not nil: there is no answer
}

func (g *group) ask(ctx context.Context, p *peer) answer {
	a, c := answer{asked: time.Now()}, g.w.config()
	if a.in, a.err = refresh.Safely(func() (info, error) { return p.ask(ctx, c.options()) }); a.err == nil {
		a.heard = time.Now()
	}
	return a
}

// askPrimary asks the primary and records its offset.
func (g *group) askPrimary(ctx context.Context) answer {
	a := g.ask(ctx, g.primary)
	var refusal *respclient.Refusal
	switch {
	case ctx.Err() != nil:
	case a.err == nil:
		c := g.w.config()
		g.writes.record(a.in, a.asked, c.keep())
		g.find(a.in.replicas, a.asked)
	case errors.As(a.err, &refusal) && refusal.Code() != "BUSY" && refusal.Code() != "LOADING":
		g.writes = primary{} // it is up, and does not report its offset
	default:
		g.writes.markSilent()
	}
	return a
}

// askReplicas asks each replica without an open question, and returns the answers that have come when patience ends;
// nil: none yet. A late answer makes the next round begin sooner.
func (g *group) askReplicas(ctx context.Context, replicas []*peer, patience time.Duration) []*answer {
	impatient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, r := range replicas {
		if r.asking == nil {
			asking := make(chan answer, 1)
			r.asking = asking
			go func() {
				asking <- g.ask(ctx, r)
				if impatient.Err() == context.DeadlineExceeded {
					signal(g.hints)
				}
			}()
		}
	}
	answers := make([]*answer, len(replicas))
	for i, r := range replicas {
		answers[i] = r.answer(impatient)
	}
	return answers
}

// answer waits until ctx ends for the server's answer; nil: there is none yet.
func (p *peer) answer(ctx context.Context) *answer {
	end := ctx.Done()
	if len(p.asking) > 0 {
		end = nil
	}
	select {
	case a := <-p.asking:
		p.asking = nil
		return &a
	case <-end:
		return nil
	}
}

// judge decides on the replicas by their answers.
func (g *group) judge(replicas []*peer, answers []*answer) []verdict {
	verdicts, maxLag := make([]verdict, len(replicas)), g.w.config().MaxLag
	for i, a := range answers {
		switch r := replicas[i]; {
		case a == nil:
			verdicts[i] = r.verdict
		case a.err != nil:
			verdicts[i] = verdict{why: a.err.Error(), failed: true}
		default:
			verdicts[i] = g.writes.judge(a.in, r.fit, maxLag)
		}
	}
	return verdicts
}

// take stores a result about a server. Under Watcher.mu.
func (p *peer) take(a answer, v verdict) {
	p.verdict, p.asked = v, a.asked
	if a.err == nil {
		p.heard = a.heard
	}
	if a.in.zone != "" {
		p.zone = a.in.zone
	}
}

// find takes the replicas that the primary lists, unless they are given.
func (g *group) find(listed []shard.Server, now time.Time) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	if g.named {
		return
	}
	all := slices.Clone(listed)
	for _, p := range g.replicas {
		known := func(s shard.Server) bool { return shard.SameAddr(s.Addr, p.server.Addr) }
		if len(all) < MaxReplicas && !slices.ContainsFunc(listed, known) && now.Sub(p.listed) < remembered {
			all = append(all, p.server)
		}
	}
	g.replace(all)
	for _, p := range g.replicas[:len(listed)] {
		p.listed = now
	}
}

// server returns p's current name and address.
func (g *group) server(p *peer) shard.Server {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	return p.server
}

// tellNone logs once that there is no replica, and again only after there was one. err says why the primary listed
// none, if it failed.
func (g *group) tellNone(none bool, err error) {
	if none && !g.toldNone {
		attrs := []any{slog.String("primary", g.server(g.primary).Name)}
		if err != nil {
			attrs = append(attrs, slog.Any("cause", err))
		}
		g.w.log.Warn("no replica is known; reads go to the primary, or fail if read-policy is replica", attrs...)
	}
	g.toldNone = none
}

// tell logs changed verdicts.
func (g *group) tell(replicas []*peer) {
	for _, r := range replicas {
		v, now := r.verdict, time.Now()
		if v.like(r.logged) || now.Sub(r.loggedAt) < quiet {
			continue
		}
		attrs := []any{slog.String("replica", g.server(r).Addr), slog.String("primary", g.server(g.primary).Name)}
		if v.reads == pool.ReadsAlways {
			g.w.log.Info("replica gets reads", attrs...)
		} else {
			attrs = append(attrs, slog.String("cause", v.why))
			if v.lag > 0 {
				attrs = append(attrs, slog.Duration("lag", v.lag))
			}
			g.w.log.Warn("replica gets no reads", attrs...)
		}
		r.logged, r.loggedAt = v, now
	}
}

// ask asks the server for its replication, over its connection or, if it has none, a new one.
func (p *peer) ask(ctx context.Context, o respclient.Options) (info, error) {
	if p.conn != nil && p.outdated(o) {
		p.conn.Close() // fit stays, because the server has not restarted
		p.conn = nil
	}
	if p.conn == nil {
		conn, err := respclient.Dial(ctx, p.addr, o)
		if err != nil {
			return info{}, err
		}
		p.conn, p.login = conn, o
	}
	replies, err := p.conn.Do(ctx, []string{"INFO", "replication"}, []string{"INFO", "server"})
	if err != nil {
		p.disconnect()
		return info{}, err
	}
	err = respclient.Refused("INFO", replies[0])
	if p.refused = err != nil; p.refused {
		return info{}, err
	}
	in, ok := parseInfo(p.addr, replies[0].Text+"\r\n"+replies[1].Text)
	if !ok {
		return info{}, errors.New("its answer to INFO has nothing about replication")
	}
	return in, nil
}

// outdated reports whether o needs a new connection. A server checks the password only at login, so a new password
// matters only after a refusal.
func (p *peer) outdated(o respclient.Options) bool {
	return p.login.Username != o.Username || p.login.Timeout != o.Timeout || p.refused && p.login.Password != o.Password
}

func (p *peer) disconnect() {
	if p.conn != nil {
		p.conn.Close()
		p.conn, p.fit = nil, false
	}
}
