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
	// remembered is how long a replica that was found stays after its primary has ceased to list it.
	remembered = time.Minute
	// quiet is the least time between two log lines about the same replica.
	quiet = 5 * time.Second
	// grace is the least that replicas have to answer in before a round ends without them.
	grace = 100 * time.Millisecond
)

// group is a primary and its replicas while they are watched. One goroutine has it, but for what Watcher.mu guards.
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
	gone     []*peer // to be hung up
	silent   bool
}

// peer is a server that is asked.
type peer struct {
	addr   string             // where it is dialled: server's address, perhaps as it was written before
	conn   *respclient.Conn   // nil: none now
	login  respclient.Options // by which conn was made
	refuse bool               // the latest question over conn was refused
	listed time.Time          // when its primary listed it last

	// Of a replica.
	asking   chan answer // gets its answer; nil: it is not asked now
	fit      bool        // it was read from until now, and its connection was not lost since
	logged   verdict
	loggedAt time.Time

	// Guarded by Watcher.mu.
	server shard.Server // its name, and how its address is written, may change
	finding
}

func newPeer(s shard.Server, f finding) *peer { return &peer{addr: s.Addr, server: s, finding: f} }

// finding is what was found out about a server.
type finding struct {
	verdict verdict
	zone    string
	asked   time.Time // when it was asked for that, a primary: when it was last asked what it has answered
	heard   time.Time // when it answered last
}

func (w *Watcher) newGroup(g shard.Group) *group {
	return &group{w: w, hints: make(chan struct{}, 1), primary: newPeer(g.Primary, finding{})}
}

// name takes the replicas that are given; none: those found stay, or are yet to be found. Under Watcher.mu.
func (g *group) name(replicas []shard.Server) {
	if g.named = len(replicas) > 0 || !g.w.cfg.Discover; g.named {
		g.replace(replicas)
	}
}

// replace goes by another list of replicas; those that were there stay as they are. Under Watcher.mu.
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

// peers are the replicas now. Those that are gone are hung up, once they are not asked any more.
func (g *group) peers() []*peer {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	gone := g.gone
	g.gone = nil
	for _, p := range gone {
		if p.asking != nil && len(p.asking) == 0 {
			g.gone = append(g.gone, p)
		} else {
			p.hangUp()
		}
	}
	return slices.Clone(g.replicas)
}

// unasked is why a replica is not read from at first.
const unasked = "it has not been asked yet"

// run asks again and again until ctx ends.
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

// close hangs up. What is still asked ends with the context.
func (g *group) close() {
	g.w.mu.Lock()
	all := slices.Concat(g.replicas, g.gone, []*peer{g.primary})
	g.gone = nil
	g.w.mu.Unlock()
	for _, p := range all {
		if p.asking != nil {
			<-p.asking
		}
		p.hangUp()
	}
}

// round asks the primary and then the replicas, and takes what they say: all of it at once, for half of it may look as if
// nobody could be read from. Of replicas that have not answered when patience ends, what was known stays; the next round takes
// their answers. One that hangs must not hold up what the others say.
func (g *group) round(ctx context.Context, patience time.Duration) {
	first := g.askPrimary(ctx)
	if ctx.Err() != nil {
		return
	}
	replicas := g.peers()
	answers := g.askReplicas(ctx, replicas, patience)
	verdicts := g.judge(replicas, answers)
	if !slices.ContainsFunc(verdicts, verdict.isFit) {
		// It may have gone or come back since, and then they count otherwise.
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
	g.w.stir()
}

// answer is what a server said when it was asked for its replication.
type answer struct {
	asked, heard time.Time
	in           info
	err          error // it said nothing
}

func (g *group) ask(ctx context.Context, p *peer) answer {
	a, c := answer{asked: time.Now()}, g.w.config()
	if a.in, a.err = refresh.Safely(func() (info, error) { return p.ask(ctx, c.options()) }); a.err == nil {
		a.heard = time.Now()
	}
	return a
}

// askPrimary asks the primary and notes how far it is.
func (g *group) askPrimary(ctx context.Context) answer {
	a := g.ask(ctx, g.primary)
	var refusal *respclient.Refusal
	switch {
	case ctx.Err() != nil:
	case a.err == nil:
		c := g.w.config()
		g.writes.hear(a.in, a.asked, c.keep())
		g.find(a.in.replicas, a.asked)
	case errors.As(a.err, &refusal) && refusal.Code() != "BUSY" && refusal.Code() != "LOADING":
		g.writes = primary{} // it is there, and will not say how far it is
	default:
		g.writes.miss()
	}
	return a
}

// askReplicas asks those that are not asked already, and gives what has been answered when patience ends; nil: nothing yet. An
// answer that is late makes the next round begin sooner.
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

// answer waits for the server's answer until ctx ends; nil: there is none yet.
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

// judge decides on the replicas by what they have answered.
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

// take keeps what was found out about a server. Under Watcher.mu.
func (p *peer) take(a answer, v verdict) {
	p.verdict, p.asked = v, a.asked
	if a.err == nil {
		p.heard = a.heard
	}
	if a.in.zone != "" {
		p.zone = a.in.zone
	}
}

// find takes the replicas that the primary lists, where none are named.
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

// server is what p is called now.
func (g *group) server(p *peer) shard.Server {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	return p.server
}

// tellNone logs that there is no replica at all, once until there is one; err is what the primary would not say.
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

// tell logs what has changed.
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

// ask asks the server for its replication, over the connection that it has, or else a new one.
func (p *peer) ask(ctx context.Context, o respclient.Options) (info, error) {
	if p.conn != nil && p.outdated(o) {
		p.conn.Close() // no sign that the server restarted
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
		p.hangUp()
		return info{}, err
	}
	err = respclient.Refused("INFO", replies[0])
	if p.refuse = err != nil; p.refuse {
		return info{}, err
	}
	in, ok := parseInfo(p.addr, replies[0].Text+"\r\n"+replies[1].Text)
	if !ok {
		return info{}, errors.New("its answer to INFO has nothing about replication")
	}
	return in, nil
}

// outdated reports whether the connection must be made again to be talked to by o. A password is asked for once, so that another one
// counts only where the one before was refused.
func (p *peer) outdated(o respclient.Options) bool {
	return p.login.Username != o.Username || p.login.Timeout != o.Timeout || p.refuse && p.login.Password != o.Password
}

func (p *peer) hangUp() {
	if p.conn != nil {
		p.conn.Close()
		p.conn, p.fit = nil, false
	}
}
