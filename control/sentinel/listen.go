package sentinel

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"ringmaster/internal/refresh"
	"ringmaster/internal/respclient"
)

const (
	// maxEars bounds the sentinels that are listened to.
	maxEars = 3
	// deaf is the pause before a subscription that was lost is made again.
	deaf = time.Second
)

// ears are the subscriptions to what sentinels tell. They only make a refresh come sooner: messages may be lost.
type ears struct {
	w       *Watcher
	ctx     context.Context
	open    map[string]context.CancelFunc
	user    string // by whom they were made
	running sync.WaitGroup
}

func newEars(ctx context.Context, w *Watcher) *ears {
	return &ears{w: w, ctx: ctx, open: map[string]context.CancelFunc{}}
}

// listen keeps the subscriptions to sentinels that answer, unless another user made them, and makes more while there is room. When none
// answers all stay.
func (e *ears) listen(addrs []string) {
	if len(addrs) == 0 {
		return
	}
	user := e.w.config().Username
	changed := user != e.user
	e.user = user
	for addr, end := range e.open {
		if changed || !slices.Contains(addrs, addr) {
			end()
			delete(e.open, addr)
		}
	}
	for _, addr := range addrs {
		if len(e.open) >= maxEars || e.open[addr] != nil {
			continue
		}
		ctx, end := context.WithCancel(e.ctx)
		e.open[addr] = end
		e.running.Add(1)
		go func() {
			defer e.running.Done()
			for {
				e.w.hear(ctx, addr)
				if !refresh.Sleep(ctx, deaf) {
					return
				}
			}
		}()
	}
}

// close ends the subscriptions and returns when they have ended.
func (e *ears) close() {
	for _, end := range e.open {
		end()
	}
	e.running.Wait()
}

// hear subscribes and hints at every message about one of the names until the connection is lost.
func (w *Watcher) hear(ctx context.Context, addr string) {
	cfg := w.config()
	c, err := respclient.Dial(ctx, addr, cfg.login())
	if err != nil {
		return
	}
	defer c.Close()
	replies, err := c.Do(ctx, []string{"PSUBSCRIBE", "*"})
	if err != nil || respclient.Refused("PSUBSCRIBE", replies[0]) != nil {
		return
	}
	w.subscribed.Add(1)
	defer w.subscribed.Add(-1)
	w.Hint() // for what was told before
	for {
		v, err := c.Receive(ctx)
		if err != nil {
			return
		}
		if w.concerns(v) {
			w.Hint()
		}
	}
}

// concerns reports whether a message is about one of the names: "mymaster IP PORT IP PORT" of +switch-master, or "TYPE NAME IP
// PORT[ @ MASTER IP PORT]" of the others.
func (w *Watcher) concerns(v respclient.Value) bool {
	if len(v.Elems) != 4 || v.Elems[0].Text != "pmessage" {
		return false
	}
	names := w.config().Names
	return slices.ContainsFunc(strings.Fields(v.Elems[3].Text), func(word string) bool { return slices.Contains(names, word) })
}
