package eventloop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestOnlyAnEndInOrderCountsAsHungUp(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{io.EOF, true}, {os.NewSyscallError("read", io.EOF), true}, {os.NewSyscallError("read", syscall.ECONNRESET), false}, {nil, false},
		{errors.New("EOF"), false},
	} {
		if got := hungUp(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

func TestWhatGnetLogsIsMostlyForDebugging(t *testing.T) {
	var out bytes.Buffer
	g := gnetLogger{slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for level, log := range map[string]func(string, ...any){
		"DEBUG a 1": g.Debugf, "DEBUG b 1": g.Infof, "DEBUG c 1": g.Warnf, "WARN d 1": g.Errorf, "ERROR e 1": g.Fatalf,
	} {
		out.Reset()
		level, text, _ := strings.Cut(level, " ")
		name, _, _ := strings.Cut(text, " ")
		log(name+" %d", 1)
		if want := fmt.Sprintf("level=%s msg=%q", level, text); !strings.Contains(out.String(), want) {
			t.Errorf("%q, want %s", &out, want)
		}
	}
}

func TestALoopThatIsNudgedWorksAfterItsNextPoll(t *testing.T) {
	p := start(t, newConfig(t, echoing(t).Addr))
	l := p.loops[0]
	p.stopTicks(l)
	onLoop(t, l, func() {
		l.nudged = true
		l.nudge()
	})
	p.dial()
	onLoop(t, l, func() {
		if l.nudged {
			t.Error("the loop was not nudged")
		}
	})
}
