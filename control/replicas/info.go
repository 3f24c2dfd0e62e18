package replicas

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ringmaster/internal/respclient"
	"ringmaster/shard"
)

// MaxReplicas bounds the replicas of one primary.
const MaxReplicas = 64

// info is what a server says about its replication (Redis documentation, "INFO").
type info struct {
	replica  bool
	linked   bool // master_link_status:up
	syncing  bool // it is loading its primary's data
	offset   int64
	history  string // master_replid: the stream of writes in which the offset counts
	before   string // master_replid2: the stream before a promotion
	zone     string // availability_zone of Valkey
	replicas []shard.Server
}

// parseInfo reads the sections replication and server. addr is the server's own.
func parseInfo(addr, text string) (in info, ok bool) {
	var own, followed int64
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		switch name {
		case "role":
			ok = value == "master" || value == "slave"
			in.replica = value == "slave"
		case "master_link_status":
			in.linked = value == "up"
		case "master_sync_in_progress":
			in.syncing = value != "0"
		case "master_repl_offset":
			own, _ = strconv.ParseInt(value, 10, 64)
		case "slave_repl_offset":
			followed, _ = strconv.ParseInt(value, 10, 64)
		case "master_replid":
			in.history = strings.Clone(value)
		case "master_replid2":
			in.before = strings.Clone(value)
		case "availability_zone":
			in.zone = strings.Clone(value)
		default:
			// A replica that has reconnected may be listed twice.
			if s, is := listed(addr, name, value); is && len(in.replicas) < MaxReplicas && !slices.Contains(in.replicas, s) {
				in.replicas = append(in.replicas, s)
			}
		}
	}
	if in.offset = own; in.replica {
		in.offset = followed
	}
	return in, ok && in.history != ""
}

// listed reads a primary's line on a replica: slave0:ip=10.0.0.4,port=6379,state=online,offset=14,lag=0.
func listed(primary, name, value string) (shard.Server, bool) {
	digits, is := strings.CutPrefix(name, "slave")
	if _, err := strconv.ParseUint(digits, 10, 16); !is || err != nil {
		return shard.Server{}, false
	}
	fields := map[string]string{}
	for field := range strings.SplitSeq(value, ",") {
		k, v, _ := strings.Cut(field, "=")
		fields[k] = v
	}
	port, err := strconv.ParseUint(fields["port"], 10, 16)
	if err != nil || fields["state"] != "online" {
		return shard.Server{}, false
	}
	addr := respclient.Address(seenFrom(primary, fields["ip"]), int(port))
	return shard.Server{Name: addr, Addr: addr, Weight: 1}, addr != ""
}

// seenFrom returns the host of a replica as the proxy can reach it. A replica on the primary's own machine may be
// listed as 127.0.0.1.
func seenFrom(primary, host string) string {
	own, _, err := net.SplitHostPort(primary)
	if ip, parsed := netip.ParseAddr(host); err == nil && parsed == nil && ip.IsLoopback() {
		return own
	}
	return host
}
