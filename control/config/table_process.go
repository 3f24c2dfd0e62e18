package config

import (
	"errors"
	"runtime"
)

// maxAutoLoops bounds the loops made without being asked for. Every loop has connections
// of its own to every server and batches only its own clients' commands: more
// loops than the load needs make batches smaller and the servers' work larger.
const maxAutoLoops = 8

// autoLoops is the number of CPUs the process may use (affinity and the control group's
// quota count), at most maxAutoLoops: the loops do all the work.
func autoLoops() int { return min(runtime.GOMAXPROCS(0), maxAutoLoops) }

var processSettings = []*Setting{
	{
		Name: "loops", Group: Process, Unit: "number", Default: "auto",
		Change: Restart,
		Help: "Event loops, each a thread that serves its share of the clients. auto: one for each CPU the process " +
			"may use, at most 8.",
		Raise: "More CPUs are used, and more connections to the servers: loops x servers x upstream-connections. Batches " +
			"get smaller, so each command costs more.",
		Lower:   "Less throughput once a loop is busy all the time.",
		Example: "loops: 2",
		apply: last(func(c *Config, value string) error {
			if value == "auto" {
				c.Loops = autoLoops()
				return nil
			}
			if number(func(c *Config) *int { return &c.Loops }, 1, 256)(c, []string{value}) != nil {
				return errors.New("want auto, or a whole number from 1 to 256")
			}
			return nil
		}),
	},
	{
		Name: "poll", Group: Process, Unit: "word", Default: "edge",
		Change:  Restart,
		Help:    "How the system reports sockets: edge-triggered or level-triggered.",
		Choose:  "Both cost the same CPU and serve clients as fairly; level is the plainer one, for when edge is in doubt.",
		Example: "poll: level",
		Words:   []string{"edge", "level"},
		apply:   word(func(c *Config, w string) { c.Level = w == "level" }),
	},
	{
		Name: "lock-thread", Group: Process, Unit: "bool", Default: "false",
		Change:  Restart,
		Help:    "Bind every loop to a thread of the operating system.",
		Choose:  "true: 10-15 % less CPU under load, about a third more for a single client.",
		Example: "lock-thread: true",
		apply:   boolean(func(c *Config) *bool { return &c.LockThread }),
	},
	{
		Name: "admin", Group: Seeing, Unit: "addr", Default: "127.0.0.1:9380",
		Change:  Restart,
		Help:    "Where /metrics, /healthz, /readyz and /topology are served over HTTP. Empty: nowhere.",
		Choose:  "There is no password on it: keep it on loopback or on a network of operators.",
		Example: "admin: 127.0.0.1:9380",
		apply:   last(applyAdmin),
	},
	{
		Name: "admin-hosts", Group: Seeing, Unit: "name", list: true,
		Change: Live,
		Help: "Names by which the admin address may be asked for, beside IP addresses, localhost and the host of --admin: requests with another name in " +
			"their Host header are refused, so that pages in a browser can't read it (DNS rebinding). *.example.com is every name that " +
			"ends so, * is any. May be given several times, and with commas.",
		Choose:  "Needed where Prometheus scrapes by name, such as ringmaster:9380; probes and scrapes by IP address need nothing.",
		Example: "admin-hosts: [ringmaster, '*.svc.cluster.local']",
		apply:   applyAdminHosts,
	},
	{
		Name: "pprof", Group: Seeing, Unit: "bool", Default: "false",
		Change:  Restart,
		Help:    "Serve Go's profiler under /debug/pprof/ on the admin address.",
		Choose:  "A profile costs CPU while it is taken, and anybody who reaches the address can take one.",
		Example: "pprof: true",
		apply:   boolean(func(c *Config) *bool { return &c.Pprof }),
	},
	{
		Name: "log-level", Group: Seeing, Unit: "word", Default: "info",
		Change:  Live,
		Help:    "What is logged, to standard error: debug, info, warn or error, and what is worse.",
		Choose:  "debug adds what the libraries below say; warn keeps to what somebody should look at.",
		Example: "log-level: warn",
		Words:   []string{"debug", "info", "warn", "error"},
		apply:   word(func(c *Config, w string) { _ = c.LogLevel.UnmarshalText([]byte(w)) }),
	},
	{
		Name: "log-format", Group: Seeing, Unit: "word", Default: "text",
		Change:  Restart,
		Help:    "text: key=value lines to read. json: one object a line, for collectors.",
		Choose:  "The content is the same.",
		Example: "log-format: json",
		Words:   []string{"text", "json"},
		apply:   word(func(c *Config, w string) { c.LogJSON = w == "json" }),
	},
}
