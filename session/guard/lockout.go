package guard

import (
	"strings"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/texts"
)

// LocksOut returns the error for a command that would lock the proxy out of its servers; "": it would not. Borrows args until return.
// Loop-only.
func LocksOut(e *session.Env, spec *command.Spec, args [][]byte) (text string) {
	if !spec.Traits.Has(command.TraitCanLockOut) {
		return ""
	}
	switch spec.ID {
	case command.IDConfigSet:
		for i := 2; i+1 < len(args); i += 2 {
			if why := locksOutBy(e, strings.ToLower(string(args[i])), string(args[i+1])); why != "" {
				return texts.LockedOut(spec.Name, why)
			}
		}
	case command.IDAclLoad:
		return texts.LockedOut(spec.Name, "it may change the user that ringmaster logs in as")
	default:
		for _, name := range args[2:] {
			if string(name) == serverUser(e) {
				return texts.LockedOut(spec.Name, "ringmaster logs in to the servers as this user")
			}
			if spec.ID == command.IDAclSetuser {
				break
			}
		}
	}
	return ""
}

// serverUser returns the user as which the proxy logs in to the servers.
func serverUser(e *session.Env) string {
	if user := e.Pool.Username(); user != "" {
		return user
	}
	return "default"
}

// locksOutBy says why a parameter with this value would lock the proxy out; "": it would not.
func locksOutBy(e *session.Env, name, value string) (why string) {
	switch name {
	case "requirepass":
		if serverUser(e) == "default" {
			return "ringmaster logs in to the servers without this password"
		}
	case "port":
		for _, i := range e.Map.Shards() {
			if _, port, tcp := hostPort(e.Map.Server(i).Addr); tcp && port != value {
				return "ringmaster reaches server " + e.Map.Server(i).Name + " at another port"
			}
		}
	case "bind":
		for _, i := range e.Map.Shards() {
			if host, _, tcp := hostPort(e.Map.Server(i).Addr); tcp && !binds(value, host) {
				return "ringmaster reaches server " + e.Map.Server(i).Name + " at another address"
			}
		}
	case "protected-mode":
		for _, i := range e.Map.Shards() {
			if host, _, tcp := hostPort(e.Map.Server(i).Addr); tcp && !loopback(host) && strings.EqualFold(value, "yes") && !e.Pool.LogsIn() {
				return "ringmaster reaches server " + e.Map.Server(i).Name + " from elsewhere, without a password"
			}
		}
	}
	return ""
}

// hostPort splits a server's address; !tcp: it is a unix socket.
func hostPort(addr string) (host, port string, tcp bool) {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 || strings.HasPrefix(addr, "unix:") || strings.HasPrefix(addr, "/") {
		return "", "", false
	}
	return strings.Trim(addr[:i], "[]"), addr[i+1:], true
}

// binds reports whether host reaches a server that binds addrs.
func binds(addrs, host string) bool {
	for _, a := range strings.Fields(addrs) {
		switch a = strings.TrimPrefix(a, "-"); a {
		case "*", "::*", "0.0.0.0", "::", host:
			return true
		}
		if host == "localhost" && loopback(a) {
			return true
		}
	}
	return false
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// RefusesLockout refuses a command that would lock the proxy out of its servers. false: it would not. Borrows req until return. Loop-only.
func RefusesLockout(s *session.Session, spec *command.Spec, req *parser.Request) bool {
	text := LocksOut(s.Door.Env, spec, req.Args)
	if text != "" {
		s.Refuse(text)
	}
	return text != ""
}
