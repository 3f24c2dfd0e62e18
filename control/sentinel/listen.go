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
	// maxListeners bounds the subscriptions.
	maxListeners = 3
	// resubscribePause is the wait before a lost subscription is made again.
	resubscribePause = time.Second
)

// listeners are the subscriptions to the sentinels' messages. Messages may be lost, so they only make a refresh come
// sooner.
type listeners struct {
	w       *Watcher
	ctx     context.Context
	open    map[string]context.CancelFunc
	user    string // that they have logged in as
	running sync.WaitGroup
}

func newListeners(ctx context.Context, w *Watcher) *listeners {
	return &listeners{w: w, ctx: ctx, open: map[string]context.CancelFunc{}}
}

// listen ends the subscriptions to sentinels that are not in addrs, or all of them when the user has changed. It
// makes new ones up to maxListeners. An empty addrs means that no sentinel answers; then all stay.
func (l *listeners) listen(addrs []string) {
	if len(addrs) == 0 {
		return
	}
	user := l.w.config().Username
	changed := user != l.user
	l.user = user
	for addr, end := range l.open {
		if changed || !slices.Contains(addrs, addr) {
			end()
			delete(l.open, addr)
		}
	}
	for _, addr := range addrs {
		if len(l.open) >= maxListeners || l.open[addr] != nil {
			continue
		}
		ctx, end := context.WithCancel(l.ctx)
		l.open[addr] = end
		l.running.Add(1)
		go func() {
			defer l.running.Done()
			for {
				l.w.listenOnce(ctx, addr)
				if !refresh.Sleep(ctx, resubscribePause) {
					return
				}
			}
		}()
	}
}

// close ends the subscriptions and waits for them.
func (l *listeners) close() {
	for _, end := range l.open {
		end()
	}
	l.running.Wait()
}

// listenOnce subscribes, and hints at every message about one of the names until the connection is lost.
func (w *Watcher) listenOnce(ctx context.Context, addr string) {
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
	w.Hint() // there may have been messages before
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

// concerns reports whether a message is about one of the names. +switch-master has the form "mymaster IP PORT IP
// PORT", the others "TYPE NAME IP PORT[ @ MASTER IP PORT]".
func (w *Watcher) concerns(v respclient.Value) bool {
	if len(v.Elems) != 4 || v.Elems[0].Text != "pmessage" {
		return false
	}
	names := w.config().Names
	return slices.ContainsFunc(strings.Fields(v.Elems[3].Text), func(word string) bool { return slices.Contains(names, word) })
}
