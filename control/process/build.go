package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"ringmaster/control/config"
	"ringmaster/internal/respclient"
)

// openSockets opens the sockets that the listeners lack. It never binds an address twice, because open sockets stay
// in use.
func (b *build) openSockets(context.Context) error {
	var failed config.Problems
	for _, l := range b.next.config.Listeners {
		s := socket{l.Name, l.Address, nil}
		handed, err := b.socketOf(l)
		if err != nil {
			failed = append(failed, l.Problem("listen", err))
			continue
		}
		if s.Listener = handed; handed == nil {
			s.Listener = b.old.socket(l.Name).Listener
		}
		b.next.sockets = append(b.next.sockets, s)
		b.handed = append(b.handed, handed)
	}
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// socketOf returns the socket for a listener; nil: it keeps its current one.
func (b *build) socketOf(l config.Listener) (net.Listener, error) {
	was := b.old.socket(l.Name)
	if was != nil && sameAddress(was.address, l.Address) {
		return nil, nil
	}
	for _, s := range b.old.sockets {
		switch {
		case anyPort(l.Address) || !sameAddress(s.address, l.Address):
		case was == nil && !slices.ContainsFunc(b.next.config.Listeners, func(o config.Listener) bool { return o.Name == s.name }):
			return s.Listener, nil // under another name, together with its clients
		default:
			return b.closing(b.copied(s.Listener))
		}
	}
	opened, err := b.closing(open(l.Address, noKeepAlive))
	if own := b.ownPort(l.Address); own != "" && errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("cannot listen on %s: this process listens on %s itself, and can't move a port to another address while it runs; "+
			"restart ringmaster, or choose another port", l.Address, own)
	}
	return opened, err
}

// closing has a new socket closed if the reload fails.
func (b *build) closing(l net.Listener, err error) (net.Listener, error) {
	if err == nil {
		b.undo = append(b.undo, func() { _ = l.Close() })
	}
	return l, err
}

// ownPort returns the address at which this process already uses the port of addr; "": none.
func (b *build) ownPort(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "" // a path
	}
	for _, own := range append([]string{b.old.config.Admin}, b.old.config.Listen...) {
		if _, p, err := net.SplitHostPort(own); err == nil && p == port {
			return own
		}
	}
	return ""
}

// sameAddress reports whether two addresses of the settings are the same, as far as their text shows.
func sameAddress(a, b string) bool {
	pathA, unixA := strings.CutPrefix(a, config.UnixPrefix)
	pathB, unixB := strings.CutPrefix(b, config.UnixPrefix)
	return a == b || unixA && unixB && filepath.Clean(pathA) == filepath.Clean(pathB)
}

// anyPort reports whether the system chooses the port of an address.
func anyPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && strings.Trim(port, "0") == ""
}

// copied returns another descriptor of a socket, which stays open when the data plane closes the first. So clients
// that wait to be accepted are not lost.
func (b *build) copied(l net.Listener) (net.Listener, error) {
	file, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	again, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	if old, ok := l.(*net.UnixListener); ok { // only the last one to be closed removes the path
		old.SetUnlinkOnClose(false)
		b.undo = append(b.undo, func() { old.SetUnlinkOnClose(true) })
		b.finish = append(b.finish, func() { again.(*net.UnixListener).SetUnlinkOnClose(true) })
	}
	return again, nil
}

// findServers finds the servers of all new upstreams at once.
func (b *build) findServers(ctx context.Context) error {
	c := b.next.config
	all, failed := make([]*upstream, len(c.Upstreams)), make([]error, len(c.Upstreams))
	var wg sync.WaitGroup
	for i, settings := range c.Upstreams {
		if u := b.old.upstream(settings.Name); u != nil {
			next := *u
			next.Upstream = settings
			all[i] = &next
			continue
		}
		wg.Go(func() {
			if all[i], failed[i] = findUpstream(ctx, settings, len(c.Upstreams) > 1, b.Log, b.find); failed[i] != nil {
				failed[i] = settings.Problem("upstream", failed[i])
			}
		})
	}
	wg.Wait()
	b.next.upstreams = all
	for _, u := range all {
		if u != nil && u.end == nil {
			b.found = append(b.found, u)
			b.undo = append(b.undo, u.forget)
		}
	}
	return problems(failed)
}

// tried is the result of trying a login.
type tried struct {
	upstream string
	problem  error // nil: there is none
	refused  bool  // false: it could not be tried, because its servers may be down
}

// tryLogins tries each new login, so that a wrong password is found before anything depends on it.
func (b *build) tryLogins(ctx context.Context) error {
	all := make([]tried, len(b.next.upstreams)*2)
	var wg sync.WaitGroup
	for i, u := range b.next.upstreams {
		was := b.old.upstream(u.Name)
		if was == nil || was.UpstreamUsername != u.UpstreamUsername || was.UpstreamPassword != u.UpstreamPassword {
			wg.Go(func() { all[2*i] = b.tryServers(ctx, u) })
		}
		if u.Topology == config.Sentinel && was != nil && (was.SentinelUsername != u.SentinelUsername || was.SentinelPassword != u.SentinelPassword) {
			wg.Go(func() { all[2*i+1] = b.trySentinels(ctx, u) })
		}
	}
	wg.Wait()
	var failed []error
	for _, t := range all {
		switch {
		case t.refused:
			failed = append(failed, t.problem)
		case t.problem != nil:
			b.finish = append(b.finish, func() {
				b.Log.Warn("the new login could not be tried; it is used from now on", slog.String("upstream", t.upstream), slog.Any("cause", t.problem))
			})
		}
	}
	return problems(failed)
}

func (b *build) tryServers(ctx context.Context, u *upstream) tried {
	servers := addrs(u.Config.Upstream)
	if u.topology.Discovered() {
		servers = nil
		for _, s := range u.topology.Describe(nil).Servers {
			servers = append(servers, s.Addr)
		}
	}
	return b.try(ctx, u, "upstream-password", servers, respclient.Options{Username: u.UpstreamUsername, Password: u.UpstreamPassword.Reveal(), Timeout: u.DialTimeout})
}

func (b *build) trySentinels(ctx context.Context, u *upstream) tried {
	o := respclient.Options{Username: u.SentinelUsername, Password: u.SentinelPassword.Reveal(), Timeout: u.DialTimeout}
	return b.try(ctx, u, "sentinel-password", addrs(u.Config.Upstream), o)
}

// try tries the login of an upstream that has its password in a setting.
func (b *build) try(ctx context.Context, u *upstream, setting string, servers []string, o respclient.Options) tried {
	err := b.tryLogin(ctx, servers, o)
	untried := errors.Is(err, errUntried)
	if err == nil || untried && o.Password == "" {
		return tried{}
	}
	return tried{u.Name, u.Problem(setting, err), !untried}
}

// prepare prepares the topologies of changed upstreams. It is the last step that may wait, because a prepared
// topology delays other changes of its servers.
func (b *build) prepare(context.Context) error {
	b.changes = map[string]change{}
	for _, u := range b.next.upstreams {
		if !b.merged.Upstreams[u.Name] {
			continue
		}
		c, err := topologyConfig(u.Config, u.label, b.Log)
		if err != nil {
			return u.Problem("upstream", err)
		}
		change, err := u.topology.Prepare(c)
		if err != nil {
			return u.Problem("upstream", err)
		}
		b.changes[u.Name] = change
		b.undo = append(b.undo, change.Abort)
		b.finish = append(b.finish, change.Commit)
	}
	return nil
}

// problems joins the problems; nil: there is none.
func problems(failed []error) error {
	var ps config.Problems
	for _, err := range failed {
		if p, ok := err.(config.Problem); ok {
			ps = append(ps, p)
		}
	}
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b config.Problem) int { return strings.Compare(a.Setting, b.Setting) })
	return ps
}
