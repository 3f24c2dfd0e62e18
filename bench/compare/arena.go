package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"ringmaster/bench/proc"
)

// readyTimeout is how long a started program may take to answer.
const readyTimeout = 15 * time.Second

// server is a running redis-server.
type server struct {
	addr string
	proc *proc.Process
}

// instance is a running peer in front of its servers.
type instance struct {
	peer    *peer
	addr    string        // where clients connect
	admin   string        // where its metrics are, empty for none
	proc    *proc.Process // nil for direct
	servers []server      // that the peer is in front of; none if it answers by itself
	owned   bool          // servers are stopped with it
}

// arena has the running programs: the servers that all peers share, and a peer's instances, one in front of one
// server and one in front of all. Each is started when first needed.
type arena struct {
	opts    *options
	binary  map[string]string // by peer
	servers []server
	nodes   []server // of the Redis Cluster, started when a peer needs it
	running map[string]*instance
	started int
}

func newArena(ctx context.Context, o *options, binary map[string]string) (*arena, error) {
	a := &arena{opts: o, binary: binary, running: map[string]*instance{}}
	for range shards {
		s, err := a.startServer(ctx)
		if err != nil {
			a.stop()
			return nil, err
		}
		a.servers = append(a.servers, s)
	}
	return a, nil
}

// shards is the number of redis-servers behind the workloads that spread keys.
const shards = 3

func (a *arena) stop() {
	for _, in := range a.running {
		in.stop()
	}
	for _, s := range append(a.servers, a.nodes...) {
		s.proc.Stop()
	}
}

func (in *instance) stop() {
	if in.proc != nil {
		in.proc.Stop()
	}
	if in.owned {
		for _, s := range in.servers {
			s.proc.Stop()
		}
	}
}

// subject returns the process whose cost is measured: the proxy, or Redis if there is no proxy.
func (in *instance) subject() *proc.Process {
	if in.proc != nil {
		return in.proc
	}
	return in.servers[0].proc
}

// shared returns the peer's long-lived instance in front of the first n shared servers.
func (a *arena) shared(ctx context.Context, p *peer, n int) (*instance, error) {
	key := p.name + "/" + strconv.Itoa(n)
	if in := a.running[key]; in != nil {
		if in.proc == nil || !in.proc.Ended() {
			return in, nil
		}
		delete(a.running, key) // it crashed in an earlier sample, which says so
	}
	servers := a.servers
	if p.cluster {
		var err error
		if servers, err = a.cluster(ctx); err != nil {
			return nil, err
		}
		n = len(servers)
	}
	if p.alone {
		n = 0
	}
	in, err := a.start(ctx, p, servers[:n])
	if err != nil {
		return nil, err
	}
	a.running[key] = in
	return in, nil
}

// fresh returns a new instance in front of a new server; the caller stops it.
func (a *arena) fresh(ctx context.Context, p *peer) (*instance, error) {
	if p.cluster {
		return nil, errors.New("no workload with a process of its own is measured in front of a cluster")
	}
	s, err := a.startServer(ctx)
	if err != nil {
		return nil, err
	}
	in, err := a.start(ctx, p, []server{s})
	if err != nil {
		s.proc.Stop()
		return nil, err
	}
	in.owned = true
	return in, nil
}

func (a *arena) start(ctx context.Context, p *peer, servers []server) (*instance, error) {
	in := &instance{peer: p, servers: servers}
	if p.argv == nil {
		in.addr = servers[0].addr
		return in, nil
	}
	l := launch{binary: a.binary[p.name], dir: a.opts.dir, clients: a.mostClients(p)}
	if p.name == ringmaster {
		l.extra = a.opts.ringmasterFlags
	}
	for _, s := range servers {
		l.servers = append(l.servers, s.addr)
	}
	var err error
	if l.port, err = proc.FreePort(); err != nil {
		return nil, err
	}
	if l.spare, err = proc.FreePort(); err != nil {
		return nil, err
	}
	argv, err := p.argv(l)
	if err != nil {
		return nil, err
	}
	in.addr = loopback(l.port)
	if p.turns {
		in.admin = loopback(l.spare)
	}
	in.proc, err = a.startProgram(ctx, p.name, a.opts.pins["proxy"], func() error { return probe(in.addr, "GET", "probe") }, argv)
	return in, err
}

// mostClients returns how many clients p can hold within the limit on open files.
func (a *arena) mostClients(p *peer) int {
	most := int(a.opts.openFiles) - 200
	if p.doubles {
		most = most/2 - 50
	}
	return most
}

func (a *arena) startServer(ctx context.Context, flags ...string) (server, error) {
	port, err := proc.FreePort()
	if err != nil {
		return server{}, err
	}
	s := server{addr: loopback(port)}
	s.proc, err = a.startProgram(ctx, "redis-server", a.opts.pins["servers"], func() error { return probe(s.addr, "PING") }, append([]string{
		"redis-server", "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--maxclients", strconv.FormatUint(a.opts.openFiles-150, 10), "--dir", filepath.Clean(a.opts.dir),
	}, flags...))
	return s, err
}

// startProgram returns when ready has succeeded.
func (a *arena) startProgram(ctx context.Context, name, cpus string, ready func() error, argv []string) (*proc.Process, error) {
	a.started++
	p, err := proc.Start(a.opts.dir, fmt.Sprintf("%s-%d", name, a.started), cpus, argv...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := p.WaitReady(ctx, ready); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}
