package respclient

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// maxHost is the longest name that the DNS has, in bytes. With a port it is shorter than shard.MaxName.
const maxHost = 249

// Address makes HOST:PORT of a host and a port that a server has named, as a copy. It returns "" if the host is
// neither an IP address nor a possible hostname, or the port is not valid, so that no server's text is used
// unchecked. Any goroutine.
func Address(host string, port int) string {
	if port < 1 || port > 65535 || host == "" || len(host) > maxHost {
		return ""
	}
	allowed := "-._"
	if _, err := netip.ParseAddr(host); err == nil {
		allowed = "-._:%" // a zone may hold anything
	}
	for _, c := range []byte(host) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(allowed, c) >= 0) {
			return ""
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
