package testkit

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// clusterSlots is the number of hash slots of a Redis Cluster.
const clusterSlots = 16384

// ClusterOptions are the options of a cluster.
type ClusterOptions struct {
	Primaries, Replicas int      // replicas in all; they follow the primaries in turn
	Password            string   // of the default user, on every node
	Args                []string // further arguments of every redis-server
	Hosts               []*Host  // of a Network: the nodes run on these, one on each; nil: all on 127.0.0.1
	// NodeArgs, if not nil, are further arguments of node i, whose port is given.
	NodeArgs func(i, port int) []string
}

// Cluster is a Redis Cluster of redis-server processes on 127.0.0.1 whose nodes fail each other after a second.
type Cluster struct {
	// Nodes are all nodes, including killed ones: the first primaries in the order of their slots, then the replicas,
	// then the added nodes.
	Nodes []*Server

	options ClusterOptions
}

// ClusterNode is a line of CLUSTER NODES.
type ClusterNode struct {
	ID, Addr, Primary string // Primary is "-" for a primary
	Epoch             string // of the configuration; a replica has its primary's
	Flags             []string
	Linked            bool
	Slots             []string
}

// StartCluster starts n primaries, which own the slots in equal parts, and replicas. It returns when all nodes agree
// that the cluster is healthy. It skips the test if redis-server is missing.
func StartCluster(t testing.TB, primaries, replicas int) *Cluster {
	t.Helper()
	return StartClusterWith(t, ClusterOptions{Primaries: primaries, Replicas: replicas})
}

// StartClusterWith is StartCluster with every choice.
func StartClusterWith(t testing.TB, o ClusterOptions) *Cluster {
	t.Helper()
	c := &Cluster{options: o}
	for range o.Primaries + o.Replicas {
		c.start(t)
	}
	for i, n := range c.Nodes {
		c.Must(t, n, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if i < o.Primaries {
			first, last := i*clusterSlots/o.Primaries, (i+1)*clusterSlots/o.Primaries-1
			add := []string{"CLUSTER", "ADDSLOTS"} // Redis 6.2 takes no ranges
			for slot := first; slot <= last; slot++ {
				add = append(add, strconv.Itoa(slot))
			}
			c.Must(t, n, add...)
		}
		for _, m := range c.Nodes[:i] {
			c.meet(t, n, m)
		}
	}
	c.waitKnown(t)
	for i, n := range c.Nodes[o.Primaries:] {
		c.Must(t, n, "CLUSTER", "REPLICATE", c.ID(t, c.Nodes[i%o.Primaries]))
	}
	c.WaitOK(t)
	return c
}

// start starts a node that knows no other.
func (c *Cluster) start(t testing.TB) *Server {
	t.Helper()
	bin := ServerProgram(t)
	dir := t.TempDir()
	s, i := &Server{Dir: dir}, len(c.Nodes)
	if i < len(c.options.Hosts) {
		s.Host = c.options.Hosts[i]
	}
	n := launch(t, s, func(port int) ([]string, error) {
		argv := s.Host.argv(bin, "--port", strconv.Itoa(port), "--bind", s.Host.address(),
			"--protected-mode", "no", "--save", "", "--appendonly", "no", "--dir", dir, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
			"--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
		if !isRedis6(t, bin) {
			argv = append(argv, "--bind-source-addr", s.Host.address(), "--cluster-port", strconv.Itoa(FreePort(t)))
		}
		if c.options.Password != "" {
			argv = append(argv, "--requirepass", c.options.Password, "--masterauth", c.options.Password)
		}
		if c.options.NodeArgs != nil {
			argv = append(argv, c.options.NodeArgs(i, port)...)
		}
		return append(argv, c.options.Args...), nil
	})
	c.Nodes = append(c.Nodes, n)
	return n
}

// busPort is the port of the node's bus. In Redis 6.2 it can't be chosen.
func busPort(t testing.TB, n *Server) string {
	t.Helper()
	if at := slices.Index(n.argv, "--cluster-port"); at >= 0 {
		return n.argv[at+1]
	}
	return strconv.Itoa(n.Port(t) + 10_000)
}

func (c *Cluster) meet(t testing.TB, n, other *Server) {
	t.Helper()
	c.Must(t, n, "CLUSTER", "MEET", other.Host.address(), strconv.Itoa(other.Port(t)), busPort(t, other))
}

// Ask sends a command to a node and returns its reply; errors are values. A nil node gives an error. Any goroutine.
func (c *Cluster) Ask(n *Server, args ...string) (Value, error) {
	return ask(n, c.options.Password, args...)
}

// ask logs in to a server, if there is a password, and asks it one thing.
func ask(n *Server, password string, args ...string) (Value, error) {
	conn, err := loggedIn(n, password)
	if err != nil {
		return Value{}, err
	}
	defer conn.Close()
	raw, err := conn.Call(args...)
	if err != nil {
		return Value{}, err
	}
	return ParseValue([]byte(raw))
}

func loggedIn(n *Server, password string) (*Conn, error) {
	if n == nil {
		return nil, errors.New("nobody to ask: the others do not agree who it is")
	}
	conn, err := Connect(n.Addr)
	if err != nil || password == "" {
		return conn, err
	}
	if raw, err := conn.Call("AUTH", password); err != nil || raw != "+OK\r\n" {
		conn.Close()
		return nil, fmt.Errorf("AUTH at %s: %q, %w", n.Addr, raw, err)
	}
	return conn, nil
}

// lacking says why fewer than the given number of replicas have their primary's data; "": they have it. A link that
// is up is no proof, because a primary may begin to send its writes only a second later, with the replica's next ACK.
func lacking(primary *Server, password string, replicas int) string {
	if replicas == 0 {
		return ""
	}
	conn, err := loggedIn(primary, password)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	if raw, err := conn.Call("PING"); err != nil || raw != "+PONG\r\n" { // WAIT covers the writes up to the connection's previous command
		return fmt.Sprintf("PING at %s: %q, %v", primary.Addr, raw, err)
	}
	raw, err := conn.Call("WAIT", strconv.Itoa(replicas), "2000")
	if n, _ := strconv.Atoi(strings.Trim(raw, ":\r\n")); err != nil || n < replicas {
		return fmt.Sprintf("of %d replicas of %s so many have its data: %q, %v", replicas, primary.Addr, raw, err)
	}
	return ""
}

// Must is Ask that ends the test when there is no reply, or an error.
func (c *Cluster) Must(t testing.TB, n *Server, args ...string) Value {
	t.Helper()
	v, err := c.Ask(n, args...)
	if err != nil || v.Kind == '-' {
		t.Fatalf("%q at %s: %v, %v", args, n.Addr, v, err)
	}
	return v
}

// ID returns the node's ID.
func (c *Cluster) ID(t testing.TB, n *Server) string {
	t.Helper()
	return c.Must(t, n, "CLUSTER", "MYID").Text
}

// View returns the cluster as n sees it, n first.
func (c *Cluster) View(n *Server) ([]ClusterNode, error) {
	v, err := c.Ask(n, "CLUSTER", "NODES")
	if err != nil || v.Kind == '-' {
		return nil, fmt.Errorf("CLUSTER NODES at %s: %v, %w", n.Addr, v, err)
	}
	var nodes []ClusterNode
	for line := range strings.Lines(v.Text) {
		f := strings.Fields(line)
		if len(f) < 8 {
			return nil, fmt.Errorf("CLUSTER NODES at %s: line %q", n.Addr, line)
		}
		addr, _, _ := strings.Cut(f[1], "@")
		if i := strings.LastIndexByte(addr, ':'); i > 0 {
			addr = net.JoinHostPort(addr[:i], addr[i+1:]) // with brackets around IPv6
		}
		node := ClusterNode{ID: f[0], Addr: addr, Primary: f[3], Epoch: f[6], Flags: strings.Split(f[2], ","), Linked: f[7] == "connected", Slots: f[8:]}
		if slices.Contains(node.Flags, "myself") {
			node.Addr = n.Addr // a node learns its own address last
			nodes = slices.Insert(nodes, 0, node)
		} else {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

// Running returns the nodes whose process lives.
func (c *Cluster) Running() []*Server {
	return slices.DeleteFunc(slices.Clone(c.Nodes), (*Server).Exited)
}

// Primary returns the node that owns slot, as most running nodes see it; nil: they do not agree.
func (c *Cluster) Primary(slot int) *Server {
	votes := map[string]int{}
	running := c.Running()
	for _, n := range running {
		view, _ := c.View(n)
		for _, node := range view {
			if owns(node.Slots, slot) {
				votes[node.Addr]++
			}
		}
	}
	for _, n := range running {
		if 2*votes[n.Addr] > len(running) {
			return n
		}
	}
	return nil
}

func owns(ranges []string, slot int) bool {
	for _, r := range ranges {
		low, high, wide := strings.Cut(r, "-")
		if !wide {
			high = low
		}
		first, err1 := strconv.Atoi(low)
		last, err2 := strconv.Atoi(high)
		if err1 == nil && err2 == nil && first <= slot && slot <= last {
			return true
		}
	}
	return false
}

// Primaries returns the running nodes that own slots, the owner of the lowest slot first.
func (c *Cluster) Primaries(t testing.TB) []*Server {
	t.Helper()
	view, err := c.View(c.Running()[0])
	if err != nil {
		t.Fatal(err)
	}
	view = slices.DeleteFunc(view, func(n ClusterNode) bool { return len(n.Slots) == 0 || n.failing() })
	lowest := func(n ClusterNode) int {
		first, _ := slotRange(t, n.Slots[0])
		return first
	}
	slices.SortFunc(view, func(a, b ClusterNode) int { return lowest(a) - lowest(b) })
	var primaries []*Server
	for _, v := range view {
		for _, n := range c.Running() {
			if n.Addr == v.Addr {
				primaries = append(primaries, n)
			}
		}
	}
	return primaries
}

// ReplicasOf returns the running replicas of a primary, as the primary sees them.
func (c *Cluster) ReplicasOf(t testing.TB, primary *Server) []*Server {
	t.Helper()
	view, err := c.View(primary)
	if err != nil {
		t.Fatal(err)
	}
	var replicas []*Server
	for _, n := range c.Running() {
		if slices.ContainsFunc(view, func(v ClusterNode) bool { return v.Addr == n.Addr && v.Primary == view[0].ID }) {
			replicas = append(replicas, n)
		}
	}
	return replicas
}

// WaitOK waits until every running node says that all slots are served, knows every other running node, none of them as
// failing and all as the others know them, and every replica has its primary's data.
//
// WaitOK must come between two moves of slots. SETSLOT tells a node which node owns a slot, but not in which epoch,
// and the new owner takes no newer epoch if its own is the highest that it knows. A message of the previous owner,
// with an epoch that the new owner does not know, then takes the slot from it, and it deletes the keys (Redis 7.0,
// clusterUpdateSlotsConfigWith; seen without a proxy).
func (c *Cluster) WaitOK(t testing.TB) {
	t.Helper()
	var trouble string
	if !Eventually(Patience, func() bool { trouble = c.trouble(); return trouble == "" }) {
		t.Fatalf("waited %v for the cluster: %s", Patience, trouble)
	}
}

// trouble says what the cluster lacks; "": nothing.
func (c *Cluster) trouble() string {
	running := c.Running()
	roles := map[string]string{} // as the first node sees them
	for i, n := range running {
		info, err := c.Ask(n, "CLUSTER", "INFO")
		if err != nil || !strings.Contains(info.Text, "cluster_state:ok") || !strings.Contains(info.Text, "cluster_slots_ok:16384") {
			return fmt.Sprintf("%s says %q, %v", n.Addr, info.Text, err)
		}
		view, err := c.View(n)
		if err != nil {
			return err.Error()
		}
		for _, other := range running {
			at := slices.IndexFunc(view, func(v ClusterNode) bool { return v.Addr == other.Addr })
			if at < 0 || !view[at].Linked || view[at].failing() {
				return fmt.Sprintf("%s has %s as %v", n.Addr, other.Addr, view)
			}
			role := view[at].role()
			if i == 0 {
				roles[other.Addr] = role
			} else if roles[other.Addr] != role {
				return fmt.Sprintf("%s has %s with %s, %s with %s", running[0].Addr, other.Addr, roles[other.Addr], n.Addr, role)
			}
		}
		followers := 0
		for _, v := range view {
			if v.Primary == view[0].ID && slices.ContainsFunc(running, func(r *Server) bool { return r.Addr == v.Addr }) {
				followers++
			}
		}
		if why := lacking(n, c.options.Password, followers); why != "" {
			return why
		}
	}
	return ""
}

// role returns the primary's ID, the epoch and the slots, without moving slots, which only their node reports.
func (n ClusterNode) role() string {
	stays := slices.DeleteFunc(slices.Clone(n.Slots), func(r string) bool { return strings.HasPrefix(r, "[") })
	return n.Primary + " " + n.Epoch + " " + strings.Join(stays, " ")
}

func (n ClusterNode) failing() bool {
	return slices.ContainsFunc(n.Flags, func(f string) bool {
		return strings.HasPrefix(f, "fail") || f == "handshake" || f == "noaddr"
	})
}

// waitKnown waits until every running node has met every other.
func (c *Cluster) waitKnown(t testing.TB) {
	t.Helper()
	running := c.Running()
	Until(t, "every node knows every other", func() bool {
		for _, n := range running {
			view, err := c.View(n)
			if err != nil {
				return false
			}
			met := 0
			for _, v := range view {
				if v.Linked && !v.failing() {
					met++
				}
			}
			if met < len(running) {
				return false
			}
		}
		return true
	})
}
