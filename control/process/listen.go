package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"ringmaster/control/config"
)

// listeners are the sockets that are opened before anything starts.
type listeners struct {
	clients []socket
	admin   net.Listener // nil when off
}

// Bound has the addresses in use, with the ports that the system has chosen.
type Bound struct {
	// Clients has the listeners' addresses in their order: HOST:PORT, or config.UnixPrefix and a path. Admin is ""
	// when off.
	Clients []string
	Admin   string
}

// openAll opens every address of the settings, or none of them.
func openAll(c *config.Config) (*listeners, error) {
	ls := new(listeners)
	for _, l := range c.Listeners {
		opened, err := open(l.Address, noKeepAlive)
		if err != nil {
			ls.close()
			return nil, l.Problem("listen", err)
		}
		ls.clients = append(ls.clients, socket{l.Name, l.Address, opened})
	}
	if c.Admin == "" {
		return ls, nil
	}
	l, err := open(c.Admin, 0)
	if err != nil {
		ls.close()
		return nil, c.Problem("admin", err)
	}
	ls.admin = l
	return ls, nil
}

func (ls *listeners) close() {
	for _, l := range ls.clients {
		l.Close()
	}
	if ls.admin != nil {
		ls.admin.Close()
	}
}

func (ls *listeners) bound() Bound {
	var b Bound
	for _, l := range ls.clients {
		prefix := ""
		if l.Addr().Network() == "unix" {
			prefix = config.UnixPrefix
		}
		b.Clients = append(b.Clients, prefix+l.Addr().String())
	}
	if ls.admin != nil {
		b.Admin = ls.admin.Addr().String()
	}
	return b
}

// noKeepAlive has the net package leave keep-alive alone, four system calls for each client: package eventloop sets it.
const noKeepAlive = -1

// open listens on one address. keepAlive is as in net.ListenConfig.
func open(addr string, keepAlive time.Duration) (net.Listener, error) {
	network, where := "tcp", addr
	if path, ok := strings.CutPrefix(addr, config.UnixPrefix); ok {
		network, where = "unix", path
		if err := removeStale(path); err != nil {
			return nil, err
		}
	}
	cfg := net.ListenConfig{KeepAlive: keepAlive}
	l, err := cfg.Listen(context.Background(), network, where)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; %s", addr, cause(err), cure(err, addr))
	}
	return l, nil
}

// removeStale removes a socket that an ended process has left at path.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return nil // nothing is there, or Listen will report the problem
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("cannot listen on unix://%s: a file that is not a socket is in the way; remove it, or choose another path", path)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return nil // in use; Listen will report it
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return os.Remove(path)
	}
	return nil
}

// cause returns the system's reason, without the failed call.
func cause(err error) error {
	var e syscall.Errno
	if errors.As(err, &e) {
		return e
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns
	}
	return err
}

// cure says how to fix a failure to listen.
func cure(err error, addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && strings.HasPrefix(addr, config.UnixPrefix):
		return "another process serves this socket; stop it, or choose another path"
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf("find what uses the port with `ss -ltnp sport = :%s` and stop it, or choose another port", port)
	case errors.Is(err, syscall.EACCES) && strings.HasPrefix(addr, config.UnixPrefix):
		return "the user of this process needs the right to write in that directory"
	case errors.Is(err, syscall.EACCES):
		return "ports below 1024 need the capability CAP_NET_BIND_SERVICE; choose a higher one"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine has no such address; `ip addr` lists those it has"
	case errors.Is(err, syscall.ENOENT):
		return "the directory does not exist; make it, or choose another path"
	}
	return "check the address"
}
