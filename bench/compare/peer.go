package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	direct     = "direct"
	limit      = "limit"
	ringmaster = "ringmaster"
	nutcracker = "nutcracker"
	predixy    = "predixy"
	inCluster  = "ringmaster-cluster"
)

// launch has the parameters of a peer's start.
type launch struct {
	binary  string
	dir     string   // for its configuration
	port    int      // to listen on, 127.0.0.1
	spare   int      // a second free port, for statistics
	servers []string // host:port of each redis-server
	clients int      // connections that it must take
	extra   []string // further flags, ringmaster only
}

// peer is one way from a client to Redis. All run with one worker thread.
type peer struct {
	name    string
	about   string
	find    func(*options) (string, error) // the program's path
	version func(binary string) string
	argv    func(launch) ([]string, error) // nil: no program between client and server
	shards  bool                           // spreads keys over several servers
	doubles bool                           // one upstream connection per client
	cluster bool                           // its servers are a Redis Cluster
	asked   bool                           // takes part only when -peers names it
	alone   bool                           // answers by itself, with no server
	sockets bool                           // uses recv or send, which the kernel does not count among reads and writes
	turns   bool                           // serves the metrics of ringmaster at launch.spare
}

// seeCommit is the version of programs of this repository.
func seeCommit(string) string { return "see commit" }

// peers in the order in which each round visits them.
var peers = []peer{
	{
		name: direct, about: "redis-benchmark straight to redis-server",
	},
	{
		name: limit, about: "`bench/limit`, a server of one thread that answers from memory: what serving the clients costs, without a server behind", alone: true,
		find:    (*options).buildLimit,
		version: seeCommit,
		argv: func(l launch) ([]string, error) {
			return []string{l.binary, "-listen", loopback(l.port)}, nil
		},
	},
	{
		name: ringmaster, about: "this proxy, `--loops 1`", shards: true, turns: true,
		find:    (*options).buildRingmaster,
		version: seeCommit,
		argv:    ringmasterArgs,
	},
	{
		name: inCluster, about: "this proxy, `--loops 1 --topology cluster`, in front of a Redis Cluster", shards: true, cluster: true, asked: true, turns: true,
		find:    (*options).buildRingmaster,
		version: seeCommit,
		argv: func(l launch) ([]string, error) {
			argv, err := ringmasterArgs(l)
			return append(argv, "--topology", "cluster"), err
		},
	},
	{
		name: "earlier", about: "an earlier ringmaster, `--loops 1`", shards: true, asked: true, turns: true,
		find:    fromEnvironment("EARLIER"),
		version: func(b string) string { return versionLine(b, "version") },
		argv:    ringmasterArgs,
	},
	{
		name: nutcracker, about: "twemproxy, ketama, fnv1a_64, preconnect", shards: true,
		find:    installed("nutcracker"),
		version: func(b string) string { return versionLine(b, "-V") },
		argv:    nutcrackerArgs,
	},
	{
		name: "haproxy", about: "HAProxy in TCP mode, `nbthread 1`; it does not parse the Redis protocol, and has one upstream connection per client", doubles: true, sockets: true,
		find:    installed("haproxy"),
		version: func(b string) string { return versionLine(b, "-v") },
		argv:    haproxyArgs,
	},
	{
		name: predixy, about: "predixy, `WorkerThreads 1`, modula, crc16", shards: true,
		find:    fromEnvironment("PREDIXY"),
		version: func(b string) string { return versionLine(b, "--version") },
		argv:    predixyArgs,
	},
	{
		name: "envoy", about: "Envoy redis_proxy, `--concurrency 1`, Maglev", shards: true, sockets: true,
		find:    fromEnvironment("ENVOY"),
		version: envoyVersion,
		argv:    envoyArgs,
	},
}

func ringmasterArgs(l launch) ([]string, error) {
	return append([]string{
		l.binary, "--listen", loopback(l.port), "--upstream", strings.Join(l.servers, ","),
		"--loops", "1", "--admin", loopback(l.spare),
	}, l.extra...), nil
}

func nutcrackerArgs(l launch) ([]string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "bench:\n  listen: %s\n  redis: true\n  hash: fnv1a_64\n  distribution: ketama\n", loopback(l.port))
	b.WriteString("  preconnect: true\n  backlog: 1024\n  servers:\n")
	for _, s := range l.servers {
		fmt.Fprintf(&b, "   - %s:1\n", s)
	}
	file, err := l.config("nutcracker.yml", b.String())
	return []string{l.binary, "-c", file, "-a", "127.0.0.1", "-s", strconv.Itoa(l.spare)}, err
}

func haproxyArgs(l launch) ([]string, error) {
	file, err := l.config("haproxy.cfg", fmt.Sprintf(`global
  nbthread 1
  maxconn %d
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen bench
  bind %s
  server s0 %s
`, l.clients, loopback(l.port), l.servers[0]))
	return []string{l.binary, "-db", "-f", file}, err
}

func predixyArgs(l launch) ([]string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "Name bench\nBind %s\nWorkerThreads 1\nClientTimeout 0\n", loopback(l.port))
	b.WriteString("Authority {\n  Auth {\n    Mode admin\n  }\n}\n")
	b.WriteString("StandaloneServerPool {\n  Databases 16\n  Hash crc16\n  HashTag \"{}\"\n  Distribution modula\n")
	b.WriteString("  MasterReadPriority 60\n  RefreshMethod fixed\n")
	for i, s := range l.servers {
		fmt.Fprintf(&b, "  Group shard%03d {\n    + %s\n  }\n", i, s)
	}
	b.WriteString("}\n")
	file, err := l.config("predixy.conf", b.String())
	return []string{l.binary, file}, err
}

func envoyArgs(l launch) ([]string, error) {
	var endpoints strings.Builder
	for _, s := range l.servers {
		host, port, _ := strings.Cut(s, ":")
		fmt.Fprintf(&endpoints, "      - endpoint: {address: {socket_address: {address: %s, port_value: %s}}}\n", host, port)
	}
	file, err := l.config("envoy.yaml", fmt.Sprintf(`static_resources:
  listeners:
  - name: redis
    address: {socket_address: {address: 127.0.0.1, port_value: %d}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          stat_prefix: bench
          settings: {op_timeout: 60s}
          prefix_routes: {catch_all_route: {cluster: servers}}
  clusters:
  - name: servers
    type: STATIC
    connect_timeout: 1s
    lb_policy: MAGLEV
    load_assignment:
      cluster_name: servers
      endpoints:
      - lb_endpoints:
%s`, l.port, strings.ReplaceAll(endpoints.String(), "      - ", "        - ")))
	return []string{l.binary, "-c", file, "--concurrency", "1", "--disable-hot-restart", "-l", "error"}, err
}

func (l launch) config(name, text string) (string, error) {
	file := filepath.Join(l.dir, fmt.Sprintf("%d-%s", l.port, name))
	return file, os.WriteFile(file, []byte(text), 0o600)
}

func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
