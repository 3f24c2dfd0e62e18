package process

import (
	"fmt"
	"log/slog"
	"syscall"

	"ringmaster/control/admin"
	"ringmaster/control/config"
)

const (
	// perLoop is a loop's own descriptors: epoll, eventfd and a socket pair.
	perLoop = 4
	// perProcess is standard streams, the runtime's epoll, name lookups, the acceptor's spare.
	perProcess = 16
	// scarce is the limit on open files below which the admin server gets few connections.
	scarce = 1024
)

// reserved returns how many descriptors are needed for other things than clients. Connections to the servers are
// counted for RESP2 and RESP3. Those lent to single clients are requested, not reserved. limit is how many the system
// allows.
func reserved(c *config.Config, limit uint64) uint64 {
	var servers uint64
	for _, u := range c.Upstreams {
		servers += uint64(c.Loops) * uint64(len(u.Upstream)) * uint64(u.UpstreamConnections) * 2
	}
	return servers + uint64(c.Loops)*perLoop + uint64(len(c.Listeners)) + uint64(adminConns(limit)) + perProcess
}

// adminConns returns how many connections the admin server may have under a limit on open files.
func adminConns(limit uint64) int {
	if limit < scarce {
		return admin.FewConns
	}
	return admin.MaxConns
}

// raiseDescriptors raises the soft limit on open files as far as max-clients needs and the
// system allows, and returns how many clients fit, max-clients or fewer with a warning, as Redis does, and how many
// connections the admin server may have.
func raiseDescriptors(c *config.Config, log *slog.Logger) (clients, adminMax int, err error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, 0, fmt.Errorf("cannot read the limit on open files: %w", err)
	}
	reserve := reserved(c, limit.Max)
	want := reserve + uint64(c.MaxClients) + uint64(c.Loops)*uint64(c.PinnedConnections)
	if limit.Cur < want {
		raised := syscall.Rlimit{Cur: min(want, limit.Max), Max: limit.Max}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err == nil {
			limit = raised
		}
	}
	reserve = reserved(c, limit.Cur)
	clients, err = clientsThatFit(c.MaxClients, reserve, limit.Cur)
	if err == nil && clients < c.MaxClients {
		log.Warn("max-clients is lowered because the system allows too few open files; raise the limit with ulimit -n, or LimitNOFILE= in systemd",
			slog.Int("max_clients", clients), slog.Int("wanted", c.MaxClients),
			slog.Uint64("open_files", limit.Cur), slog.Uint64("reserved", reserve))
	}
	return clients, adminConns(limit.Cur), err
}

// clientsThatFit returns how many of want clients fit under limit together with reserve, all in descriptors.
func clientsThatFit(want int, reserve, limit uint64) (int, error) {
	if limit <= reserve {
		return 0, fmt.Errorf("the system allows %d open files, and ringmaster needs %d besides those for clients; "+
			"raise the limit with ulimit -n, or LimitNOFILE= in systemd, or use fewer --loops or --upstream-connections", limit, reserve)
	}
	return int(min(uint64(want), limit-reserve)), nil
}
