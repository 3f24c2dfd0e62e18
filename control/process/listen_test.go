package process

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ringmaster/control/config"
)

func TestListenErrorsSayWhatToDo(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	_, port, _ := net.SplitHostPort(tcp.Addr().String())
	dir := t.TempDir()
	file, busy := filepath.Join(dir, "file"), filepath.Join(dir, "busy")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	unix, err := net.Listen("unix", busy)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	for addr, want := range map[string]string{
		tcp.Addr().String(): "address already in use; find what uses the port with `ss -ltnp sport = :" + port + "` and stop it, or choose another port",
		"192.0.2.1:1":       "cannot assign requested address; this machine has no such address; `ip addr` lists those it has",
		"no.invalid:1":      "check the address",
		"unix://" + file:    "a file that is not a socket is in the way; remove it, or choose another path",
		"unix://" + busy:    "address already in use; another process serves this socket; stop it, or choose another path",
		"unix://" + filepath.Join(dir, "none", "s"): "no such file or directory; the directory does not exist; make it, or choose another path",
	} {
		l, err := open(addr, noKeepAlive)
		if err == nil {
			l.Close()
			t.Errorf("%s: opened", addr)
			continue
		}
		if got := err.Error(); !strings.HasPrefix(got, "cannot listen on "+addr+": ") || !strings.HasSuffix(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", addr, got, want)
		}
	}
}

// TestTheNetPackageLeavesKeepAliveAlone: it would set it for each client, and package eventloop would set it again.
func TestTheNetPackageLeavesKeepAliveAlone(t *testing.T) {
	l, err := open("127.0.0.1:0", noKeepAlive)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ours, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	theirs, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	raw, err := theirs.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	on := -1
	if err := raw.Control(func(fd uintptr) { on, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) }); err != nil {
		t.Fatal(err)
	}
	if on != 0 || err != nil {
		t.Errorf("keep-alive is %d, %v", on, err)
	}
}

func TestASocketLeftBehindIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "left")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // like a killed process
	l.Close()
	again, err := open("unix://"+path, noKeepAlive)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestOneBadAddressClosesTheOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if _, err := openAll(&config.Config{Listeners: []config.Listener{{Address: "unix://" + path, Config: new(config.Config)}, {Address: "192.0.2.1:1", Config: new(config.Config)}}}); err == nil {
		t.Fatal("opened")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the first is still open: %v", err)
	}
}

func TestClientsFitUnderTheDescriptorLimit(t *testing.T) {
	for _, tc := range []struct {
		want           int
		reserve, limit uint64
		clients        int
		ok             bool
	}{
		{10000, 100, 20000, 10000, true},
		{10000, 100, 10100, 10000, true},
		{10000, 100, 1024, 924, true},
		{10000, 100, 101, 1, true},
		{10000, 100, 100, 0, false},
		{10000, 100, 64, 0, false},
		{10000, 100, 1<<64 - 1, 10000, true},
	} {
		got, err := clientsThatFit(tc.want, tc.reserve, tc.limit)
		if got != tc.clients || (err == nil) != tc.ok {
			t.Errorf("%+v: %d, %v", tc, got, err)
		}
	}
}
