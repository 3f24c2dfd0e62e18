package config

import (
	"errors"
	"log/slog"
	"runtime"
	"sync"
)

// maxAutoLoops bounds the number of loops for the value auto. Every loop has connections of its own to every server
// and batches only its own clients' commands, so more loops than the load needs make batches smaller and the servers'
// work larger.
const maxAutoLoops = 8

// autoLoops returns the number of CPUs that the process may use (affinity and the control group's quota count), at
// most maxAutoLoops, because the loops do all the work.
func autoLoops() int { return min(processors(), maxAutoLoops) }

// processors is how many Go had when settings were first read. It has fewer while few clients send at a time.
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

// logLevel returns the level that a word of the table names.
func logLevel(w string) (level slog.Level) {
	_ = level.UnmarshalText([]byte(w)) // the table's words are its
	return level
}

var processSettings = []*Setting{
	{
		Name: "loops", Group: Process, Unit: "number", Default: "auto",
		Change: Restart,
		Help: "Event loops, each a thread that serves its share of the clients. auto: one for each CPU that the process may use, at " +
			"most 8.",
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
		Choose:  "Both cost the same CPU and serve clients equally fairly. level is simpler; try it if you suspect a fault in edge.",
		Example: "poll: level",
		Words:   []string{"edge", "level"},
		value:   word(func(c *Config) *bool { return &c.Level }, func(w string) bool { return w == "level" }),
	},
	{
		Name: "lock-thread", Group: Process, Unit: "bool", Default: "false",
		Change:  Restart,
		Help:    "Binds every loop to a thread of the operating system.",
		Choose:  "With true, ringmaster uses 10-15 % less CPU under load, but about a third more for a single client.",
		Example: "lock-thread: true",
		value:   boolean(func(c *Config) *bool { return &c.LockThread }),
	},
	{
		Name: "admin", Group: Seeing, Unit: "addr", Default: "127.0.0.1:9380",
		Change:  Restart,
		Help:    "HTTP address of /metrics, /healthz, /readyz, /topology and /reload. Empty: none.",
		Choose:  "It has no password, and whoever reaches it can reload the settings. Keep it on loopback or on a network of operators.",
		Example: "admin: 127.0.0.1:9380",
		value:   value{last(applyAdmin), of(func(c *Config) *string { return &c.Admin })},
	},
	{
		Name: "admin-hosts", Group: Seeing, Unit: "name", list: true,
		Change: Live,
		Help: "Names that requests to the admin address may have in their Host header, besides IP addresses, localhost and the host " +
			"of --admin. Other names are refused, so that pages in a browser can't read this address (DNS rebinding). *.example.com is every " +
			"name with that ending, * is any. May be given several times, and with commas.",
		Choose:  "Needed where Prometheus scrapes by name, such as ringmaster:9380. Probes and scrapes by IP address do not need it.",
		Example: "admin-hosts: [ringmaster, '*.svc.cluster.local']",
		value:   value{applyAdminHosts, of(func(c *Config) *[]string { return &c.AdminHosts })},
	},
	{
		Name: "pprof", Group: Seeing, Unit: "bool", Default: "false",
		Change:  Restart,
		Help:    "Serves Go's profiler under /debug/pprof/ on the admin address.",
		Choose:  "A profile costs CPU while it is taken, and anybody who reaches the address can take one.",
		Example: "pprof: true",
		value:   boolean(func(c *Config) *bool { return &c.Pprof }),
	},
	{
		Name: "log-level", Group: Seeing, Unit: "word", Default: "info",
		Change:  Live,
		Help:    "Lowest level that is logged to standard error: debug, info, warn or error.",
		Choose:  "debug adds the messages of libraries. warn shows only what an operator should look at.",
		Example: "log-level: warn",
		Words:   []string{"debug", "info", "warn", "error"},
		value:   word(func(c *Config) *slog.Level { return &c.LogLevel }, logLevel),
	},
	{
		Name: "log-format", Group: Seeing, Unit: "word", Default: "text",
		Change:  Restart,
		Help:    "text: lines of key=value for people. json: one object per line, for collectors.",
		Choose:  "Both have the same content.",
		Example: "log-format: json",
		Words:   []string{"text", "json"},
		value:   word(func(c *Config) *bool { return &c.LogJSON }, func(w string) bool { return w == "json" }),
	},
}
