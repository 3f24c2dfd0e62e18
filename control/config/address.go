package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ringmaster/shard"
)

// UnixPrefix starts an address that is a path.
const UnixPrefix = "unix://"

// maxSocketPath is the longest path of a unix socket on Linux, in bytes (sun_path less its zero).
const maxSocketPath = 107

// applyListen replaces the listen addresses.
func applyListen(c *Config, values []string) error {
	var listen []string
	for _, v := range values {
		if err := checkListen(v); err != nil {
			return err
		}
		listen = append(listen, v)
	}
	c.Listen = listen
	return nil
}

func checkListen(addr string) error {
	path, ok := strings.CutPrefix(addr, UnixPrefix)
	switch {
	case ok && !filepath.IsAbs(path):
		return errors.New("want an absolute path: unix:///run/ringmaster.sock")
	case ok && len(path) > maxSocketPath:
		return fmt.Errorf("the path has %d bytes; want at most %d, which is the system's limit for sockets", len(path), maxSocketPath)
	case ok:
		return nil
	case strings.HasPrefix(addr, "unix:"):
		return errors.New("want three slashes: unix:///run/ringmaster.sock")
	case strings.HasPrefix(addr, "rediss://"), strings.HasPrefix(addr, "tls://"):
		return errors.New("want HOST:PORT, not a URL; to speak TLS give --tls-cert-file and --tls-key-file")
	}
	return checkHostPort(addr)
}

func checkHostPort(addr string) error {
	if strings.Contains(addr, "://") {
		return errors.New("want HOST:PORT, not a URL")
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil || strings.ContainsAny(host, " /") {
		return errors.New("want HOST:PORT (an IPv6 address in brackets), such as 127.0.0.1:6380 or [::1]:6380")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %q: want a number from 0 to 65535, where 0 is any free port", port)
	}
	return nil
}

// applyAdmin sets the admin address; empty: none.
func applyAdmin(c *Config, value string) error {
	if value != "" {
		if err := checkHostPort(value); err != nil {
			return err
		}
	}
	c.Admin = value
	return nil
}

// applyAdminHosts takes names without ports. Each value is a list separated by commas.
func applyAdminHosts(c *Config, values []string) error {
	var hosts []string
	for _, v := range values {
		for _, name := range strings.Split(v, ",") {
			name = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
			if rest := strings.TrimPrefix(name, "*."); name != "*" && (rest == "" || strings.ContainsAny(rest, "*:/ []")) {
				return errors.New("want names without a port, such as ringmaster or *.example.com, or * for any")
			}
			hosts = append(hosts, name)
		}
	}
	c.AdminHosts = hosts
	return nil
}

// applyUpstream replaces the servers. Each value is a list separated by commas.
func applyUpstream(c *Config, values []string) error {
	var servers []shard.Server
	for _, v := range values {
		more, err := shard.ParseServers(v)
		if err != nil {
			return errors.New(strings.TrimPrefix(err.Error(), "shard: "))
		}
		servers = append(servers, more...)
	}
	c.Upstream = servers
	return nil
}

// applySentinelMasters takes names. Each value is a list separated by commas.
func applySentinelMasters(c *Config, values []string) error {
	var names []string
	for _, v := range values {
		for _, name := range strings.Split(v, ",") {
			name = strings.TrimSpace(name)
			if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
				return fmt.Errorf("want names as in \"sentinel monitor NAME ...\", without blanks; got %q", name)
			}
			if slices.Contains(names, name) {
				return fmt.Errorf("%s is given twice", name)
			}
			names = append(names, name)
		}
	}
	c.SentinelMasters = names
	return nil
}

func applyHashTag(c *Config, value string) error {
	if value != "" && len(value) != 2 {
		return errors.New("want two characters, the opening and the closing one, such as '{}', or nothing")
	}
	c.HashTag = value
	return nil
}

// Loopback reports whether only this machine can reach a listen address: a unix socket, 127.0.0.0/8, ::1 or the name
// localhost. Other names are not looked up, and count as reachable from other machines.
func Loopback(addr string) bool {
	if strings.HasPrefix(addr, UnixPrefix) {
		return true
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host == "localhost"
	}
	return ip.Unmap().IsLoopback()
}

// applyAnnounce takes addresses that clients can connect to. Each value is a list separated by commas.
func applyAnnounce(c *Config, values []string) error {
	var addrs []string
	for _, v := range values {
		for _, addr := range strings.Split(v, ",") {
			if err := checkHostPort(addr); err != nil {
				return err
			}
			if host, _, _ := net.SplitHostPort(addr); host == "" || anyPort(addr) {
				return errors.New("want HOST:PORT that clients can connect to, such as 10.0.0.1:6380")
			}
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) > shard.Slots {
		return fmt.Errorf("%d addresses; want at most %d, the number of slots", len(addrs), shard.Slots)
	}
	c.ClusterAnnounce = addrs
	return nil
}
