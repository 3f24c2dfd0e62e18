package admin

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// slowCrowd is many clients that hold connections, and connect again whenever one is closed.
type slowCrowd struct {
	wg     sync.WaitGroup
	stop   atomic.Bool
	open   sync.Map // of net.Conn
	closed atomic.Int64
}

// newCrowd starts n clients that send say and then neither read nor write. It ends with the test.
func newCrowd(t *testing.T, addr string, n int, say string) *slowCrowd {
	t.Helper()
	c := &slowCrowd{}
	for range n {
		c.wg.Go(func() { c.keepUp(addr, say) })
	}
	t.Cleanup(func() {
		c.stop.Store(true)
		c.open.Range(func(conn, _ any) bool { conn.(net.Conn).Close(); return true })
		c.wg.Wait()
	})
	return c
}

func (c *slowCrowd) keepUp(addr, say string) {
	for !c.stop.Load() {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			continue
		}
		c.open.Store(conn, nil)
		if c.stop.Load() {
			conn.Close()
		}
		_, _ = io.WriteString(conn, say)
		if !strings.HasSuffix(say, "\r\n\r\n") { // otherwise the answer stays unread
			_, _ = io.Copy(io.Discard, conn)
		} else {
			_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			_, _ = conn.Read(make([]byte, 1))
		}
		c.closed.Add(1)
		c.open.Delete(conn)
		conn.Close()
	}
}

// TestSlowClientsDoNotHoldUpHealth asks while another address holds a thousand slow connections, each time over a new
// connection.
func TestSlowClientsDoNotHoldUpHealth(t *testing.T) {
	loops, clients := sampleView().Loops, 1000
	if testing.Short() {
		clients = 100
	}
	for name, say := range map[string]string{
		"silent": "", "half a head": "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", "a head without its end": "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
		"a whole request, and the answer is not read": "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
		"a body that does not come":                   "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			lim := newLimited(l, MaxConns)
			s := New(Config{Source: &fakeLoops{loops: loops}})
			served := make(chan error, 1)
			go func() { served <- s.http.Serve(lim) }()
			defer func() { _ = s.http.Close(); <-served }()
			crowd := newCrowd(t, l.Addr().String(), clients, say)
			for end := time.Now().Add(20 * time.Second); crowd.closed.Load() < 500; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("nobody makes room")
				}
			}
			// From another address than the crowd's, because a slow connection from the crowd's address may have to
			// make room.
			from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
			client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: from.DialContext}}
			for range 5 {
				resp, err := client.Get("http://" + l.Addr().String() + "/healthz")
				if err != nil {
					t.Fatal(err)
				}
				if resp.Body.Close(); resp.StatusCode != 200 {
					t.Errorf("%s", resp.Status)
				}
				lim.mu.Lock()
				open := len(lim.open)
				lim.mu.Unlock()
				if open > MaxConns {
					t.Fatalf("%d connections are open", open)
				}
			}
		})
	}
}

// conns makes the connections of a limited listener with room for most. Each is a host, with a + if it is being
// answered.
func conns(t *testing.T, most int, hosts ...string) *limited {
	t.Helper()
	l := newLimited(nil, most)
	for _, host := range hosts {
		name, answered := strings.CutSuffix(host, "+")
		a, b := net.Pipe()
		t.Cleanup(func() { a.Close(); b.Close() })
		l.open = append(l.open, &counted{Conn: a, of: l, host: name, answered: answered})
	}
	return l
}

func TestWhoMakesRoom(t *testing.T) {
	for _, c := range []struct {
		hosts []string // oldest first
		comes string
		want  int
	}{
		{[]string{"a", "a"}, "a", 0},
		{[]string{"a+", "a"}, "a", 1},           // one that is being answered stays
		{[]string{"a", "b", "b"}, "c", 1},       // the address with the most pays
		{[]string{"b", "a+", "a+"}, "c", 1},     // even when all of its are answered
		{[]string{"a+", "a+"}, "a", 0},          // there is no other
		{[]string{"a", "b"}, "c", 0},            // no address has more
		{[]string{"a+", "b"}, "c", 1},           //
		{[]string{"a", "a", "b", "b"}, "b", 2},  // the one that comes counts
		{[]string{"b", "a", "a+", "a"}, "b", 1}, //
	} {
		l := conns(t, len(c.hosts), c.hosts...)
		got := l.victim(c.comes)
		for i, o := range l.open {
			if o == got && i != c.want {
				t.Errorf("%v, and %s comes: number %d goes, want %d", c.hosts, c.comes, i, c.want)
			}
		}
	}
}

// TestNobodyMakesRoomBeforeItsTime: a new probe has time to send its request.
func TestNobodyMakesRoomBeforeItsTime(t *testing.T) {
	l := conns(t, 2, "a", "a")
	oldest := l.open[0]
	oldest.until = time.Now().Add(time.Hour)
	newcomer := &counted{of: l, host: "a"}
	if wait := l.admit(newcomer); wait <= 0 || len(l.open) != 2 {
		t.Errorf("it is let in: %v", l.open)
	}
	oldest.until = time.Now()
	if wait := l.admit(newcomer); wait != 0 || len(l.open) != 2 || l.open[1] != newcomer || l.open[0] == oldest {
		t.Errorf("it must wait %v", wait)
	}
}

func TestClosedConnectionsAreForgotten(t *testing.T) {
	l := conns(t, 3, "a", "b", "c")
	for _, c := range []*counted{l.open[1], l.open[0], l.open[2]} {
		c.Close()
		c.Close()
	}
	if len(l.open) != 0 {
		t.Errorf("%d are counted", len(l.open))
	}
}

func TestHostsThatPagesInABrowserCouldNameAreRefused(t *testing.T) {
	addr := serve(t, Config{Source: &fakeLoops{hosts: []string{"", "ringmaster", "*.svc.cluster.local"}}, Pprof: true})
	anyHost := serve(t, Config{Source: &fakeLoops{hosts: []string{"*"}}})
	ask := func(addr, path, host string) int {
		t.Helper()
		req, err := http.NewRequest("GET", "http://"+addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode == http.StatusMisdirectedRequest && !strings.Contains(string(body), "--admin-hosts") {
			t.Errorf("%s: %s", host, body)
		}
		return resp.StatusCode
	}
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:9380": 200, "10.1.2.3:9380": 200, "[::1]:9380": 200, "[fd00::1]": 200, "localhost": 200, "LOCALHOST:80": 200, "localhost.": 200,
		"ringmaster": 200, "Ringmaster:9380": 200, "a.b.svc.cluster.local": 200,
		"evil.example": 421, "evil.example:9380": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "svc.cluster.local": 421,
		"evilsvc.cluster.local": 421, "ringmaster.evil.example": 421, "1.2.3": 421,
	} {
		for _, path := range []string{"/", "/healthz", "/metrics", "/topology", "/debug/pprof/cmdline", "/nothing"} {
			got := ask(addr, path, host)
			if path == "/nothing" && got == 404 {
				got = 200
			}
			if got != want {
				t.Errorf("%s of %s: %d, want %d", path, host, got, want)
			}
		}
		if got := ask(anyHost, "/healthz", host); got != 200 {
			t.Errorf("%s, where any is known: %d", host, got)
		}
	}
}

func TestARequestWithoutAHostIsAnswered(t *testing.T) {
	addr := serve(t, Config{Source: &fakeLoops{}})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /healthz HTTP/1.0\r\n\r\n")
	if all, _ := io.ReadAll(conn); !strings.Contains(string(all), "200 OK") {
		t.Errorf("%q", all)
	}
}
