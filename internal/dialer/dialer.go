package dialer

import (
	"context"
	"net"
	"time"
)

// attempts is the number of attempts in the time of a dial.
const attempts = 4

// Dial connects to addr on network within timeout, as net.Dialer does. Names are resolved each time.
func Dial(ctx context.Context, network, addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return race(ctx, timeout/attempts, func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	})
}

// result is the result of an attempt.
type result struct {
	conn net.Conn
	err  error
}

// race calls dial, again and again until a call has ended, and returns the result of the first that ends. Before it
// returns, all calls have ended.
func race(ctx context.Context, every time.Duration, dial func(context.Context) (net.Conn, error)) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan result, attempts)
	begun := 0
	begin := func() {
		begun++
		go func() {
			conn, err := dial(ctx)
			results <- result{conn, err}
		}()
	}
	begin()
	again := time.NewTicker(max(every, time.Millisecond))
	defer again.Stop()
	for {
		select {
		case first := <-results:
			cancel()
			for range begun - 1 {
				if late := <-results; late.conn != nil {
					late.conn.Close()
				}
			}
			return first.conn, first.err
		case <-again.C:
			if begun < attempts {
				begin()
			}
		}
	}
}
