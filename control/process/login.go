package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringmaster/internal/respclient"
)

// loginsTimeout bounds the try to log in to the servers of an upstream. Servers that can't be reached may be down, so
// they do not make the reload fail.
const loginsTimeout = 5 * time.Second

// refusals are the error codes for a wrong login. A server that has no password, or knows no users, answers ERR.
var refusals = map[string]bool{"WRONGPASS": true, "NOPERM": true, "NOAUTH": true, "ERR": true}

// login logs in to a server. It asks the server, so it may wait.
func login(ctx context.Context, addr string, o respclient.Options) error {
	conn, err := respclient.Dial(ctx, addr, o)
	if err != nil {
		return err
	}
	defer conn.Close()
	if o.Password != "" {
		return nil // Dial has logged in
	}
	said, err := conn.Do(ctx, []string{"PING"})
	if err != nil {
		return err
	}
	var refusal *respclient.Refusal
	if err := respclient.Refused("PING", said[0]); errors.As(err, &refusal) && refusal.Code() == "NOAUTH" {
		return err
	}
	return nil
}

// errUntried says that a login could not be tried.
var errUntried = errors.New("no server could be reached to try the login")

// tryLogin logs in to the first of the servers that answers. The error is its refusal, or wraps [errUntried] and says
// why no server could be asked.
func (p *process) tryLogin(ctx context.Context, addrs []string, o respclient.Options) error {
	ctx, cancel := context.WithTimeout(ctx, loginsTimeout)
	defer cancel()
	untried := errUntried
	for _, addr := range addrs {
		err := p.login(ctx, addr, o)
		var refusal *respclient.Refusal
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%w: %s: %w", errUntried, addr, err)
		case errors.As(err, &refusal) && refusals[refusal.Code()]:
			return fmt.Errorf("server %s refuses this login: it %w", addr, err)
		}
		untried = fmt.Errorf("%w: %s: %w", errUntried, addr, err)
	}
	return untried
}
