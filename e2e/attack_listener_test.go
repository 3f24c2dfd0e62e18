package e2e

import (
	"fmt"
	"strings"

	"ringmaster/internal/testkit"
)

// listener is a connection that is told things, and must be told only what was meant for it.
type listener struct {
	run  *attackRun
	conn *testkit.Conn
	may  func(v testkit.Value) bool // whether it may be told v
}

// newSubscriber hears the channel that speak publishes to.
func newSubscriber(run *attackRun, c *testkit.Conn) *listener {
	c.Do("SUBSCRIBE", "by:chan")
	return &listener{run: run, conn: c, may: func(v testkit.Value) bool {
		return v.Kind == '*' && len(v.Elems) == 3 && v.Elems[0].Text == "message" && v.Elems[1].Text == "by:chan" && strings.HasPrefix(v.Elems[2].Text, "said ")
	}}
}

// newTracker is told of the keys that speak writes.
func newTracker(run *attackRun, c *testkit.Conn) *listener {
	c.Do("HELLO", "3")
	if got := c.Do("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "by:track:"); got != "+OK\r\n" {
		run.note("no tracking here: %s", got)
		return nil
	}
	return &listener{run: run, conn: c, may: func(v testkit.Value) bool {
		if v.Kind != '>' || len(v.Elems) != 2 || v.Elems[0].Text != "invalidate" {
			return false
		}
		for _, key := range v.Elems[1].Elems {
			if !strings.HasPrefix(key.Text, "by:track:said ") {
				return false
			}
		}
		return v.Elems[1].Kind == '*' || v.Elems[1].Null // null: a server was lost
	}}
}

// loop judges what comes until the connection is closed.
func (l *listener) loop() {
	for {
		raw, err := l.conn.Next()
		if isTimeout(err) {
			continue // nobody spoke
		}
		if err != nil {
			return
		}
		if v, err := testkit.ParseValue(raw); err != nil || !l.may(v) {
			l.run.foreign("a listener was told %.200q", raw)
		}
	}
}

// speak publishes to the subscriber and writes what the tracker is told of.
func speak(run *attackRun, stop <-chan struct{}) {
	var c *testkit.Conn
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		var err error
		if c == nil {
			if c, err = testkit.Connect(run.front.proxy.Addr); err != nil {
				run.note("speaker: %v", err)
				continue
			}
			defer c.Close()
		}
		text := fmt.Sprintf("said %d", n)
		for _, args := range [][]string{{"PUBLISH", "by:chan", text}, {"SET", "by:track:" + text, "x", "PX", "10000"}} {
			if raw, err := c.Call(args...); err != nil {
				c.Close()
				c = nil
				break
			} else if strings.Contains(raw, attackMark) {
				run.foreign("the speaker, %q: %.200q", args, raw)
			}
		}
	}
}
