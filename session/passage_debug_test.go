//go:build proxydebug

package session_test

import (
	"strings"
	"testing"

	"ringmaster/session"
)

func TestAPassageThatBeginsWhileAnotherIsUnderWayIsAMistake(t *testing.T) {
	w := newWorld(t, defaults())
	a := w.connect("a")
	p := new(probe).awaits(session.Servers)
	a.session.Begin(p)
	defer func() {
		text, _ := recover().(string)
		if !strings.Contains(text, "waits for servers") {
			t.Errorf("the panic says %q", text)
		}
		if p.Over() || p.cancelled > 0 {
			t.Error("the first does not go on")
		}
	}()
	a.session.Begin(new(probe))
}
