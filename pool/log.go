package pool

import (
	"bytes"
	"log/slog"

	"ringmaster/pool/ask"
	"ringmaster/stats"
)

// repeatAfter is how long the same trouble with the same server is not logged again, in ns.
const repeatAfter = 10e9

// logger tells operators about servers lost and found: once per server and change, and then every
// ten seconds while the trouble lasts. Each loop has one; whoever writes the log leaves out what several tell.
type logger struct{ log *slog.Logger }

// logged is what the log has of a server.
type logged struct {
	trouble int64       // when trouble was logged that is not over, ns; 0: there is none
	refused int64       // when it was logged that it is no primary, ns; 0: never
	kind    bool        // that it is of another kind than the settings say
	apart   ask.Carrier // what it was told of that it goes over connections of its own
}

// kind looks at what a server says it is in its reply to HELLO.
func (l *logger) kind(c *Conn, hello []byte) {
	remedy := ""
	switch {
	case bytes.Contains(hello, []byte("mode\r\n$7\r\ncluster\r\n")) && !c.pool.cfg.Cluster:
		remedy = "server is a node of a Redis Cluster and answers MOVED for keys of other nodes; give --topology cluster"
	case bytes.Contains(hello, []byte("mode\r\n$8\r\nsentinel\r\n")):
		remedy = "server is a sentinel; give --topology sentinel, and --sentinel-masters"
	}
	if remedy != "" && !c.server.logged.kind {
		c.server.logged.kind = true
		l.log.Warn(remedy, slog.String("server", c.server.Name))
	}
}

func (l *logger) lost(c *Conn, reason stats.DisconnectReason, cause error) {
	if c.server.left && cause == errGone {
		return // the operator has taken it off the list
	}
	msg := "server connection lost"
	if reason == stats.HandshakeRefused {
		msg = "server refused the login; unless it is loading or busy, check the user and the password for this server"
	}
	l.trouble(c, msg, slog.String("reason", reason.String()), cause)
}

func (l *logger) dialFailed(c *Conn, cause error) {
	l.trouble(c, "server cannot be reached; check its address, and that it is running", slog.Attr{}, cause)
}

func (l *logger) misplaced(now int64, s *Server) {
	if at := s.logged.refused; at != 0 && now-at < repeatAfter {
		return
	}
	s.logged.refused = now
	l.log.Warn("server refuses writes because it is a replica; looking up its name again; check that the name leads to the primary",
		slog.String("server", s.Name), slog.String("address", s.Addr))
}

// otherLogin tells that connections are made again to log in as another user.
func (l *logger) otherLogin(c *Conn) {
	if c.rings == c.pool.Default() && c.nth == 0 {
		l.log.Info("reconnecting to the server to log in as the new user",
			slog.String("server", c.server.Name), slog.String("user", c.pool.cfg.user()))
	}
}

func (l *logger) trouble(c *Conn, msg string, attr slog.Attr, cause error) {
	if at := c.server.logged.trouble; at != 0 && c.pool.Now-at < repeatAfter {
		return
	}
	c.server.logged.trouble = c.pool.Now
	attrs := []any{slog.String("server", c.server.Name), slog.Any("cause", cause)}
	if attr.Key != "" {
		attrs = append(attrs, attr)
	}
	l.log.Warn(msg, attrs...)
}

// unescaped says once what goes over connections of its own because of a server.
func (l *logger) unescaped(c *Conn, carrier ask.Carrier) {
	what, bit := "scripts and functions", ask.Scripts
	if carrier == ask.Modules {
		what, bit = "commands of modules", ask.Modules
	}
	if c.server.logged.apart&bit == 0 {
		c.server.logged.apart |= bit
		l.log.Warn("server does not escape line breaks in replies to "+what+" (as in CVE-2025-67733); they use dedicated connections, unless --scripts is shared; upgrade the server",
			slog.String("server", c.server.Name))
	}
}

func (l *logger) ready(c *Conn) {
	if c.server.logged.trouble != 0 {
		c.server.logged.trouble = 0
		l.log.Info("server is back", slog.String("server", c.server.Name))
	}
}
