package testkit

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// SentinelOptions are the options of a set of servers under Sentinel.
type SentinelOptions struct {
	Names     []string // of the masters; none: "mymaster"
	Replicas  int      // of each
	Sentinels int      // 0: three
	Password  string   // of the servers' default user
	Guard     string   // password of the sentinels
	// DownAfter is how long a server is silent before it counts as down; 0 is two seconds. With less, sentinels on a
	// busy machine replace a healthy primary.
	DownAfter time.Duration
}

// Sentinels is some primaries with their replicas and the sentinels that watch them, all on 127.0.0.1.
type Sentinels struct {
	Sentinels []*Server
	// Groups are the servers of each name, including killed ones, beginning with the first primary.
	Groups map[string][]*Server

	options SentinelOptions
}

// StartSentinels starts three sentinels for one primary, "mymaster", with replicas. It returns when all agree that
// everything is healthy. It skips the test if redis-server is missing.
func StartSentinels(t testing.TB, replicas int) *Sentinels {
	t.Helper()
	return StartSentinelsWith(t, SentinelOptions{Replicas: replicas})
}

// StartSentinelsWith is StartSentinels with every choice.
func StartSentinelsWith(t testing.TB, o SentinelOptions) *Sentinels {
	t.Helper()
	if len(o.Names) == 0 {
		o.Names = []string{"mymaster"}
	}
	if o.Sentinels == 0 {
		o.Sentinels = 3
	}
	if o.DownAfter == 0 {
		o.DownAfter = 2 * time.Second
	}
	s := &Sentinels{options: o, Groups: map[string][]*Server{}}
	for _, name := range o.Names {
		for range 1 + o.Replicas {
			s.AddServer(t, name)
		}
	}
	for range o.Sentinels {
		s.Sentinels = append(s.Sentinels, s.startSentinel(t))
	}
	s.WaitOK(t)
	return s
}

// AddServer starts one more server of a name: a replica, unless it is the first.
func (s *Sentinels) AddServer(t testing.TB, name string) *Server {
	t.Helper()
	args := []string{"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}
	if s.options.Password != "" {
		args = append(args, "--requirepass", s.options.Password, "--masterauth", s.options.Password)
	}
	if of := s.Groups[name]; len(of) > 0 {
		args = append(args, "--replicaof", "127.0.0.1", strconv.Itoa(s.mustPrimary(t, name).Port(t)))
	}
	n := Redis(t, args...)
	s.Groups[name] = append(s.Groups[name], n)
	return n
}

// mustPrimary returns the primary for a new server: the first server while no sentinel runs.
func (s *Sentinels) mustPrimary(t testing.TB, name string) *Server {
	t.Helper()
	if len(s.Sentinels) == 0 {
		return s.Groups[name][0]
	}
	p := s.Primary(name)
	if p == nil {
		t.Fatalf("%s has no primary", name)
	}
	return p
}

func (s *Sentinels) startSentinel(t testing.TB) *Server {
	t.Helper()
	bin := ServerProgram(t)
	dir := t.TempDir()
	conf := filepath.Join(dir, "sentinel.conf") // sentinels store their state in it
	quorum := s.options.Sentinels/2 + 1
	n := launch(t, &Server{Dir: dir}, func(port int) ([]string, error) {
		var b strings.Builder
		fmt.Fprintf(&b, "port %d\nbind 127.0.0.1\ndir %s\n", port, dir)
		if s.options.Guard != "" {
			fmt.Fprintf(&b, "requirepass %s\nsentinel sentinel-pass %s\n", s.options.Guard, s.options.Guard)
		}
		for _, name := range s.options.Names {
			fmt.Fprintf(&b, "sentinel monitor %s 127.0.0.1 %d %d\n", name, s.Groups[name][0].Port(t), quorum)
			fmt.Fprintf(&b, "sentinel down-after-milliseconds %s %d\nsentinel failover-timeout %s 2000\n", name, s.options.DownAfter.Milliseconds(), name)
			if s.options.Password != "" {
				fmt.Fprintf(&b, "sentinel auth-pass %s %s\n", name, s.options.Password)
			}
		}
		return []string{bin, conf, "--sentinel"}, os.WriteFile(conf, []byte(b.String()), 0o600)
	})
	// Make them meet and check sooner, and do not let a machine that is slow for a moment make them mistrust the
	// clock. During a failover INFO comes only every second. A replica is promoted only if its latest INFO is younger
	// than five ping periods, and it must report its promotion before the failover's timeout.
	_, _ = s.Ask(n, "SENTINEL", "DEBUG", "info-period", "300", "publish-period", "300", "ping-period", "500", "tilt-trigger", "10000")
	return n
}

// Ask sends a command to a sentinel or server and returns its reply; errors are values. A nil server gives an error.
// Any goroutine.
func (s *Sentinels) Ask(n *Server, args ...string) (Value, error) {
	password := s.options.Password
	if n != nil && slices.Contains(n.argv, "--sentinel") {
		password = s.options.Guard
	}
	return ask(n, password, args...)
}

// Primary returns the server that most running sentinels name as the primary; nil: they do not agree.
func (s *Sentinels) Primary(name string) *Server {
	votes, running := map[string]int{}, 0
	for _, n := range s.Sentinels {
		if n.Exited() {
			continue
		}
		running++
		if v, err := s.Ask(n, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", name); err == nil && len(v.Elems) == 2 {
			votes[net.JoinHostPort(v.Elems[0].Text, v.Elems[1].Text)]++
		}
	}
	for _, n := range s.Groups[name] {
		if 2*votes[n.Addr] > running {
			return n
		}
	}
	return nil
}

// Addrs returns the sentinels' addresses.
func (s *Sentinels) Addrs() []string {
	var addrs []string
	for _, n := range s.Sentinels {
		addrs = append(addrs, n.Addr)
	}
	return addrs
}

// Replicas returns the running servers of a name that its primary has as replicas.
func (s *Sentinels) Replicas(name string) []*Server {
	p := s.Primary(name)
	return slices.DeleteFunc(slices.Clone(s.Groups[name]), func(n *Server) bool { return n == p || n.Exited() })
}

// WaitPromoted waits until a sentinel names another primary than old, and returns that.
func (s *Sentinels) WaitPromoted(t testing.TB, name string, old *Server) *Server {
	t.Helper()
	var promoted *Server
	Until(t, "a replica of "+name+" to be promoted", func() bool {
		for _, n := range s.Sentinels {
			v, err := s.Ask(n, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)
			if err != nil || len(v.Elems) != 2 {
				continue
			}
			addr := net.JoinHostPort(v.Elems[0].Text, v.Elems[1].Text)
			i := slices.IndexFunc(s.Groups[name], func(n *Server) bool { return n.Addr == addr })
			if i >= 0 && s.Groups[name][i] != old {
				promoted = s.Groups[name][i]
				return true
			}
		}
		return false
	})
	return promoted
}

// WaitOK waits until the running sentinels know each other and all running servers, agree on the primaries, and every
// replica has its primary's data.
func (s *Sentinels) WaitOK(t testing.TB) {
	t.Helper()
	var trouble string
	if !Eventually(2*Patience, func() bool { trouble = s.trouble(); return trouble == "" }) {
		t.Fatalf("waited %v for the sentinels: %s", 2*Patience, trouble)
	}
}

// trouble says what is lacking; "": nothing.
func (s *Sentinels) trouble() string {
	running := slices.DeleteFunc(slices.Clone(s.Sentinels), (*Server).Exited)
	for _, name := range s.options.Names {
		primary := s.Primary(name)
		if primary == nil || primary.Exited() {
			return name + " has no primary"
		}
		replicas := s.Replicas(name)
		for _, n := range running {
			v, err := s.Ask(n, "SENTINEL", "MASTER", name)
			f := pairs(v)
			others, _ := strconv.Atoi(f["num-other-sentinels"])
			if err != nil || f["flags"] != "master" || f["port"] != port(primary) || f["role-reported"] != "master" || others < len(running)-1 {
				return fmt.Sprintf("%s says of %s %v, %v", n.Addr, name, f, err)
			}
			v, err = s.Ask(n, "SENTINEL", "REPLICAS", name)
			if err != nil {
				return err.Error()
			}
			ready := 0
			for _, e := range v.Elems {
				if f := pairs(e); f["flags"] == "slave" && f["master-link-status"] == "ok" && f["master-port"] == port(primary) {
					ready++
				}
			}
			if ready < len(replicas) {
				return fmt.Sprintf("%s knows %d replicas of %s that are well, of %d", n.Addr, ready, name, len(replicas))
			}
		}
		if why := lacking(primary, s.options.Password, len(replicas)); why != "" {
			return why
		}
	}
	return ""
}

func port(n *Server) string {
	_, p, _ := net.SplitHostPort(n.Addr)
	return p
}

// pairs returns the fields of a description.
func pairs(v Value) map[string]string {
	f := map[string]string{}
	for i := 0; i+1 < len(v.Elems); i += 2 {
		f[v.Elems[i].Text] = v.Elems[i+1].Text
	}
	return f
}
