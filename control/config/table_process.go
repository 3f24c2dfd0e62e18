package config

import (
	"errors"
	"log/slog"
	"runtime"
	"sync"
)

// maxAutoLoops bounds the loops made without being asked for. Every loop has connections
// of its own to every server and batches only its own clients' commands: more
// loops than the load needs make batches smaller and the servers' work larger.
const maxAutoLoops = 8

// autoLoops is the number of CPUs the process may use (affinity and the control group's
// quota count), at most maxAutoLoops: the loops do all the work.
func autoLoops() int { return min(processors(), maxAutoLoops) }

// processors is how many Go had when settings were read first: it has fewer while few clients are heard.
var processors = sync.OnceValue(func() int { return runtime.GOMAXPROCS(0) })

// applyLoops takes a number, or auto.
func applyLoops(c *Config, value string) error {
	if value == "auto" {
		c.Loops = autoLoops()
		return nil
	}
	if number(func(c *Config) *int { return &c.Loops }, 1, 256).apply(c, []string{value}) != nil {
		return errors.New("want auto, or a whole number from 1 to 256")
	}
	return nil
}

// logLevel is the level that a word of the table names.
func logLevel(w string) (level slog.Level) {
	_ = level.UnmarshalText([]byte(w)) // the table's words are its
	return level
}

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
		value:   value{last(applyLoops), of(func(c *Config) *int { return &c.Loops })},
	},
	{
		Name: "poll", Group: Process, Unit: "word", Default: "edge",
		Change:  Restart,
		Help:    "How the system reports sockets: edge-triggered or level-triggered.",
		Choose:  "Both cost the same CPU and serve clients as fairly; level is the plainer one, for when edge is in doubt.",
		Example: "poll: level",
		Words:   []string{"edge", "level"},
		value:   word(func(c *Config) *bool { return &c.Level }, func(w string) bool { return w == "level" }),
	},
	{
		Name: "lock-thread", Group: Process, Unit: "bool", Default: "false",
		Change:  Restart,
		Help:    "Bind every loop to a thread of the operating system.",
		Choose:  "true: 10-15 % less CPU under load, about a third more for a single client.",
		Example: "lock-thread: true",
		value:   boolean(func(c *Config) *bool { return &c.LockThread }),
	},
	{
		Name: "admin", Group: Seeing, Unit: "addr", Default: "127.0.0.1:9380",
		Change:  Restart,
		Help:    "Where /metrics, /healthz, /readyz, /topology and /reload are served over HTTP. Empty: nowhere.",
		Choose:  "There is no password on it, and whoever reaches it can reload the settings: keep it on loopback or on a network of operators.",
		Example: "admin: 127.0.0.1:9380",
		value:   value{last(applyAdmin), of(func(c *Config) *string { return &c.Admin })},
	},
	{
		Name: "admin-hosts", Group: Seeing, Unit: "name", list: true,
		Change: Live,
		Help: "Names by which the admin address may be asked for, beside IP addresses, localhost and the host of --admin: requests with another name in " +
			"their Host header are refused, so that pages in a browser can't read it (DNS rebinding). *.example.com is every name that " +
			"ends so, * is any. May be given several times, and with commas.",
		Choose:  "Needed where Prometheus scrapes by name, such as ringmaster:9380; probes and scrapes by IP address need nothing.",
		Example: "admin-hosts: [ringmaster, '*.svc.cluster.local']",
		value:   value{applyAdminHosts, of(func(c *Config) *[]string { return &c.AdminHosts })},
	},
	{
		Name: "pprof", Group: Seeing, Unit: "bool", Default: "false",
		Change:  Restart,
		Help:    "Serve Go's profiler under /debug/pprof/ on the admin address.",
		Choose:  "A profile costs CPU while it is taken, and anybody who reaches the address can take one.",
		Example: "pprof: true",
		value:   boolean(func(c *Config) *bool { return &c.Pprof }),
	},
	{
		Name: "log-level", Group: Seeing, Unit: "word", Default: "info",
		Change:  Live,
		Help:    "Lowest level that is written to standard error: debug, info, warn or error.",
		Choose:  "debug adds what the libraries below say; warn keeps to what somebody should look at.",
		Example: "log-level: warn",
		Words:   []string{"debug", "info", "warn", "error"},
		value:   word(func(c *Config) *slog.Level { return &c.LogLevel }, logLevel),
	},
	{
		Name: "log-format", Group: Seeing, Unit: "word", Default: "text",
		Change:  Restart,
		Help:    "text: key=value lines to read. json: one object a line, for collectors.",
		Choose:  "The content is the same.",
		Example: "log-format: json",
		Words:   []string{"text", "json"},
		value:   word(func(c *Config) *bool { return &c.LogJSON }, func(w string) bool { return w == "json" }),
	},
}
