package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"ringmaster/control/config"
	"ringmaster/internal/respclient"
)

// dangerous are commands that ringmaster's user does not need at the servers, each with arguments that a server
// accepts.
var dangerous = [][]string{
	{"CLUSTER", "FLUSHSLOTS"}, {"CONFIG", "SET", "maxmemory", "0"}, {"DEBUG", "HELP"}, {"MIGRATE", "127.0.0.1", "1", "ringmaster", "0", "1"}, {"FLUSHALL"},
}

// Connect logs in to every server as the proxy would, and writes to out what that user may do there. The error names
// every server that can't be reached or refuses the login. It asks servers, so it may wait.
func Connect(ctx context.Context, out io.Writer, c *config.Config) error {
	upstreams, err := findUpstreams(ctx, c, slog.New(slog.DiscardHandler), findTopology)
	if err != nil {
		return err
	}
	var failed []error
	for _, u := range upstreams {
		failed = append(failed, connectTo(ctx, out, u))
	}
	return errors.Join(failed...)
}

// connectTo is Connect for the servers of one upstream.
func connectTo(ctx context.Context, out io.Writer, u *upstream) error {
	var failed []error
	servers, c := u.topology.Initial(), u.Config
	for i := range servers.Len() {
		addr := servers.Server(i).Addr
		if addr == "" {
			continue
		}
		user, may, err := permissions(ctx, addr, c)
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("server %s: %w", addr, err))
		case len(may) > 0:
			fmt.Fprintf(out, "%s: reached; warning: user %s may run %s; ringmaster does not need these, and clients' scripts can run them: docs/security.md\n",
				addr, user, strings.Join(may, ", "))
		default:
			fmt.Fprintf(out, "%s: reached; user %s\n", addr, user)
		}
	}
	return errors.Join(failed...)
}

// permissions returns the proxy's user at a server, and which of the dangerous commands it may run. They are queued
// and never run: a server answers NOPERM when a command is queued, and DISCARD drops the others.
func permissions(ctx context.Context, addr string, c *config.Config) (user string, may []string, err error) {
	conn, err := respclient.Dial(ctx, addr, respclient.Options{
		Username: c.UpstreamUsername, Password: c.UpstreamPassword.Reveal(), Timeout: c.DialTimeout,
	})
	if err != nil {
		return "", nil, err
	}
	defer conn.Close()
	if user = c.UpstreamUsername; user == "" {
		user = "default"
	}
	begun, err := conn.Do(ctx, []string{"MULTI"})
	if err != nil {
		return "", nil, err
	}
	if err := respclient.Refused("MULTI", begun[0]); err != nil {
		return "", nil, err // the commands would run instead of being queued
	}
	queued, err := conn.Do(ctx, append(dangerous[:len(dangerous):len(dangerous)], []string{"DISCARD"})...)
	if err != nil {
		return "", nil, err
	}
	for i, command := range dangerous {
		var refusal *respclient.Refusal
		allowed := !errors.As(respclient.Refused(command[0], queued[i]), &refusal) || refusal.Code() == "MOVED" || refusal.Code() == "CLUSTERDOWN"
		if !allowed && refusal.Code() != "NOPERM" { // such as DEBUG, which the server's settings may forbid, so ask for the ACL rules
			said, err := conn.Do(ctx, append([]string{"ACL", "DRYRUN", user}, command...))
			if err != nil {
				return "", nil, err
			}
			allowed = said[0].Kind == '+' && said[0].Text == "OK"
		}
		if allowed {
			may = append(may, command[0])
		}
	}
	return user, may, nil
}
