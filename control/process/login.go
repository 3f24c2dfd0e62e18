package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringmaster/internal/respclient"
)

// loginsTimeout bounds how long it is tried to log in to the servers of an upstream. Those that can't be reached may be down for now.
const loginsTimeout = 5 * time.Second

// refusals are the codes by which a server says that a login is wrong; ERR is what one says that wants no password, or knows no users.
var refusals = map[string]bool{"WRONGPASS": true, "NOPERM": true, "NOAUTH": true, "ERR": true}

// login logs in to a server. It asks the server, and may wait.
func login(ctx context.Context, addr string, o respclient.Options) error {
	conn, err := respclient.Dial(ctx, addr, o)
	if err != nil {
		return err
	}
	defer conn.Close()
	if o.Password != "" {
		return nil // it was taken
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

// tryLogin logs in to the first of the servers that answers. The error is its refusal; nil: it takes the login, or none can be reached.
func (p *process) tryLogin(ctx context.Context, addrs []string, o respclient.Options) error {
	ctx, cancel := context.WithTimeout(ctx, loginsTimeout)
	defer cancel()
	for _, addr := range addrs {
		err := p.login(ctx, addr, o)
		var refusal *respclient.Refusal
		switch {
		case err == nil || ctx.Err() != nil:
			return nil
		case errors.As(err, &refusal) && refusals[refusal.Code()]:
			return fmt.Errorf("server %s refuses it: %w", addr, err)
		}
	}
	return nil
}
