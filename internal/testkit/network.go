package testkit

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// inside is set in a test process that has namespaces of its own.
const inside = "RINGMASTER_TEST_NAMESPACES"

// Apart runs the calling test again, alone, in a process with its own network and table of mounts, and reports
// whether this is that process; if not, the caller returns at once. Changes of the network, or of files such as
// /etc/hosts, are visible only in that process and end with it. The test is skipped if the system does not allow it.
func Apart(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inside) != "" {
		return true
	}
	Need(t, "ip")
	unshare := []string{Need(t, "unshare"), "--net", "--mount", "--propagation", "private"}
	if out, err := exec.Command(unshare[0], append(unshare[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("namespaces are not allowed here: %v: %s", err, out)
	}
	args := append(unshare[1:], os.Args[0], "-test.run", "^"+regexp.QuoteMeta(t.Name())+"$", "-test.v", "-test.count", "1")
	if testing.Short() {
		args = append(args, "-test.short")
	}
	cmd := exec.Command(unshare[0], args...)
	cmd.Env = append(os.Environ(), inside+"=1", "RINGMASTER_BIN="+Ringmaster(t))
	cmd.SysProcAttr = dieWithUs()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("apart: %v\n%s", err, out)
	} else {
		t.Logf("apart:\n%s", out)
	}
	return false
}

// Network is a set of hosts on an Ethernet of their own, each with a network namespace. One host is that of the test
// itself and of everything that it starts without a Host. Only in a process of Apart.
type Network struct {
	// Here is the host of the test.
	Here  *Host
	hosts []*Host
}

// Host is a machine of a Network, or another address of this machine.
type Host struct {
	// IP is its only address except those of the loopback network.
	IP string

	namespace string // "": that of the test
	device    string
}

// NewNetwork makes a network with n hosts beside that of the test.
func NewNetwork(t testing.TB, n int) *Network {
	t.Helper()
	here := &Host{IP: "192.0.2.1", device: "bridge"}
	net := &Network{Here: here, hosts: []*Host{here}}
	run(t, "mount", "-t", "tmpfs", "none", "/run") // where ip puts the names of namespaces
	ip(t, "link set lo up", "link add bridge type bridge", "addr add 192.0.2.1/24 dev bridge", "link set bridge up")
	for i := range n {
		h := &Host{IP: fmt.Sprintf("192.0.2.%d", 11+i), namespace: fmt.Sprintf("host%d", i), device: "eth0"}
		ip(t, "netns add "+h.namespace,
			fmt.Sprintf("link add port%d type veth peer name eth0 netns %s", i, h.namespace),
			fmt.Sprintf("link set port%d master bridge up", i))
		h.ip(t, "link set lo up", "addr add "+h.IP+"/24 dev eth0", "link set eth0 up")
		net.hosts = append(net.hosts, h)
	}
	return net
}

// Hosts are the other hosts.
func (n *Network) Hosts() []*Host { return n.hosts[1:] }

// Cut makes every packet between a host of a and one of b get lost, silently.
func (n *Network) Cut(t testing.TB, a, b []*Host) {
	t.Helper()
	between(t, a, b, func(to *Host, device string) string {
		return fmt.Sprintf("neigh replace %s lladdr 02:00:00:00:00:01 dev %s nud permanent", to.IP, device) // no host has that address
	})
}

// Heal ends a Cut of the same hosts.
func (n *Network) Heal(t testing.TB, a, b []*Host) {
	t.Helper()
	between(t, a, b, func(to *Host, device string) string { return fmt.Sprintf("neigh del %s dev %s", to.IP, device) })
}

// between makes every host apply change for each host on the other side.
func between(t testing.TB, a, b []*Host, change func(to *Host, device string) string) {
	t.Helper()
	for _, side := range [][2][]*Host{{a, b}, {b, a}} {
		for _, h := range side[0] {
			var lines []string
			for _, other := range side[1] {
				lines = append(lines, change(other, h.device))
			}
			h.ip(t, lines...)
		}
	}
}

// argv is a command line that runs on the host.
func (h *Host) argv(args ...string) []string {
	if h == nil || h.namespace == "" {
		return args
	}
	return append([]string{"ip", "netns", "exec", h.namespace}, args...)
}

// Leftovers lists the connections, from ss, that no process on the host has any more, but for which its system still
// sends bytes.
func (h *Host) Leftovers(t testing.TB) string {
	t.Helper()
	argv := h.argv(Need(t, "ss"), "--no-header", "--tcp", "--numeric", "state", "fin-wait-1")
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v: %s", argv, err, out)
	}
	return string(out)
}

func (h *Host) ip(t testing.TB, lines ...string) {
	t.Helper()
	batch(t, h.argv("ip", "-batch", "-"), lines)
}

func ip(t testing.TB, lines ...string) {
	t.Helper()
	batch(t, []string{"ip", "-batch", "-"}, lines)
}

// batch gives ip several commands.
func batch(t testing.TB, argv, lines []string) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Fatalf("%q, %q: %v: %s", argv, lines, err, out)
	}
}

func run(t testing.TB, argv ...string) {
	t.Helper()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", argv, err, out)
	}
}

// address returns the IP address on which programs on the host listen; without a host, that of the loopback network.
func (h *Host) address() string {
	if h == nil {
		return "127.0.0.1"
	}
	return h.IP
}
