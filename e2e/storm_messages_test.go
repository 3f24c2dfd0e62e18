package e2e

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"ringmaster/internal/testkit"
)

// subscriber listens to a channel on which one client publishes numbers, one after the other.
type subscriber struct {
	conn  *testkit.Conn
	heard int // the last number; they begin with 1
}

// channel has subscribers with SUBSCRIBE in both protocols and with PSUBSCRIBE, and a publisher.
func (r *stormRun) channel() error {
	r.ids++
	name := fmt.Sprintf("channel:%d", r.ids)
	var all []*subscriber
	for i, args := range [][]string{{"SUBSCRIBE", name}, {"SUBSCRIBE", name}, {"PSUBSCRIBE", name + "*"}} {
		addr := []string{r.world.front, r.world.side}[i%2]
		conn, err := r.connect(i, addr)
		if err == nil {
			var got string
			if got, err = conn.Call(args...); err == nil && !strings.Contains(got, args[1]) {
				err = fmt.Errorf("%q", got)
			}
		}
		if err != nil {
			return fmt.Errorf("%q: %w", args, err)
		}
		all = append(all, &subscriber{conn: conn})
	}
	publisher, err := r.connect(r.ids, r.world.front)
	if err != nil {
		return err
	}
	var sent atomic.Int64
	publish := func(word string) error {
		got, err := publisher.Call("PUBLISH", name, word)
		if want := fmt.Sprintf(":%d\r\n", len(all)); err != nil || got != want && word != "end" { // who has that goes
			r.report(fmt.Sprintf("%s: PUBLISH %s reached %q, want %q; %v", name, word, got, want, err))
		}
		r.tally.replies.Add(1)
		return err
	}
	r.clients.Go(func() {
		for n := int64(1); r.going(); n++ {
			r.gate.RLock()
			err := publish(strconv.FormatInt(n, 10))
			r.gate.RUnlock()
			if err != nil {
				break
			}
			sent.Store(n)
		}
		_ = publish("end")
	})
	for i, l := range all {
		r.clients.Go(func() {
			wrong := func(err error) { r.report(fmt.Sprintf("%s: subscriber %d: %v", name, i, err)) }
			if err := l.listen(name, wrong); err != nil {
				wrong(err)
			} else if int64(l.heard) != sent.Load() {
				r.report(fmt.Sprintf("%s: subscriber %d ends with message %d of %d", name, i, l.heard, sent.Load()))
			}
		})
	}
	return nil
}

// listen reads messages until the last. wrong is told of those that come too often or are missing; after an error nothing more is read.
func (l *subscriber) listen(name string, wrong func(error)) error {
	defer l.conn.Close()
	for {
		raw, err := l.conn.Next()
		if err != nil {
			return fmt.Errorf("after message %d: %w", l.heard, err)
		}
		v, err := testkit.ParseValue(raw)
		if err != nil || len(v.Elems) < 3 || !strings.HasSuffix(v.Elems[0].Text, "message") || v.Elems[len(v.Elems)-2].Text != name {
			return fmt.Errorf("after message %d: %.200q, %v", l.heard, raw, err)
		}
		word := v.Elems[len(v.Elems)-1].Text
		if word == "end" {
			return nil
		}
		n, err := strconv.Atoi(word)
		if err != nil || n != l.heard+1 {
			wrong(fmt.Errorf("message %s comes after %d", word, l.heard))
		}
		l.heard = n
	}
}

// comesAndGoes is a client that subscribes and leaves again and again, and one that publishes in between.
func (r *stormRun) comesAndGoes() {
	r.ids++
	name, id := fmt.Sprintf("now and then:%d", r.ids), r.ids
	var listens, publishes *testkit.Conn
	begin := func() error {
		var err, err2 error
		listens, err = r.connect(0, r.world.side)
		publishes, err2 = r.connect(id, r.world.side)
		if err = errors.Join(err, err2); err != nil {
			r.report(fmt.Sprintf("%s: %v", name, err))
		}
		return err
	}
	if begin() != nil {
		return
	}
	n := 0
	r.caller(func() error {
		n++
		word, on, off := strconv.Itoa(n), "SUBSCRIBE", "UNSUBSCRIBE"
		if n%2 == 0 {
			on, off = "PSUBSCRIBE", "PUNSUBSCRIBE"
		}
		came, err := listens.Call(on, name)
		heard, err2 := publishes.Call("PUBLISH", name, word)
		var message []byte
		if heard == ":1\r\n" {
			message, err = listens.Next()
		}
		left, err3 := listens.Call(off)
		unheard, err4 := publishes.Call("PUBLISH", name, "nobody")
		r.tally.replies.Add(4)
		if err = errors.Join(err, err2, err3, err4); err != nil {
			r.report(fmt.Sprintf("%s: %v", name, err))
			return err
		}
		if !strings.HasSuffix(came, ":1\r\n") || !strings.HasSuffix(string(message), testkit.Request(name, word)[len("*2\r\n"):]) ||
			!strings.HasSuffix(left, ":0\r\n") || unheard != ":0\r\n" {
			r.report(fmt.Sprintf("%s: %s %q, then %q and %q, %s %q, then %q", name, on, came, heard, message, off, left, unheard))
			listens.Close()
			publishes.Close()
			return begin() // for others may come of this mistake
		}
		return nil
	})
}
