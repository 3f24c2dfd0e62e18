package pool

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ringmaster/pool/conn"
)

func TestTroubleIsLoggedOnceInTenSeconds(t *testing.T) {
	var out bytes.Buffer
	p := newTestPool(t, testConfig(), 1, slog.New(slog.NewTextHandler(&out, nil)))
	c := p.rings[conn.Key{Proto: 2}].conns[0]
	for p.Now < int64(time.Hour+25*time.Second) {
		if c.State() == conn.Dialing {
			c.OnDialFailed(errors.New("connection refused"))
		}
		p.Now += int64(50 * time.Millisecond)
		p.Tick()
	}
	if n := strings.Count(out.String(), "cannot be reached"); n != 3 {
		t.Errorf("25 s of trouble are logged %d times:\n%s", n, &out)
	}
	for c.State() != conn.Dialing {
		p.Now += int64(50 * time.Millisecond)
		p.Tick()
	}
	out.Reset()
	ready(t, c)
	if strings.Count(out.String(), "server is back") != 1 || !strings.Contains(out.String(), "server=A") {
		t.Errorf("logged:\n%s", &out)
	}
}

func TestDownNamesServersAndCauses(t *testing.T) {
	p := newTestPool(t, testConfig(), 3, nil)
	conns := p.rings[conn.Key{Proto: 2}].conns
	ready(t, conns[0])
	conns[1].OnDialFailed(errors.New("connection refused"))
	down := p.Down()
	if len(down) != 2 || down[0].Server != "B" || down[0].Cause == nil || down[1].Server != "C" || down[1].Cause != nil {
		t.Errorf("down: %+v", down)
	}
}

func TestVersionIsLearntFromAWellFormedHelloOnly(t *testing.T) {
	for hello, want := range map[string]string{
		"*2\r\n$7\r\nversion\r\n$5\r\n8.0.1\r\n":     "8.0.1",
		"%1\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n":    "7.0.15",
		"*2\r\n$7\r\nversion\r\n$500\r\n8.0.1\r\n":   "",
		"*2\r\n$7\r\nversion\r\n$9\r\n8.0.1\r\n":     "",
		"*2\r\n$7\r\nversion\r\n$-1\r\n":             "",
		"*2\r\n$7\r\nversion\r\n$x\r\n8.0.1\r\n":     "",
		"*2\r\n$7\r\nversion\r\n$0\r\n\r\n":          "",
		"*2\r\n$7\r\nversion\r\n$":                   "",
		"+OK\r\n":                                    "",
		"*4\r\n$1\r\nx\r\n:1\r\n$7\r\nversion\r\n:1": "",
	} {
		p := newTestPool(t, testConfig(), 1, nil)
		if p.noteHello(3, []byte(hello)); string(p.Version()) != want {
			t.Errorf("%q: learnt %q, want %q", hello, p.Version(), want)
		}
	}
}

func TestARefusedLoginNamesTheFlags(t *testing.T) {
	var out bytes.Buffer
	p := newTestPool(t, testConfig(), 1, slog.New(slog.NewTextHandler(&out, nil)))
	c := p.rings[conn.Key{Proto: 2}].conns[0]
	sock := &fakeSocket{}
	c.OnOpen(sock)
	c.OnBytes([]byte("-WRONGPASS invalid username-password pair or user is disabled.\r\n"))
	if got := out.String(); !strings.Contains(got, "check the user and the password") || !strings.Contains(got, "WRONGPASS") {
		t.Errorf("logged:\n%s", got)
	}
}

func TestServersOfAnotherKindAreLoggedOnce(t *testing.T) {
	for mode, want := range map[string]string{
		"$10\r\nstandalone": "", "$7\r\ncluster": "--topology cluster", "$8\r\nsentinel": "--topology sentinel",
	} {
		var out bytes.Buffer
		p := newTestPool(t, testConfig(), 1, slog.New(slog.NewTextHandler(&out, nil)))
		c := p.rings[conn.Key{Proto: 2}].conns[0]
		for range 2 {
			p.Log.WrongKind(c, []byte("*4\r\n$5\r\nproto\r\n:2\r\n$4\r\nmode\r\n"+mode+"\r\n"))
		}
		if n := strings.Count(out.String(), "give "); n != min(len(want), 1) || !strings.Contains(out.String(), want) {
			t.Errorf("%q: logged\n%s", mode, &out)
		}
	}
	p := newTestPool(t, testConfig(), 1, slog.New(slog.DiscardHandler))
	p.Config.Cluster = true
	if p.Log.WrongKind(p.rings[conn.Key{Proto: 2}].conns[0], []byte("$4\r\nmode\r\n$7\r\ncluster\r\n")); p.servers[0].Logged.Kind {
		t.Error("a node is odd in a cluster")
	}
}
