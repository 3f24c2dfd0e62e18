package sentinel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ringmaster/internal/respclient"
)

// view is one sentinel's answers.
type view struct {
	id      string             // its own, otherwise its address
	masters map[string]*master // by name; only names that it knows
	peers   []peer             // other sentinels
}

// peer is a sentinel that another one names.
type peer struct{ id, addr string }

// master is what a sentinel says about one name.
type master struct {
	addr     string // of the primary, HOST:PORT
	epoch    uint64 // the config epoch
	down     bool   // it can't reach the primary
	failover bool   // it is replacing the primary
	replicas []replica
}

// replica is what a sentinel says about a replica.
type replica struct {
	addr  string
	ready bool // it is up and follows this primary; package replicas checks its link
}

// knows reports whether addr is the primary or a replica.
func (m *master) knows(addr string) bool {
	return m.addr == addr || slices.ContainsFunc(m.replicas, func(r replica) bool { return r.addr == addr })
}

// read adds the replies about one name to the view. It adds nothing for a name that the sentinel does not know.
func (v *view) read(name string, replies []respclient.Value) error {
	current, about, replicas, sentinels := replies[0], replies[1], replies[2], replies[3]
	if err := respclient.Refused("SENTINEL GET-MASTER-ADDR-BY-NAME", current); err != nil {
		return err
	}
	if current.Null {
		return nil
	}
	for command, reply := range map[string]respclient.Value{"MASTER": about, "REPLICAS": replicas, "SENTINELS": sentinels} {
		if err := respclient.Refused("SENTINEL "+command, reply); err != nil {
			return err
		}
	}
	m, err := parseMaster(current, about)
	if err != nil {
		return fmt.Errorf("SENTINEL MASTER %s: %w", name, err)
	}
	for _, e := range replicas.Elems {
		if r, ok := parseReplica(fieldsOf(e), m.addr); ok {
			m.replicas = append(m.replicas, r)
		}
	}
	for _, e := range sentinels.Elems {
		f := fieldsOf(e)
		if addr, ok := join(f["ip"], f["port"]); ok && f["runid"] != "" {
			v.peers = append(v.peers, peer{strings.Clone(f["runid"]), addr})
		}
	}
	v.masters[name] = m
	return nil
}

// fieldsOf returns the pairs of a description. The texts share the reply's memory.
func fieldsOf(v respclient.Value) map[string]string {
	fields := map[string]string{}
	v.Pairs(func(key string, value respclient.Value) bool {
		fields[key] = value.Text
		return true
	})
	return fields
}

// parseMaster reads which server is the primary. During a failover MASTER still describes the old primary, and
// GET-MASTER-ADDR-BY-NAME names the new one as soon as it is promoted. Otherwise MASTER, which has the epoch, is
// right.
func parseMaster(current, about respclient.Value) (*master, error) {
	f := fieldsOf(about)
	flags := strings.Split(f["flags"], ",")
	m := &master{
		down:     slices.Contains(flags, "s_down") || slices.Contains(flags, "o_down"),
		failover: slices.Contains(flags, "failover_in_progress"),
	}
	var ok bool
	if m.addr, ok = join(f["ip"], f["port"]); !ok {
		return nil, fmt.Errorf("no address: %.40q, %.40q", f["ip"], f["port"])
	}
	var err error
	if m.epoch, err = strconv.ParseUint(f["config-epoch"], 10, 64); err != nil {
		return nil, fmt.Errorf("config-epoch %.40q", f["config-epoch"])
	}
	if len(current.Elems) != 2 {
		return nil, errors.New("GET-MASTER-ADDR-BY-NAME has no two elements")
	}
	if addr, ok := join(current.Elems[0].Text, current.Elems[1].Text); ok && m.failover && addr != m.addr {
		m.addr, m.down = addr, false
	}
	return m, nil
}

// parseReplica reads a replica of the primary at an address.
func parseReplica(f map[string]string, primary string) (r replica, ok bool) {
	if r.addr, ok = join(f["ip"], f["port"]); !ok || r.addr == primary {
		return r, false
	}
	flags := strings.Split(f["flags"], ",")
	has := func(flag string) bool { return slices.Contains(flags, flag) }
	r.ready = !has("s_down") && !has("o_down") && !has("disconnected") && has("slave") &&
		f["replica-announced"] != "0" && samePrimary(f["master-host"], f["master-port"], primary)
	return r, true
}

// samePrimary reports whether host and port, which a replica reports as its primary's, mean primary. A host name
// can't be compared with an IP address, so then only the ports count.
func samePrimary(host, port, primary string) bool {
	h, p, err := net.SplitHostPort(primary)
	if err != nil || p != port {
		return false
	}
	_, err1 := netip.ParseAddr(host)
	_, err2 := netip.ParseAddr(h)
	return host == h || (err1 == nil) != (err2 == nil)
}

// join makes HOST:PORT, a copy; false: host or port is not valid.
func join(host, port string) (string, bool) {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", false
	}
	addr := respclient.Address(host, int(n))
	return addr, addr != ""
}
