package shard

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

const serverForm = "want HOST:PORT[:WEIGHT][@NAME], with an IPv6 address in brackets, or unix:///PATH[:WEIGHT][@NAME]"

// portOfMemcached is left out of a name that twemproxy makes, also for servers that are no memcached.
const portOfMemcached = "11211"

// ParseServers reads a list of HOST:PORT[:WEIGHT][@NAME] or unix:///PATH[:WEIGHT][@NAME], separated by commas. A
// missing weight is 1.
//
// A server without @NAME gets the name that twemproxy 0.5 gives it, so that ketama places its keys in the same way:
// HOST:PORT, HOST alone for port 11211, an IPv6 address without its brackets, and PATH with a colon after it. Errors
// name the item and what was expected.
func ParseServers(s string) ([]Server, error) {
	if strings.TrimSpace(s) == "" {
		return nil, fmt.Errorf("shard: no servers; %s", serverForm)
	}
	var servers []Server
	for item := range strings.SplitSeq(s, ",") {
		item = strings.TrimSpace(item)
		server, err := parseServer(item)
		if err != nil {
			return nil, fmt.Errorf("shard: server %q %w", HideLogin(item), err)
		}
		servers = append(servers, server)
	}
	return servers, nil
}

func parseServer(item string) (Server, error) {
	if item == "" {
		return Server{}, fmt.Errorf("is empty; %s", serverForm)
	}
	if strings.ContainsFunc(item, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return Server{}, fmt.Errorf("contains a space or a control character; %s", serverForm)
	}
	if strings.Contains(item, "://") && !strings.HasPrefix(item, "unix://") {
		return Server{}, urlFault(item)
	}
	place, name, named := strings.Cut(item, "@")
	if named && name == "" {
		return Server{}, fmt.Errorf("has no name after the @; %s", serverForm)
	}
	parse := parseTCP
	if strings.HasPrefix(place, "unix:") {
		parse = parseUnix
	}
	server, err := parse(place)
	if named {
		server.Name = name
	}
	return server, err
}

func parseTCP(place string) (Server, error) {
	host, rest, err := cutHost(place)
	if err != nil {
		return Server{}, err
	}
	port, weight, weighted := strings.Cut(rest, ":")
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return Server{}, fmt.Errorf("has port %q; want 1 to 65535", port)
	}
	server := Server{Name: host + ":" + port, Addr: place[:len(place)-len(rest)] + port, Weight: 1}
	if port == portOfMemcached {
		server.Name = host
	}
	if weighted {
		server.Weight, err = parseWeight(weight)
	}
	return server, err
}

// cutHost splits before the port. The host comes without brackets.
func cutHost(place string) (host, rest string, err error) {
	inside, bracketed := strings.CutPrefix(place, "[")
	if !bracketed {
		host, rest, _ = strings.Cut(place, ":")
		if fault := hostFault(place, host, rest); fault != "" {
			return "", "", fmt.Errorf("%s; %s", fault, serverForm)
		}
		return host, rest, nil
	}
	host, rest, closed := strings.Cut(inside, "]:")
	ip, err := netip.ParseAddr(host)
	if !closed || err != nil || !ip.Is6() || rest == "" {
		return "", "", fmt.Errorf("has no [IPv6]:PORT; %s", serverForm)
	}
	return host, rest, nil
}

// hostFault returns the problem of an address without brackets; empty: none. rest is the text after the first colon.
func hostFault(place, host, rest string) string {
	switch {
	case strings.ContainsAny(place, "/[]"):
		return "has a slash or a bracket in it"
	case strings.Count(rest, ":") > 1:
		return "has too many colons"
	case host == "":
		return "has no host"
	case rest == "":
		return "has no port"
	}
	return ""
}

// HideLogin returns a text that may be a URL, without its user and password, because errors show the given text and
// are logged.
func HideLogin(text string) string {
	scheme, rest, isURL := strings.Cut(text, "://")
	_, place, hasLogin := cutLast(rest, "@")
	if !isURL || !hasLogin {
		return text
	}
	return scheme + "://***@" + place
}

// urlFault says what to write instead of a URL such as redis://user:word@host:6379/0.
func urlFault(item string) error {
	scheme, rest, _ := strings.Cut(item, "://")
	rest, _, _ = strings.Cut(rest, "/")
	login, place, hasLogin := cutLast(rest, "@")
	if !hasLogin {
		place = login
	}
	more := ""
	if hasLogin {
		more = ", and give the user and the password with --upstream-username and --upstream-password-file"
	}
	if scheme == "rediss" || scheme == "valkeys" {
		more += "; ringmaster speaks plain TCP to servers, and TLS is not supported"
	}
	return fmt.Errorf("is a URL; write %s%s", place, more)
}

// cutLast is strings.Cut at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func parseUnix(place string) (Server, error) {
	path, ok := strings.CutPrefix(place, "unix://")
	if !ok || !strings.HasPrefix(path, "/") {
		return Server{}, fmt.Errorf("has no absolute path; %s", serverForm)
	}
	server := Server{Weight: 1}
	if colon := strings.LastIndexByte(path, ':'); colon > strings.LastIndexByte(path, '/') {
		var err error
		if server.Weight, err = parseWeight(path[colon+1:]); err != nil {
			return Server{}, err
		}
		path = path[:colon]
	}
	if strings.HasSuffix(path, "/") {
		return Server{}, fmt.Errorf("has a path that ends in a slash; %s", serverForm)
	}
	server.Name = path + ":"
	server.Addr = "unix://" + path
	return server, nil
}

func parseWeight(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("has weight %q; want a whole number from 1 to %d", s, MaxTotalWeight)
	}
	return int(n), nil
}
