package conn

import (
	"bytes"
	"log/slog"

	"ringmaster/pool/ask"
	"ringmaster/stats"
)

// repeatAfter is how long the same trouble with the same server is not logged again, in ns.
const repeatAfter = 10e9

// WrongKind looks at what a server says it is in its reply to HELLO.
func (l *Logger) WrongKind(c *Conn, hello []byte) {
	remedy := ""
	switch {
	case bytes.Contains(hello, []byte("mode\r\n$7\r\ncluster\r\n")) && !c.Up.Config.Cluster:
		remedy = "server is a node of a Redis Cluster and answers MOVED for keys of other nodes; give --topology cluster"
	case bytes.Contains(hello, []byte("mode\r\n$8\r\nsentinel\r\n")):
		remedy = "server is a sentinel; give --topology sentinel, and --sentinel-masters"
	}
	if remedy != "" && !c.server.Logged.Kind {
		c.server.Logged.Kind = true
		l.Log.Warn(remedy, slog.String("server", c.server.Name))
	}
}

func (l *Logger) lost(c *Conn, reason stats.DisconnectReason, cause error) {
	if c.server.Left && cause == ErrGone {
		return // the operator has taken it off the list
	}
	msg := "server connection lost"
	if reason == stats.HandshakeRefused {
		msg = "server refused the login; unless it is loading or busy, check the user and the password for this server"
	}
	l.trouble(c, msg, slog.String("reason", reason.String()), cause)
}

func (l *Logger) dialFailed(c *Conn, cause error) {
	l.trouble(c, "server cannot be reached; check its address, and that it is running", slog.Attr{}, cause)
}

// Misplaced tells that a server refuses writes as a replica.
func (l *Logger) Misplaced(now int64, s *Server) {
	if at := s.Logged.refused; at != 0 && now-at < repeatAfter {
		return
	}
	s.Logged.refused = now
	l.Log.Warn("server refuses writes because it is a replica; looking up its name again; check that the name leads to the primary",
		slog.String("server", s.Name), slog.String("address", s.Addr))
}

// otherLogin tells that connections are made again to log in as another user.
func (l *Logger) otherLogin(c *Conn) {
	if c.Group.First && c.Nth == 0 {
		l.Log.Info("reconnecting to the server to log in as the new user",
			slog.String("server", c.server.Name), slog.String("user", c.Up.Config.User()))
	}
}

func (l *Logger) trouble(c *Conn, msg string, attr slog.Attr, cause error) {
	if at := c.server.Logged.trouble; at != 0 && c.Up.Loop.Now-at < repeatAfter {
		return
	}
	c.server.Logged.trouble = c.Up.Loop.Now
	attrs := []any{slog.String("server", c.server.Name), slog.Any("cause", cause)}
	if attr.Key != "" {
		attrs = append(attrs, attr)
	}
	l.Log.Warn(msg, attrs...)
}

// unescaped says once what goes over connections of its own because of a server.
func (l *Logger) unescaped(c *Conn, carrier ask.Carrier) {
	what, bit := "scripts and functions", ask.Scripts
	if carrier == ask.Modules {
		what, bit = "commands of modules", ask.Modules
	}
	if c.server.Logged.apart&bit == 0 {
		c.server.Logged.apart |= bit
		l.Log.Warn("server does not escape line breaks in replies to "+what+" (as in CVE-2025-67733); they use dedicated connections, unless --scripts is shared; upgrade the server",
			slog.String("server", c.server.Name))
	}
}

func (l *Logger) ready(c *Conn) {
	if c.server.Logged.trouble != 0 {
		c.server.Logged.trouble = 0
		l.Log.Info("server is back", slog.String("server", c.server.Name))
	}
}
