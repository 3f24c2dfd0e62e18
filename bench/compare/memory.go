package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"ringmaster/bench/proc"
)

// idleSilent measures the memory of clients that connected and sent nothing.
func (r *runner) idleSilent(ctx context.Context, _ *workload, p *peer) (Sample, error) {
	return r.idle(ctx, p, func(*client) error { return nil })
}

// idleUsed measures the memory of clients that got one reply and then became idle.
func (r *runner) idleUsed(ctx context.Context, _ *workload, p *peer) (Sample, error) {
	get := command("GET", "probe")
	return r.idle(ctx, p, func(c *client) error {
		if _, err := c.Write(get); err != nil {
			return err
		}
		_, err := c.skip()
		return err
	})
}

func (r *runner) idle(ctx context.Context, p *peer, greet func(*client) error) (Sample, error) {
	in, err := r.arena.fresh(ctx, p)
	if err != nil {
		return Sample{}, err
	}
	defer in.stop()
	pid := in.subject().PID()
	before, err := settledRSS(ctx, pid)
	if err != nil {
		return Sample{}, err
	}
	want := min(r.opts.idle, r.arena.mostClients(p), int(r.opts.openFiles)-200)
	clients := make([]*client, 0, want)
	defer func() {
		for _, c := range clients {
			c.hangUp()
		}
	}()
	for len(clients) < want && ctx.Err() == nil {
		c, err := dialClient(in.addr, 10*time.Minute)
		if err != nil {
			return Sample{}, fmt.Errorf("client %d: %w", len(clients), err)
		}
		clients = append(clients, c)
		if err := greet(c); err != nil {
			return Sample{}, fmt.Errorf("client %d: %w", len(clients), err)
		}
	}
	after, err := settledRSS(ctx, pid)
	if err != nil {
		return Sample{}, err
	}
	if err := allOpen(clients, in.addr); err != nil {
		return Sample{}, err
	}
	return Sample{Values: map[Metric]float64{
		Clients: float64(want), RSS: float64(after), PerClient: float64(after-before) / float64(want),
	}}, nil
}

// allOpen checks that the proxy still holds its clients: the last one gets an answer, and none was closed.
func allOpen(clients []*client, addr string) error {
	for i, c := range clients {
		if !c.open() {
			return fmt.Errorf("%s closed client %d", addr, i)
		}
	}
	last := clients[len(clients)-1]
	if _, err := last.Write(command("GET", "probe")); err != nil {
		return err
	}
	_, err := last.skip()
	return err
}

// settledRSS returns the resident memory after three readings in a row agree to one percent.
func settledRSS(ctx context.Context, pid int) (int64, error) {
	var last int64
	for same, tries := 0, 0; tries < 50; tries++ {
		now, err := proc.RSS(pid)
		if err != nil {
			return 0, err
		}
		if diff := now - last; diff*100 <= now && -diff*100 <= now {
			if same++; same == 2 {
				return now, nil
			}
		} else {
			same = 0
		}
		last = now
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return last, nil // it never settled, so the last reading is as good as any
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// huge sets and gets one big value and watches the proxy's memory.
func (r *runner) huge(ctx context.Context, _ *workload, p *peer) (Sample, error) {
	in, err := r.arena.fresh(ctx, p)
	if err != nil {
		return Sample{}, err
	}
	defer in.stop()
	c, err := dialClient(in.addr, 5*time.Minute)
	if err != nil {
		return Sample{}, err
	}
	defer c.hangUp()
	size := r.opts.huge
	v := map[Metric]float64{ValueSize: float64(size)}
	if in.proc == nil { // Redis keeps the value, so its memory says nothing here
		return Sample{Values: v}, setAndGet(c, size, v)
	}
	pid := in.proc.PID()
	before, err := settledRSS(ctx, pid)
	if err != nil {
		return Sample{}, err
	}
	if err := proc.ResetPeak(pid); err != nil {
		return Sample{}, fmt.Errorf("reset the peak of %s: %w", p.name, err)
	}
	if err := setAndGet(c, size, v); err != nil {
		return Sample{}, in.proc.Describe(err)
	}
	peak, err := proc.PeakRSS(pid)
	if err != nil {
		return Sample{}, err
	}
	v[PeakGrowth] = float64(peak - before)
	return Sample{Values: v}, r.awaitReturn(ctx, pid, before, v)
}

// awaitReturn polls until at most a tenth of the value is still held, or the limit.
func (r *runner) awaitReturn(ctx context.Context, pid int, before int64, v map[Metric]float64) error {
	v[PollDuration] = r.opts.returnLimit.Seconds()
	for start := time.Now(); ; {
		now, err := proc.RSS(pid)
		if err != nil {
			return err
		}
		v[AfterGrowth], v[RSS] = float64(now-before), float64(now)
		passed := time.Since(start)
		if v[AfterGrowth] <= v[ValueSize]/10 {
			v[ReturnTime] = passed.Seconds()
			return nil
		}
		if passed > r.opts.returnLimit {
			return nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// setAndGet sends the value in pieces, reads it back, and compares it piece by piece.
func setAndGet(c *client, size int, v map[Metric]float64) error {
	start := time.Now()
	if err := sendHuge(c, size); err != nil {
		return fmt.Errorf("SET of %d bytes: %w", size, err)
	}
	v[SetDuration] = time.Since(start).Seconds()
	start = time.Now()
	if err := receiveHuge(c, size); err != nil {
		return fmt.Errorf("GET of %d bytes: %w", size, err)
	}
	v[GetDuration] = time.Since(start).Seconds()
	return nil
}

// hugePiece is the repeated part of the value; its odd length makes every misplaced byte show.
var hugePiece = func() []byte {
	b := make([]byte, 65_521)
	for i := range b {
		b[i] = byte('a' + i*i%23)
	}
	return b
}()

func sendHuge(c *client, size int) error {
	if _, err := fmt.Fprintf(c, "*3\r\n$3\r\nSET\r\n$4\r\nhuge\r\n$%d\r\n", size); err != nil {
		return err
	}
	for left := size; left > 0; left -= min(left, len(hugePiece)) {
		if _, err := c.Write(hugePiece[:min(left, len(hugePiece))]); err != nil {
			return err
		}
	}
	if _, err := c.Write([]byte("\r\n")); err != nil {
		return err
	}
	_, err := c.skip()
	return err
}

func receiveHuge(c *client, size int) error {
	if _, err := c.Write(command("GET", "huge")); err != nil {
		return err
	}
	kind, length, err := c.head()
	if err != nil {
		return err
	}
	if kind != '$' || length != fmt.Sprint(size) {
		return fmt.Errorf("the reply begins with %c%s", kind, length)
	}
	buf := make([]byte, len(hugePiece))
	for left := size; left > 0; left -= min(left, len(buf)) {
		part := buf[:min(left, len(buf))]
		if _, err := io.ReadFull(c.in, part); err != nil {
			return err
		}
		if !bytes.Equal(part, hugePiece[:len(part)]) {
			return fmt.Errorf("other bytes came back, %d from the end", left)
		}
	}
	_, err = io.ReadFull(c.in, buf[:2])
	return err
}
