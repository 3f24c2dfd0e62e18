package e2e

import (
	"fmt"
	"slices"

	"ringmaster/internal/testkit"
)

// leave tries a form over a connection of its own, in a state that changes what is answered, or without waiting for the answer: what
// the server still says then must reach nobody.
func (a *attacker) leave(f attackForm, steps []step) {
	c, err := testkit.Connect(a.run.front.proxy.Addr)
	if err != nil {
		a.run.note("attacker cannot connect: %v", err)
		return
	}
	defer c.Close()
	var before, after [][]string
	waits, reset := true, false
	name := ""
	switch a.rand.IntN(7) {
	case 0:
		name, waits = "leaves at once", false
	case 1:
		name, waits, reset = "resets", false, true
	case 2:
		name, before, after = "without replies", [][]string{{"CLIENT", "REPLY", "OFF"}}, [][]string{{"CLIENT", "REPLY", "ON"}}
	case 3:
		name, before = "tracking", [][]string{{"HELLO", "3"}, {"CLIENT", "TRACKING", "ON"}, {"GET", a.key("own")}}
	case 4:
		name, before = "subscribed", [][]string{{"HELLO", "3"}, {"SUBSCRIBE", a.key("chan")}}
	case 5:
		name, before, waits = "pinned, leaves at once", [][]string{{"WATCH", a.key("watched")}, {"CLIENT", "NO-EVICT", "ON"}}, false
	case 6:
		name, before, reset, waits = "in half a transaction", [][]string{{"WATCH", a.key("watched")}, {"MULTI"}}, true, false
	}
	name = fmt.Sprintf("%s, %s, %.300q", f.name, name, bare(steps))
	a.run.last.Store(name)
	nonce := fmt.Sprintf("left:%d:%d", a.id, a.seq)
	var wire []byte
	for _, args := range slices.Concat(before, bare(steps), after, [][]string{{"ECHO", nonce}}) {
		wire = testkit.AppendRequest(wire, args...)
	}
	if err := c.SendBytes(wire); err != nil {
		return
	}
	if !waits {
		if reset {
			c.Reset()
		}
		return
	}
	raw, err := until(c, nonce+"\r\n")
	if text := string(raw); bystandersWords.MatchString(text) || a.othersMark(text) {
		a.run.foreign("an attacker got %.300q", raw)
	}
	if isTimeout(err) {
		a.run.fault("an attacker got no end: ...%.300q, %s", raw[max(0, len(raw)-200):], name)
	}
}

func bare(steps []step) (commands [][]string) {
	for _, s := range steps {
		commands = append(commands, s.args)
	}
	return commands
}
