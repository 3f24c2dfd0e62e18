package main

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ringmaster/control/config"
	"ringmaster/control/process"
	"ringmaster/internal/demo"
	"ringmaster/shard"
)

// helpWidth is the width of the help text in columns.
const helpWidth = 110

// writeUsage writes the help below a command's description: its flags under the headings of the settings, or in one
// list if sets is nil.
func writeUsage(w io.Writer, cmd *cobra.Command, sets map[config.Group]*pflag.FlagSet) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage:\n  %s\n", cmd.UseLine())
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND\n\nCommands:\n", cmd.CommandPath())
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	if sets == nil {
		if flags := cmd.LocalFlags().FlagUsagesWrapped(helpWidth); flags != "" {
			fmt.Fprintf(&b, "\nFlags:\n%s", flags)
		}
	} else {
		writeSettings(&b, sets)
		writeOthers(&b, cmd, sets)
		b.WriteString("\ndocs/configuration.md describes every setting, and what raising and lowering it costs.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeSettings(b *strings.Builder, sets map[config.Group]*pflag.FlagSet) {
	for _, g := range config.Groups() {
		if sets[g].HasFlags() {
			fmt.Fprintf(b, "\n%s:\n%s", g, sets[g].FlagUsagesWrapped(helpWidth))
		}
	}
}

// writeOthers lists the flags of cmd that are not in sets, except for those that every command has.
func writeOthers(b *strings.Builder, cmd *cobra.Command, sets map[config.Group]*pflag.FlagSet) {
	others := pflag.NewFlagSet("", pflag.ContinueOnError)
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Name == "version" {
			return
		}
		for _, set := range sets {
			if set.Lookup(f.Name) != nil {
				return
			}
		}
		others.AddFlag(f)
	})
	if others.HasFlags() {
		fmt.Fprintf(b, "\nThis command:\n%s", others.FlagUsagesWrapped(helpWidth))
	}
}

// summary returns what `ringmaster check` prints for valid settings.
func summary(file string, c *config.Config) string {
	if file == "" {
		file = "settings"
	}
	first := c.Listeners[0]
	several := func(l config.Listener) bool { return !l.Alike(first) || l.Name != l.Address }
	if len(c.Upstreams) == 1 && (len(c.Listeners) == 1 || !slices.ContainsFunc(c.Listeners, several)) {
		return fmt.Sprintf("%s: ok, %s behind %s", file, servers(c.Upstreams[0]), strings.Join(c.Listen, ", "))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ok, %s behind %s", file, count(len(c.Upstreams), "upstream"), count(len(c.Listeners), "listener"))
	for _, u := range c.Upstreams {
		fmt.Fprintf(&b, "\nupstream %s: %s", u.Name, strings.TrimSuffix(servers(u), ","))
	}
	for _, l := range c.Listeners {
		fmt.Fprintf(&b, "\nlistener %s", l.Name)
		if l.Name != l.Address {
			fmt.Fprintf(&b, " (%s)", l.Address)
		}
		fmt.Fprintf(&b, ": upstream %s", l.Upstream)
	}
	return b.String()
}

// servers describes the servers of an upstream.
func servers(c config.Upstream) string {
	placed := ""
	if c.Topology == config.Sharded {
		placed = fmt.Sprintf(" (%s, %s)", c.Distribution, c.Hash)
	}
	if c.Topology == config.Sentinel {
		placed = fmt.Sprintf(", masters %s", strings.Join(c.SentinelMasters, ", "))
		if len(c.SentinelMasters) > 1 {
			placed += fmt.Sprintf(" (%s, %s)", c.Distribution, c.Hash)
		}
	}
	kind := "server"
	switch c.Topology {
	case config.Cluster:
		kind, placed = "node", " of a Redis Cluster to start from"
	case config.Sentinel:
		kind = "sentinel"
	}
	if c.ReadPolicy != shard.ReadPrimary {
		placed += fmt.Sprintf(", read-policy %s,", c.ReadPolicy)
	}
	return count(len(c.Upstream), kind) + placed
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// writeDemo prints what to type next.
func writeDemo(w io.Writer, c *config.Config, b process.Bound) {
	cli := redisCLI(b.Clients[0])
	if c.Listeners[0].Password != "" {
		cli += " --askpass"
	}
	var pairs []string
	for i, key := range demo.Keys {
		pairs = append(pairs, fmt.Sprint(key, " ", i+1))
	}
	fmt.Fprintf(w, `
ringmaster demo: %d Redis shards in this process behind one proxy. Type in another terminal:

  %[2]s PING
  %[2]s MSET %[3]s      # a key on each shard
  %[2]s MGET %[4]s
  %[2]s DBSIZE                         # the sum over the shards
`, len(c.Upstreams[0].Upstream), cli, strings.Join(pairs, " "), strings.Join(demo.Keys, " "))
	if host, port, err := net.SplitHostPort(b.Clients[0]); err == nil && !strings.HasPrefix(b.Clients[0], config.UnixPrefix) && c.Listeners[0].Password == "" {
		fmt.Fprintf(w, "\nWithout redis-cli:\n\n  bash -c 'exec 3<>/dev/tcp/%s/%s; printf \"MGET %s\\r\\nQUIT\\r\\n\" >&3; cat <&3'\n", host, port, strings.Join(demo.Keys, " "))
	}
	if b.Admin != "" {
		fmt.Fprintf(w, "\nIts metrics:\n\n  curl http://%s/metrics\n", b.Admin)
	}
	fmt.Fprint(w, "\nThe shards imitate Redis: try things, but do not measure them. Ctrl-C stops it.\n\n")
}

// redisCLI returns the command that connects to addr.
func redisCLI(addr string) string {
	if path, ok := strings.CutPrefix(addr, config.UnixPrefix); ok {
		return "redis-cli -s " + path
	}
	host, port, _ := net.SplitHostPort(addr)
	if config.Loopback(addr) || host == "" || host == "0.0.0.0" || host == "::" {
		return "redis-cli -p " + port
	}
	return "redis-cli -h " + host + " -p " + port
}
